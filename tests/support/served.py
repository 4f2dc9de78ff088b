"""A service that runs in another process."""

import json
import signal
import subprocess
import time
import urllib.error
import urllib.request
from typing import Any


class Served:
    """A running service and its port."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.address = f"http://127.0.0.1:{port}"

    def ask(self, path: str, body: Any = None) -> Any:
        """The answer, read as JSON."""
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, content, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def stop(self) -> None:
        """End the service as `Ctrl-C` does, because BentoML's workers do not belong to its process group."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=60)

    def wait(self) -> None:
        """Wait until the service is ready; the limit is generous, because it only guards against a hang."""
        until = time.monotonic() + 120
        while time.monotonic() < until:
            assert self.process.poll() is None, self.process.communicate()
            try:
                with urllib.request.urlopen(f"{self.address}/readyz", timeout=5):
                    return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.2)
        raise AssertionError("the service did not get ready")
