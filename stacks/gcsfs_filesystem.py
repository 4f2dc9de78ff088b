"""gcsfs with limits: a store that is down leads to one error within seconds, and a slow store is waited for."""

import asyncio
import errno
import functools
import os
import socket
import sys
from typing import Any

import aiohttp
from fsspec.asyn import sync_wrapper
from gcsfs.core import GCSFileSystem
from gcsfs.retry import retry_request
from google.auth.exceptions import TransportError

from stacks.gcsfs_store import BucketMissing, StoreUnreachable
from tabular.errors import one_line
from tabular.storage.google import SingleAttemptFileSystem

PAUSES = (0.2, 0.5, 1.0)
"""Seconds to wait before each new attempt, after a connection was refused or broke off."""

BATCH = 100
"""The largest number of deletions that Google takes in one request."""

UNSENT = 2**17
"""Bytes that the kernel accepts while it has not yet sent the earlier ones."""


class BoundedFileSystem(SingleAttemptFileSystem):
    """Objects over HTTP. Listings are not cached, because other processes write to the bucket too.

    gcsfs tries a request six times whatever went wrong, and waits for a response without a limit. Here a request is
    tried six times only if a live server reports a problem (HTTP 5xx or 429), and each wait has a limit. A transfer
    that makes progress has no limit.

    Args:
        bucket: name of the store's bucket, for messages.
        seconds: how long to wait for a connection, and for each piece of a response.
    """

    def __init__(self, *, bucket: str, seconds: float, **options: Any) -> None:
        limits = aiohttp.ClientTimeout(total=None, connect=seconds, sock_read=seconds)
        super().__init__(requests_timeout=limits, use_listings_cache=False, **options)
        self.bucket = bucket
        self.seconds = seconds

    async def _set_session(self) -> aiohttp.ClientSession:
        if self._session is None and not self._use_client_cert:
            self.session_kwargs = {"connector": aiohttp.TCPConnector(socket_factory=self._socket)}
        session: aiohttp.ClientSession = await super()._set_session()
        return session

    def _socket(self, address: tuple[Any, ...]) -> socket.socket:
        """A socket to which the limits also apply while it sends; aiohttp limits only the wait for a response."""
        made = socket.socket(*address[:3])
        if sys.platform == "linux":
            # It is an error if the other side does not take the data for so long.
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(self.seconds * 1000))
            # The wait for a response begins when the kernel has the last byte, which must then be sent soon.
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)
        return made

    @retry_request(retries=GCSFileSystem.retries)  # type: ignore[untyped-decorator]
    async def _request(self, method: str, path: str, *args: str, **options: Any) -> Any:
        """Send one request, and read the whole response.

        Raises:
            StoreUnreachable: nothing answers; gcsfs does not repeat the request after this error.
            BucketMissing: the server says that there is no such bucket.
        """
        for pause in (*PAUSES, None):
            try:
                return await super()._request(method, path, *args, **options)
            except FileNotFoundError:
                is_listing = path == "b/{}/o"
                is_new_upload = "/upload/" in path and "upload_id=" not in path
                if not is_listing and not is_new_upload:
                    # The message of gcsfs names only the route of the request.
                    raise FileNotFoundError(f"gs://{'/'.join(args[:2])}" if args else path) from None
                raise BucketMissing(
                    f"the artifact store at {self._location} has no bucket {self.bucket}; make it, or correct the path"
                ) from None
            except TransportError as error:
                raise self._unreachable(f"its credentials cannot be renewed ({one_line(error)})") from None
            except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
                if pause is None or _is_timeout(error):
                    raise self._unreachable(_reason(error, self.seconds)) from None
            await asyncio.sleep(pause)
        raise AssertionError  # the last attempt returns or raises

    def _unreachable(self, reason: str) -> StoreUnreachable:
        return StoreUnreachable(
            f"cannot reach the artifact store gs://{self.bucket} at {self._location}: {reason}; "
            "is it running, and is the address right?"
        )

    def _open(self, path: str, mode: str = "rb", **options: Any) -> Any:
        # By default, gcsfs reads ahead in the background, and logs that for each file.
        file = super()._open(path, mode, **{"cache_type": "readahead"} | options)
        if mode == "rb" and file.details["type"] == "directory":  # gcsfs would read it as an empty object
            raise IsADirectoryError(path)
        return file

    async def _rmdir(self, bucket: str) -> None:
        raise PermissionError(f"{bucket} is a bucket: it is deleted with Google's tools, not through the store")

    async def _files(self, path: str) -> list[str]:
        found: list[str] = await self._find(path)
        if not found:
            raise FileNotFoundError(path)
        return found

    async def _move(self, source: str, target: str) -> None:
        """Copy an object, or all objects below a folder, and then delete the originals.

        Google's own move is not used, because emulators do not support it and gcsfs asks them for half a minute.
        """
        source, target = (self._strip_protocol(path).rstrip("/") for path in (source, target))
        files = await self._files(source)
        if source == target:
            return
        for file in files:
            await self._cp_file(file, target + file.removeprefix(source))
        await self._remove(files)

    move = sync_wrapper(_move)

    async def _remove_tree(self, path: str) -> None:
        """Delete all objects below a path. Raises FileNotFoundError if there are none."""
        await self._remove(await self._files(path))

    remove_tree = sync_wrapper(_remove_tree)

    async def _remove(self, files: list[str]) -> None:
        for start in range(0, len(files), BATCH):
            for result in await self._rm_files(files[start : start + BATCH]):
                if isinstance(result, Exception) and "No such object" not in str(result):
                    raise result


@functools.cache
def hierarchical() -> type[BoundedFileSystem]:
    """The class of file system that also speaks gRPC to Google's storage control API."""
    from gcsfs.extended_gcsfs import ExtendedGcsFileSystem

    class HierarchicalFileSystem(BoundedFileSystem, ExtendedGcsFileSystem):
        def __init__(self, *, seconds: float, **options: Any) -> None:
            super().__init__(seconds=seconds, retry_timeout=seconds, **options)

    return HierarchicalFileSystem


def _is_timeout(error: Exception) -> bool:
    return isinstance(error, TimeoutError) or getattr(error, "errno", None) == errno.ETIMEDOUT


def _reason(error: Exception, seconds: float) -> str:
    if _is_timeout(error):
        return f"no answer within {seconds:g} seconds"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "there is no host of that name"
    number = getattr(error, "errno", None)
    return os.strerror(number).lower() if number else "the connection broke off"
