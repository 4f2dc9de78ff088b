"""Bytes from any place that fsspec reaches: within seconds or not at all, and without telling secrets."""

import hashlib
import json
import re
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

import aiohttp
from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs

from tabular.errors import UserError, one_line

Result = TypeVar("Result")

SECONDS = 10.0
"""How long to wait for a connection, and for each piece of an answer."""

CONTENT_MARKS = ("md5Hash", "Content-MD5", "ETag", "etag", "Last-Modified", "LastModified", "mtime", "created")
"""What file systems call the mark that changes with a file's bytes, the most reliable first."""


class Unreachable(UserError):
    """Nothing answered at an address: no network, or its host is down."""

    def __init__(self, what: str, key: str) -> None:
        super().__init__(f"{key}: {what}; check the address and the network, or set data.path to a local copy")
        self.what = what
        """What happened, without the key and the remedy."""


def is_remote(location: str) -> bool:
    """Whether a location names a protocol such as `https://`, `gs://` or `memory://`."""
    return "://" in location and not location.startswith("file://")


def public(location: str) -> str:
    """The location without `user:password@`, query and fragment, any of which may hold a secret."""
    if not is_remote(location):
        return location
    return re.sub(r"://[^/]*@", "://", re.split(r"[?#]", location)[0])


def fetch(location: str, key: str) -> bytes:
    """All bytes at a remote location.

    Args:
        location: an address.
        key: where the user wrote it, such as `data.path`; errors name it.

    Raises:
        Unreachable: nothing answered within `SECONDS`.
        UserError: something answered, but not with the file (such as HTTP 404), or the protocol is not known.
    """
    try:
        if _is_http(location):  # its requests have time limits of their own
            store, path = url_to_fs(location, **_options(location))
        else:
            store, path, _ = _within(SECONDS, lambda: _look(location))
        content: bytes = store.cat_file(path)
        return content
    except Exception as error:  # every store has its own family of exceptions
        raise _refusal(location, key, error) from None  # a chained error would print the address with its secrets


def fingerprint(location: str, key: str) -> str:
    """A hash, in hex, that changes when the bytes at a remote location change, mostly without reading them.

    Args and errors are those of `fetch`.
    """
    try:
        _, _, info = _within(SECONDS, lambda: _look(location))
    except Exception as error:  # every store has its own family of exceptions
        raise _refusal(location, key, error) from None
    if info.get("type") == "directory":
        raise UserError(f"{key}: {public(location)} is a folder; name one CSV, Parquet or .tgz file in it")
    marks = [str(info[name]) for name in CONTENT_MARKS if info.get(name)]
    if not marks:
        return hashlib.sha256(fetch(location, key)).hexdigest()
    return hashlib.sha256(json.dumps([marks[0], info.get("size")]).encode()).hexdigest()


def _look(location: str) -> tuple[AbstractFileSystem, str, dict[str, Any]]:
    """The store, the path in it, and what the store says about the file now."""
    store, path = url_to_fs(location, **_options(location))
    store.invalidate_cache()
    return store, path, store.info(path)


def _is_http(location: str) -> bool:
    return location.startswith(("http://", "https://"))


def _options(location: str) -> dict[str, Any]:
    """Time limits and, as `curl` does it, the proxies of the environment and the bytes as they were sent."""
    if not _is_http(location):
        return {}
    limits = aiohttp.ClientTimeout(total=None, connect=SECONDS, sock_read=SECONDS)
    headers = {"Accept-Encoding": "identity"}
    return {"client_kwargs": {"timeout": limits, "trust_env": True, "auto_decompress": False, "headers": headers}}


def _within(seconds: float, call: Callable[[], Result]) -> Result:
    """What the call returns. Raises TimeoutError when it takes longer; a daemon thread never delays the exit."""
    future: Future[Result] = Future()

    def work() -> None:
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return future.result(timeout=seconds)


def _refusal(location: str, key: str, error: Exception) -> UserError:
    """The error for the user, with nothing of the location that could be secret."""
    shown = public(location)
    refused = f"{key}: cannot read {shown}"
    # fsspec reports any failed look at an HTTP file as "not found" and keeps the reason as the cause.
    cause = (error.__cause__ or error) if isinstance(error, FileNotFoundError) else error
    if isinstance(cause, aiohttp.ClientResponseError) and not isinstance(cause, aiohttp.ClientHttpProxyError):
        return UserError(f"{refused}: the server answered {cause.status}; correct the address")
    if isinstance(cause, FileNotFoundError):
        return UserError(f"{refused}: there is no such file; correct the address")
    if isinstance(cause, TimeoutError):
        return Unreachable(f"could not reach {shown} (no answer within {SECONDS:.0f} seconds)", key)
    if isinstance(cause, (aiohttp.InvalidURL, ValueError)) and _is_http(location):
        return UserError(f"{refused}: this is not a valid address; correct it")
    if isinstance(cause, (ConnectionError, aiohttp.ClientError)):
        reason = getattr(cause, "strerror", None) or type(cause).__name__
        return Unreachable(f"could not reach {shown} ({reason})", key)
    said = one_line(str(cause).replace(location, shown))
    return UserError(f"{refused}: {said or type(cause).__name__}; correct the address or what opens it")
