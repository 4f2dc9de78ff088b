"""Bytes at a path or at any address that fsspec knows, in bounded time.

A store that is down is an error within seconds and never a hang, and no error repeats the parts of an address that may
be secret.
"""

import hashlib
import io
import json
import os
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final, NamedTuple, TypeVar

from tabular.errors import UserError, one_line, reason_of, remedy_of
from tabular.storage.addresses import is_remote, public, resolved
from tabular.storage.atomic import write_atomically

Result = TypeVar("Result")

SECONDS = 5.0
"""Longest wait for a connection, for each piece of an answer, and for the whole of a small file."""
PATIENT_SECONDS: Final = 10.0
"""Longest wait for each piece of a file that is read for as long as its pieces arrive."""
GOOGLE: Final = ("gs://", "gcs://")
PIECE: Final = 2**22
"""Number of bytes that a stream asks a store for at a time."""
CONTENT_MARKS: Final = ("md5Hash", "Content-MD5", "ETag", "etag", "Last-Modified", "LastModified", "mtime", "created")
"""The names that file systems give to the mark that changes with a file's bytes, the most reliable first."""
STRAY: Final = re.compile(
    r"\..*|#.*#|~\$.*|.*(~|\.(bak|orig|swp|tmp))|(thumbs|ehthumbs)\.db|desktop\.ini", re.IGNORECASE
)
"""Names of hidden files, of backups and locks of editors, and of what Windows and macOS keep in each folder."""

_late: dict[str, Future[Any]] = {}
"""The last call to each store that was given up and has not ended; no second call waits beside it."""


class StoreError(UserError):
    """A file that cannot be read or written: what is wrong (with the location), and what to do about it."""

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(f"{what}; {remedy}" if remedy else what)
        self.what = what


class NotThere(StoreError):
    """The store answered that there is no such file."""


class Unreachable(StoreError):
    """The store did not answer: there is no network, or its host is down."""


class Refused(StoreError):
    """The store answered, but it cannot give or take the file."""


class FoundFile(NamedTuple):
    """A file in a folder."""

    location: str
    """The path or the address of the file."""
    name: str
    """The path below the folder; empty where the location that was looked at is itself the file."""
    size: int
    """Number of bytes."""
    mark: str
    """A text that changes with the content: the time of the last change, or a mark of the store; may be empty."""


def is_stray(name: str) -> bool:
    """Whether a file in a folder was left there by a desktop or an editor, and belongs to nobody's data.

    Args:
        name: the path of the file below the folder that is listed.
    """
    return any(STRAY.fullmatch(part) for part in name.split("/"))


def local_path(location: str) -> Path:
    """The path of a location on this machine, which may begin with `file://`."""
    return Path(location.removeprefix("file://"))


def join(folder: str, name: str) -> str:
    """The location of a file in a folder; an absolute path or an address is returned as it is."""
    if is_remote(name) or Path(name).is_absolute():
        return name
    return f"{folder.rstrip('/')}/{name}"


def parent(location: str) -> str:
    """The location of the folder that a file lies in."""
    return location.rsplit("/", 1)[0] if is_remote(location) else str(local_path(location).parent)


def read(location: str, seconds: float | None = SECONDS) -> bytes:
    """All bytes of a file.

    Args:
        location: a path, or an address of any protocol that fsspec knows.
        seconds: how long to wait for the whole of a remote file. None waits as long as pieces of it arrive, which suits
            a file of unknown size.

    Raises:
        StoreError: one of its three kinds.
    """
    if not is_remote(location):
        with _errors(location, "read"):
            return local_path(location).read_bytes()
    if seconds is not None:
        return _remotely(location, "read", seconds, lambda system, path: bytes(system.cat_file(path)))
    if not _is_http(location):  # the requests of which have time limits of their own
        _remotely(location, "read", SECONDS, lambda system, path: system.info(path))
    with _errors(location, "read"):
        system, path = store(location, patient=True)
        return bytes(system.cat_file(path))


