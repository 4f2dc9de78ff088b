"""A deployed Bento: a process of its own, known to ZenML. Importing it imports BentoML."""

import contextlib
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
from zenml.constants import DEFAULT_LOCAL_SERVICE_IP_ADDRESS
from zenml.enums import ServiceState
from zenml.integrations.bentoml.constants import BENTOML_HEALTHCHECK_URL_PATH, BENTOML_PREDICTION_URL_PATH
from zenml.integrations.bentoml.services.bentoml_local_deployment import (
    BentoMLDeploymentEndpoint,
    BentoMLDeploymentEndpointConfig,
    BentoMLLocalDeploymentConfig,
    BentoMLLocalDeploymentService,
)
from zenml.services import (
    HTTPEndpointHealthMonitor,
    HTTPEndpointHealthMonitorConfig,
    ServiceEndpointProtocol,
)
from zenml.services.local import local_daemon_entrypoint

from stacks.bento_deployer import ServiceDown

PROGRAM = Path(__file__).with_name("bento_server.py")
TAIL = 30
"""How many lines of its log a service that does not come up is reported with."""
GRACE = 15.0
"""Seconds for requests that are under way when a service is stopped; then its processes are killed."""
STEP = 0.2
"""Seconds between two looks at a service that is starting or stopping."""


class SharedPortEndpoint(BentoMLDeploymentEndpoint):
    """One port, and never another one in its place."""

    def _lookup_free_port(self) -> int:
        port = int(self.config.port or 0)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            try:
                probe.bind((self.config.ip_address, port))
            except OSError as error:
                raise ServiceDown(f"port {port} cannot be used: {error.strerror}; stop what uses it") from None
        return port


class BentoService(BentoMLLocalDeploymentService):
    """ZenML's local service, served by `stacks/bento_server.py`.

    A service that does not come up is an error with the tail of its log, and leaves no process behind.
    """

    endpoint: SharedPortEndpoint

    def __init__(self, config: BentoMLLocalDeploymentConfig | dict[str, Any], **attributes: Any) -> None:
        if isinstance(config, BentoMLLocalDeploymentConfig) and "endpoint" not in attributes:
            attributes["endpoint"] = SharedPortEndpoint(
                config=BentoMLDeploymentEndpointConfig(
                    protocol=ServiceEndpointProtocol.HTTP,
                    port=config.port,
                    ip_address=config.host or DEFAULT_LOCAL_SERVICE_IP_ADDRESS,
                    prediction_url_path=BENTOML_PREDICTION_URL_PATH,
                ),
                monitor=HTTPEndpointHealthMonitor(
                    config=HTTPEndpointHealthMonitorConfig(healthcheck_uri_path=BENTOML_HEALTHCHECK_URL_PATH)
                ),
            )
        super().__init__(config, **attributes)

    def check_status(self) -> tuple[ServiceState, str]:
        """Active once a worker of its own listens; the port alone does not tell, another service may answer on it."""
        pid = self.status.pid
        if not pid:
            return ServiceState.INACTIVE, "its process is not running"
        with contextlib.suppress(psutil.Error):
            for connection in psutil.Process(pid).net_connections("tcp"):
                if connection.status == psutil.CONN_LISTEN and connection.laddr.port == self.config.port:
                    return ServiceState.ACTIVE, ""
        return ServiceState.PENDING_STARTUP, "no worker listens yet"

    def poll_service_status(self, timeout: int = 0) -> bool:
        """Like ZenML's, to the fraction of a second, and without waiting for a process that has died."""
        deadline = time.monotonic() + timeout
        while True:
            if self.is_running if self.admin_state is ServiceState.ACTIVE else self.is_stopped:
                return True
            died = self.admin_state is ServiceState.ACTIVE and self.status.state is ServiceState.INACTIVE
            if died or time.monotonic() >= deadline:
                return False
            time.sleep(STEP)

    def start(self, timeout: int = 0) -> None:
        """Start it and wait.

        Raises:
            ServiceDown: it does not answer in time, or its process has ended; with the tail of its log.
        """
        try:
            super().start(timeout)
            if timeout > 0 and not self.is_running:
                raise ServiceDown(self._why(timeout))
        except BaseException:
            self._stop_daemon(force=True)
            raise

    def _why(self, timeout: int) -> str:
        why = f"did not answer within {timeout} s" if self.status.pid else "has ended instead of answering"
        said = "\n".join(self.get_logs(tail=TAIL)) or "(nothing)"
        return f"the service of {self.config.bento_tag} on port {self.config.port} {why}; the end of its log:\n{said}"

    def _start_daemon(self) -> None:
        # ZenML's own daemon imports every integration that is installed, and this repository, before the Bento.
        if self.status.pid:
            return
        self.endpoint.prepare_for_start()
        _, environment = self._get_daemon_cmd()
        status = self.status
        assert status.config_file and status.log_file and status.pid_file
        # ZenML knows its daemons by the name of their entry point and their file among the arguments.
        words = (sys.executable, "-P", str(PROGRAM), local_daemon_entrypoint.__name__, status.config_file)
        with open(status.log_file, "wb") as log:
            process = subprocess.Popen(
                words, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        Path(status.pid_file).write_text(f"{process.pid}\n")

    def _stop_daemon(self, force: bool = False) -> None:
        pid = self.status.pid
        if not pid:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            daemon = psutil.Process(pid)
            family = [daemon, *daemon.children(recursive=True)]
            if not force:
                daemon.terminate()
                _, family = psutil.wait_procs(family, timeout=GRACE)
            if daemon in family:
                daemon.suspend()  # it would start a worker anew while its workers are killed
                family = [daemon, *daemon.children(recursive=True)]
            for process in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            psutil.wait_procs(family, timeout=GRACE)
