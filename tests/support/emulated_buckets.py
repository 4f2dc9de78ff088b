"""Requests to an emulated bucket without a client library, and ending a process."""

import http.client
import os
import signal
import time
from pathlib import Path

import psutil

from stacks import emulation


def ask(port: int, method: str, path: str, content: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, content, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def upload(port: int, name: str, content: bytes) -> None:
    status, _ = ask(port, "POST", f"/upload/storage/v1/b/bucket/o?uploadType=media&name={name}", content)
    assert status == 200


def download(port: int, name: str) -> bytes | None:
    status, content = ask(port, "GET", f"/storage/v1/b/bucket/o/{name}?alt=media")
    return content if status == 200 else None


def kill(pid: int) -> None:
    """Kill one process; its files stay."""
    os.kill(pid, signal.SIGKILL)
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)


def pids(folder: Path) -> dict[str, int]:
    """The process ids of the programs that run, by name: `gcs` and `mlflow`."""
    programs = (emulation.emulator(folder), emulation.mlflow_server(folder))
    return {program.name: running[0] for program in programs if (running := program.running())}
