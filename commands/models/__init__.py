"""`python run.py models …`: look at the versions of a model, compare, promote, roll back, delete and release them."""

# Each of these modules adds its commands to the group.
from commands.models import (  # noqa: F401
    change_versions,
    compare_versions,
    delete_versions,
    release_manifest,
    show_history,
    show_versions,
)
from commands.models.group import models

__all__ = ["models"]
