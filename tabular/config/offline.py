"""Whether W&B is asked to stay on this machine."""

from collections.abc import Mapping
from typing import Any

NO_KEY = "0" * 40
"""What stands for a W&B key in a stack that was applied without one; ZenML demands that there is one."""
MODES = ("offline", "dryrun", "disabled")
"""The values of WANDB_MODE with which nothing is sent."""


def is_offline(api_key: Any, environment: Mapping[str, str]) -> bool:
    """Whether W&B sends nothing: because it is told so, or because there is no key to send it with.

    Args:
        api_key: of the W&B tracker.
        environment: variables and their values.
    """
    mode = environment.get("WANDB_MODE")
    return mode in MODES if mode else str(api_key) == NO_KEY
