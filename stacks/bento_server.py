"""The program behind a deployed Bento: it serves what a service's file names until it is told to stop.

It is started as `python -P stacks/bento_server.py … service.json`. It runs by its path and imports nothing of this
repository, so that the Bento gets its own code and no other.
"""

import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

import bentoml
from _bentoml_impl.loader import load  # type: ignore[import-untyped]
from _bentoml_impl.server import serve_http  # type: ignore[import-untyped]
from bentoml._internal.log import configure_server_logging
from bentoml._internal.utils import circus as supervisor
from circus.sockets import CircusSocket


def bind(port: CircusSocket, address: Any) -> None:
    """Bind a port that another service may already answer on: the one that this one is to follow."""
    if port.family != socket.AF_UNIX:
        port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    socket.socket.bind(port, address)


def listen(port: CircusSocket, backlog: int = 0) -> None:
    """Leave it to the worker, which listens once it can answer.

    Until then, or for ever if it cannot start, every connection goes to the other service.
    """


class Supervisor(supervisor.Arbiter):
    """Lets go of the port before the workers do: what nobody listens on goes to the other service at once."""

    def stop(self) -> Any:
        self.sockets.close_all()
        return super().stop()


def main(file: Path) -> None:
    """Serve the Bento that a service's file names.

    Args:
        file: what ZenML writes of a service before it starts it.
    """
    configure_server_logging()  # type: ignore[no-untyped-call]
    config = json.loads(file.read_text())["config"]
    bento = bentoml.bentos.get(config["bento_tag"]).path
    os.chdir(bento)
    CircusSocket.bind, CircusSocket.listen = bind, listen
    supervisor.Arbiter = Supervisor  # type: ignore[misc]
    service = load(bento)  # a path: of a tag BentoML thinks first that it is a module and an attribute
    service.config["workers"] = config["workers"]
    service.inject_config()
    ssl = {key: value for key, value in (config["ssl_parameters"] or {}).items() if key.startswith("ssl_")}
    serve_http(bento, working_dir=bento, host=config["host"], port=config["port"], backlog=config["backlog"], **ssl)


if __name__ == "__main__":
    main(Path(sys.argv[-1]))
