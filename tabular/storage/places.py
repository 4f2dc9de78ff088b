"""Bytes at a path or an fsspec URL, in bounded time: a store that is down is an error within seconds, never a hang."""

import functools
import os
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from tabular.errors import UserError, one_line
from tabular.storage.remote import is_remote, public

Result = TypeVar("Result")

SECONDS = 5.0
"""How long to wait for a connection, for each piece of an answer, and for all of a small file."""

UNFINISHED = ".unfinished-"
"""What the names of files and folders begin with until they are whole."""

_late: dict[str, Future[Any]] = {}
"""The last call to each store that was given up and has not ended: no second one waits beside it."""


class NotThere(UserError):
    """Something answered, and there is no such file."""


class Unreachable(UserError):
    """Nothing answered in time, or what answered cannot give or take the file now."""


def join(folder: str, name: str) -> str:
    """The location of a file in a folder; a name that is a location of its own stays what it is."""
    if is_remote(name) or Path(name).is_absolute():
        return name
    return f"{folder.rstrip('/')}/{name}"


def parent(location: str) -> str:
    """The location of the folder that a file lies in."""
    return location.rsplit("/", 1)[0] if is_remote(location) else str(_local(location).parent)


def read(location: str, seconds: float = SECONDS) -> bytes:
    """All bytes of a file.

    Args:
        location: a path, or a URL of any protocol that fsspec knows.
        seconds: how long to wait for all of a remote file.

    Raises:
        NotThere: there is no such file.
        Unreachable: the store does not answer, or refuses.
    """
    if is_remote(location):
        return _remotely(location, "read", seconds, lambda store, path: bytes(store.cat_file(path)))
    return _locally(location, "read", lambda path: path.read_bytes())


def write(location: str, content: bytes, seconds: float = SECONDS) -> None:
    """Make or replace a file; whoever reads it meanwhile gets the old one or the new one, never a part.

    Args:
        location: a path, or a URL of any protocol that fsspec knows; folders are made.
        content: all of the file.
        seconds: how long to wait until a remote file is written.

    Raises:
        NotThere: there is no such bucket.
        Unreachable: the store does not answer, or refuses.
    """
    if is_remote(location):
        _remotely(location, "write", seconds, lambda store, path: store.pipe_file(path, content))
    else:
        _locally(location, "write", lambda path: _replace(path, content))


def files(location: str, seconds: float = SECONDS) -> list[str]:
    """The locations of all files below a folder, sorted; none for a folder that is not there.

    Raises:
        Unreachable: the store does not answer, or refuses.
    """
    if is_remote(location):
        return _remotely(
            location, "list", seconds, lambda store, path: sorted(map(store.unstrip_protocol, store.find(path)))
        )
    return _locally(location, "list", lambda path: sorted(str(file) for file in path.rglob("*") if file.is_file()))


def store(location: str) -> tuple[Any, str]:
    """The fsspec file system of a URL, and the path in it; nothing is asked of it yet."""
    import fsspec

    protocol, _, path = location.partition("://")
    if protocol in ("gs", "gcs"):
        return _google()(**_google_options()), path
    found, path = fsspec.url_to_fs(location, use_listings_cache=False)
    return found, path


def _local(location: str) -> Path:
    return Path(location.removeprefix("file://"))


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, unfinished = tempfile.mkstemp(prefix=UNFINISHED, dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), 0o644)  # mkstemp's own lets nobody else read it
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException:
        os.unlink(unfinished)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the new name, too, outlives a power cut
    finally:
        os.close(folder)


def _locally(location: str, verb: str, call: Callable[[Path], Result]) -> Result:
    try:
        return call(_local(location))
    except FileNotFoundError:
        raise NotThere(f"{location}: there is no such file; correct the path") from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise Unreachable(f"{location}: cannot {verb} it ({reason}); correct the path or its permissions") from error


def _remotely(location: str, verb: str, seconds: float, call: Callable[[Any, str], Result]) -> Result:
    """What the call returns. Nothing of an address that could be secret is in the errors."""
    shown = public(location)
    root = "/".join(location.split("/", 3)[:3])
    try:
        if root in _late and not _late[root].done():
            raise TimeoutError
        _late.pop(root, None)
        return _within(seconds, root, lambda: call(*store(location)))
    except FileNotFoundError:
        raise NotThere(f"{shown}: there is no such file or bucket; correct the address") from None
    except TimeoutError:
        reason = "no answer in time"
    except ImportError as error:
        raise Unreachable(f"{shown}: {error.name or error} is not installed; install it here") from None
    except Exception as error:  # every store has its own family of exceptions
        said = one_line(str(error).replace(location, shown))
        reason = said[:300] or type(error).__name__
    raise Unreachable(f"{shown}: cannot {verb} it ({reason}); is the store running, and is the address right?")


def _within(seconds: float, root: str, call: Callable[[], Result]) -> Result:
    """What the call returns. Raises TimeoutError when it takes longer; a daemon thread never delays the exit."""
    future: Future[Result] = Future()

    def work() -> None:
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=work, name="stackhouse-store", daemon=True).start()
    try:
        return future.result(timeout=seconds)
    except TimeoutError:
        if not future.done():
            _late[root] = future
        raise


def _google_options() -> dict[str, Any]:
    import aiohttp

    limits = aiohttp.ClientTimeout(total=None, connect=SECONDS, sock_read=SECONDS)
    options: dict[str, Any] = {"requests_timeout": limits, "use_listings_cache": False}
    if os.environ.get("STORAGE_EMULATOR_HOST"):  # which gcsfs itself reads; the search for credentials takes seconds
        options["token"] = "anon"
    return options


@functools.cache
def _google() -> type[Any]:
    """A gcsfs over HTTP that asks once; by itself it asks six times in half a minute, whatever went wrong.

    The base is taken by name: what `gcsfs.GCSFileSystem` is depends on a variable that gcsfs reads when it is first
    imported. With the other one an emulator is asked over gRPC, and waited for without end.
    """
    os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
    from gcsfs.core import GCSFileSystem

    class OnceFileSystem(GCSFileSystem):
        _request = GCSFileSystem._request.__wrapped__

    return OnceFileSystem
