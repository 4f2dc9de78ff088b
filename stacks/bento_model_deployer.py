"""The implementation of the flavor `bento`. Importing it imports BentoML.

ZenML's own command line imports it with no other package of this repository in reach.
"""

import shutil
from typing import Any
from uuid import UUID

from zenml.integrations.bentoml.model_deployers import BentoMLModelDeployer
from zenml.integrations.bentoml.services import BentoMLLocalDeploymentConfig
from zenml.services import BaseService, ServiceConfig

from stacks.bento_deployer import BentoDeployerFlavor, ServiceDown
from stacks.bento_service import BentoService


class BentoModelDeployer(BentoMLModelDeployer):
    """ZenML's deployer, whose local services are `BentoService`. A port has one service at most."""

    FLAVOR = BentoDeployerFlavor

    def find_model_server(
        self, config: dict[str, Any] | None = None, *criteria: Any, **named: Any
    ) -> list[BaseService]:
        """As in ZenML, whose store pays no heed to `config` and so takes a service of another Bento for this one."""
        found = super().find_model_server(config, *criteria, **named)
        if config is None:
            return found
        return [service for service in found if _settings(service.config.model_dump()) == _settings(config)]

    def services(self, port: int) -> list[BentoService]:
        """What was deployed on a port, running or not."""
        kind = BentoService.SERVICE_TYPE
        known = self.find_model_server(service_type=kind)
        return [service for service in known if isinstance(service, BentoService) and service.config.port == port]

    def put(self, config: BentoMLLocalDeploymentConfig, timeout: int) -> BentoService:
        """Have a port answered by a service of this configuration, whatever answers there now.

        A service that runs already with the very same configuration is kept. Another one goes on answering until the
        new one does, and for good when the new one does not come up: at no time is there nobody.

        Args:
            config: of the service.
            timeout: seconds for the new service to come up, and again for the old one to stop.

        Raises:
            ServiceDown: the new service does not come up; with the tail of its log.
        """
        assert config.port is not None
        running: list[BentoService] = []
        for service in self.services(config.port):
            if service.is_running:
                running.append(service)
            else:  # ZenML would take one that is like the new one for the new one, and not start it
                self.delete_model_server(service.uuid, timeout)
        try:
            deployed = self.deploy_model(config, BentoService.SERVICE_TYPE, timeout=timeout)
        except RuntimeError as error:  # ZenML says once more what the cause says
            raise (error.__cause__ or error) from None
        for service in running:
            if service.uuid != deployed.uuid:
                self.delete_model_server(service.uuid, timeout)
        assert isinstance(deployed, BentoService)
        if not deployed.is_running:
            raise ServiceDown(f"the service of {config.bento_tag} on port {config.port} has stopped answering")
        return deployed

    def _create_new_service(self, id: UUID, timeout: int, config: ServiceConfig) -> BaseService:
        if not isinstance(config, BentoMLLocalDeploymentConfig):
            return super()._create_new_service(id, timeout, config)
        config.root_runtime_path = self.local_path
        service = BentoService(uuid=id, config=config)
        try:
            service.start(timeout)
        except BaseException:
            if service.status.runtime_path:
                shutil.rmtree(service.status.runtime_path)
            raise
        return service


def _settings(config: dict[str, Any]) -> dict[str, Any]:
    """What a service was asked for, without what ZenML fills in later."""
    return {key: value for key, value in config.items() if key not in ("name", "root_runtime_path")}