def write(location: str, content: bytes, seconds: float = SECONDS) -> None:
    """Create or replace a file, and its folders; a reader sees the old content or the new content, never a part.

    Args:
        seconds: how long to wait until a remote file is written.

    Raises:
        StoreError: one of its three kinds; without a bucket it is NotThere.
    """
    if is_remote(location):
        _remotely(location, "write", seconds, lambda system, path: system.pipe_file(path, content))
        return
    with _errors(location, "write"):
        write_atomically(local_path(location), content)


def find(location: str, seconds: float = SECONDS) -> list[FoundFile]:
    """All files below a folder, sorted by location, or the one file at the location; none where nothing is there.

    Raises:
        Unreachable, Refused: the files cannot be listed.
    """
    if is_remote(location):
        found = _remotely(location, "list", seconds, _find_remote)
        # The address of a file is as it was given, so that it names variables instead of holding secrets.
        return [found[0]._replace(location=location)] if _is_http(location) else sorted(found)
    with _errors(location, "list"):
        return sorted(_find_local(local_path(location)))


def files(location: str, seconds: float = SECONDS) -> list[str]:
    """The locations of the files that `find` returns. Raises the same errors."""
    return [file.location for file in find(location, seconds)]


def fingerprint(location: str) -> str:
    """A hash in hex that changes when the bytes at an address change, mostly without reading them.

    Raises:
        StoreError: one of its three kinds; for a folder it is Refused.
    """
    info = _remotely(location, "read", SECONDS, lambda system, path: system.info(path))
    if info.get("type") == "directory":
        raise Refused(f"{public(location)} is a folder", "name one CSV, Parquet or .tgz file in it")
    if mark := _content_mark(info):
        return hashlib.sha256(json.dumps([mark, info.get("size")]).encode()).hexdigest()
    return hashlib.sha256(read(location, None)).hexdigest()


def stream(location: str) -> IO[bytes]:
    """A file opened for reading; the stream is seekable, and a store is asked for a piece at a time.

    Raises:
        StoreError: one of its three kinds, also later, while the stream is read.
    """
    if is_remote(location):
        return io.BufferedReader(_RemoteStream(location), PIECE)
    with _errors(location, "read"):
        return local_path(location).open("rb")


def store(location: str, patient: bool = False) -> tuple[Any, str]:
    """The fsspec file system of an address, and the path in it; no request is sent.

    Args:
        location: an address of any protocol that fsspec knows.
        patient: whether a bucket is asked again after an error that passes, for half a minute at the most.
    """
    import aiohttp
    import fsspec

    # No total: a large file takes its time, as long as its pieces arrive.
    wait = PATIENT_SECONDS if patient else SECONDS
    limits = aiohttp.ClientTimeout(total=None, connect=wait, sock_read=wait)
    if location.startswith(GOOGLE):
        options: dict[str, Any] = {"requests_timeout": limits, "use_listings_cache": False}
        if os.environ.get("STORAGE_EMULATOR_HOST"):  # gcsfs reads it too; the search for credentials takes seconds
            options["token"] = "anon"
        return _google(patient)(**options), location.partition("://")[2]
    location = resolved(location)
    options = {"use_listings_cache": False}
    if _is_http(location):  # as curl does it: the proxies of the environment, and the bytes as they were sent
        client = {"timeout": limits, "trust_env": True, "auto_decompress": False}
        options["client_kwargs"] = client | {"headers": {"Accept-Encoding": "identity"}}
    system, path = fsspec.url_to_fs(location, **options)
    return system, path


def _google(patient: bool = False) -> Any:
    """The class of Google's file system; its import takes seconds."""
    os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")  # which gcsfs reads when it is imported
    from gcsfs.core import GCSFileSystem

    from tabular.storage.google import SingleAttemptFileSystem

    return GCSFileSystem if patient else SingleAttemptFileSystem


class _RemoteStream(io.RawIOBase):
    """The bytes of a file in a store."""

    def __init__(self, location: str) -> None:
        super().__init__()
        self._location = location
        with _errors(location, "read"):
            system, path = store(location)
            self._file = system.open(path, "rb", block_size=PIECE, cache_type="readahead")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        with _errors(self._location, "read"):
            piece = self._file.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return int(self._file.seek(offset, whence))

    def close(self) -> None:
        if not self.closed and hasattr(self, "_file"):  # which is not there where opening it has failed
            self._file.close()
        super().close()


def _is_http(location: str) -> bool:
    return location.startswith(("http://", "https://"))


