"""Starts gcp-storage-emulator so that what it has stored outlives it. A program of its own: `emulation` starts it."""

import logging
import os
import socketserver
import sys
from pathlib import Path

from gcp_storage_emulator import server, storage


def _write_whole(self: storage._FileStore, name: str, content: bytes) -> None:
    """Write, then rename.

    The emulator keeps the list of all objects in one file, and writes it in place on each request: killed in the
    middle of that, it does not start again.
    """
    path: Path = self._disk_path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{os.getpid()}.unfinished")
    unfinished.write_bytes(content)
    unfinished.replace(path)


def main(port: int, folder: str) -> None:
    """Serve on loopback until the process is ended.

    Args:
        port: to listen on.
        folder: an absolute path; the objects of an earlier process in it are there again.
    """
    logging.disable(logging.WARNING)  # a line for each request
    storage._FileStore.write_bytes = _write_whole
    # More clients may wait than five: the emulator answers them one after the other.
    socketserver.TCPServer.request_queue_size = 128
    server.create_server("127.0.0.1", port, data_dir=folder).run()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
