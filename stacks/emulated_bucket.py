"""A program that runs gcp-storage-emulator in a way that its objects survive a kill; `emulation` starts it."""

import logging
import os
import socketserver
import sys
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

from gcp_storage_emulator import server, storage
from gcp_storage_emulator.exceptions import NotFound
from gcp_storage_emulator.handlers import objects

Upload = Callable[[Any, Any, storage.Storage], None]


def _write_whole(self: storage._FileStore, name: str, content: bytes) -> None:
    """Write a file, then rename it.

    The emulator keeps the list of all objects in one file, and writes it in place on each request. If it is killed
    while it writes, it does not start again.
    """
    path: Path = self._disk_path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{os.getpid()}.unfinished")
    unfinished.write_bytes(content)
    unfinished.replace(path)


def _conditional(upload: Upload) -> Upload:
    """Refuse to replace an object if the client asks for a new one, as Google does and the emulator does not.

    The emulator answers one request after the other, so nothing happens between the look-up and the write.
    """

    def checked(request: Any, response: Any, stored: storage.Storage) -> None:
        if request.query.get("ifGenerationMatch") == ["0"]:
            name = request.query.get("name", [request.data["meta"].get("name")])[0]
            try:
                stored.get_file_obj(request.params["bucket_name"], name)
            except NotFound:
                pass
            else:
                response.status = HTTPStatus.PRECONDITION_FAILED
                return
        upload(request, response, stored)

    return checked


def main(port: int, folder: str) -> None:
    """Serve on loopback until the process is ended.

    Args:
        port: the port to listen on.
        folder: absolute path of the folder with the objects, including those of an earlier process.
    """
    logging.disable(logging.WARNING)  # the emulator logs a line for each request
    storage._FileStore.write_bytes = _write_whole
    objects._multipart_upload = _conditional(objects._multipart_upload)
    # The emulator answers its clients one after the other, so more of them wait than the default of five.
    socketserver.TCPServer.request_queue_size = 128
    server.create_server("127.0.0.1", port, data_dir=folder).run()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