def _content_mark(info: dict[str, Any]) -> str:
    return next((str(info[name]) for name in CONTENT_MARKS if info.get(name)), "")


def _find_local(path: Path) -> list[FoundFile]:
    found = []
    for file in [path] if path.is_file() else path.rglob("*"):
        with suppress(FileNotFoundError):  # another process removed it
            if file.is_file():
                name = "" if file == path else file.relative_to(path).as_posix()
                found.append(FoundFile(str(file), name, file.stat().st_size, str(file.stat().st_mtime_ns)))
    return found


def _find_remote(system: Any, path: str) -> list[FoundFile]:
    if "http" in system.protocol:  # which cannot list
        info = system.info(path)
        return [FoundFile(path, "", int(info.get("size") or 0), _content_mark(info))]
    base = system._strip_protocol(path).rstrip("/")  # what fsspec's own file systems use; it has no public name
    found = []
    for name, info in system.find(path, detail=True).items():
        below = system._strip_protocol(name).removeprefix(base).lstrip("/")
        found.append(FoundFile(system.unstrip_protocol(name), below, int(info["size"]), _content_mark(info)))
    return found


def _remotely(location: str, verb: str, seconds: float, call: Callable[[Any, str], Result]) -> Result:
    """Call a function with the file system of an address and the path in it, and return its result in bounded time."""
    root = "/".join(location.split("/", 3)[:3])
    future: Future[Result] = Future()

    def work() -> None:
        try:
            future.set_result(call(*store(location)))
        except BaseException as error:
            future.set_exception(error)

    with _errors(location, verb):
        if root in _late and not _late[root].done():
            raise TimeoutError
        _late.pop(root, None)
        if location.startswith(GOOGLE):
            _google()  # imported here, because the time limit is for the store alone
        threading.Thread(target=work, name="stackhouse-store", daemon=True).start()  # which never delays the exit
        try:
            return future.result(timeout=seconds)
        except TimeoutError:
            if not future.done():
                _late[root] = future
            raise


@contextmanager
def _errors(location: str, verb: str) -> Iterator[None]:
    """Turn what goes wrong inside into a StoreError; its cause, which may hold a secret, is not kept."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:  # each store has its own family of exceptions
        if is_remote(location):
            raise _remote_error(location, verb, error) from None
        if isinstance(error, FileNotFoundError):
            raise NotThere(f"{location}: there is no such file", "correct the path") from None
        if isinstance(error, OSError):
            raise Refused(f"{location}: cannot {verb} it ({reason_of(error)})", remedy_of(error)) from None
        raise


def _remote_error(location: str, verb: str, error: Exception) -> StoreError:
    import aiohttp

    shown = public(location)
    # fsspec reports any failed look at an HTTP file as "not found" and keeps the reason as the cause.
    cause = (error.__cause__ or error) if isinstance(error, FileNotFoundError) and _is_http(location) else error
    is_proxy = isinstance(cause, aiohttp.ClientHttpProxyError)
    status = cause.status if isinstance(cause, aiohttp.ClientResponseError) and not is_proxy else None
    if isinstance(cause, FileNotFoundError) or status == 404:
        return NotThere(f"{shown}: there is no such file or bucket", "correct the address")
    if status is not None:
        return Refused(f"{shown}: cannot {verb} it (the server answered {status})", "correct the address")
    if isinstance(cause, TimeoutError):
        return Unreachable(f"could not reach {shown} (no answer in time)", "check the address and the network")
    if isinstance(cause, ImportError):
        return Refused(f"{shown}: {cause.name or cause} is not installed", "install it here")
    if isinstance(cause, (aiohttp.InvalidURL, ValueError)) and _is_http(location):
        return Refused(f"{shown}: this is not a valid address", "correct it")
    if isinstance(cause, (ConnectionError, aiohttp.ClientError)):
        reason = getattr(cause, "strerror", None) or type(cause).__name__
        return Unreachable(f"could not reach {shown} ({reason})", "check the address and the network")
    said = one_line(str(cause).replace(resolved(location), shown).replace(location, shown))[:300]
    return Refused(f"{shown}: cannot {verb} it ({said})", "is the store running, and is the address right?")
