"""Tells whether W&B must not use the network."""

from collections.abc import Mapping
from typing import Any

NO_KEY = "0" * 40
"""The placeholder for a W&B key in a stack that was applied without one, because ZenML demands a key."""
MODES = ("offline", "dryrun", "disabled")
"""The values of WANDB_MODE with which W&B sends nothing."""


def is_offline(api_key: Any, environment: Mapping[str, str]) -> bool:
    """Whether W&B sends nothing, because it is told not to, or because it has no key."""
    mode = environment.get("WANDB_MODE")
    return mode in MODES if mode else str(api_key) == NO_KEY
