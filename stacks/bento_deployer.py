"""The model deployer flavor `bento`: ZenML's own for BentoML, with what BentoML 1.4 broke put right.

ZenML's local service takes a Bento of today for one of before 1.2 and dies, and its deployer reports success all the
same. Its class of deployer is imported when it is used: that imports BentoML.
"""

from typing import TYPE_CHECKING

from zenml.integrations.bentoml.flavors import BentoMLModelDeployerConfig, BentoMLModelDeployerFlavor

if TYPE_CHECKING:
    from stacks.bento_model_deployer import BentoModelDeployer

FLAVOR = "bento"


class ServiceDown(RuntimeError):
    """A service does not come up; the message ends with the tail of its log."""


class BentoDeployerConfig(BentoMLModelDeployerConfig):
    """The settings of ZenML's flavor."""

    @property
    def is_local(self) -> bool:
        """The services are processes of this machine."""
        return True


class BentoDeployerFlavor(BentoMLModelDeployerFlavor):
    """The `bento` flavor."""

    @property
    def name(self) -> str:
        return FLAVOR

    @property
    def display_name(self) -> str:
        return "BentoML 1.4"

    @property
    def config_class(self) -> type[BentoDeployerConfig]:
        return BentoDeployerConfig

    @property
    def implementation_class(self) -> type["BentoModelDeployer"]:
        from stacks.bento_model_deployer import BentoModelDeployer

        return BentoModelDeployer
