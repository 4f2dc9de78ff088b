"""What every run configuration has beside its parameters: ZenML's own keys."""

from typing import Any

from tabular.config.base import Items, StrictModel


class RunFile(StrictModel):
    """What `zenml pipeline run` and `run.py` both read."""

    run_name: str | None = None
    """A name for the run; ZenML makes one when unset."""
    enable_cache: bool | None = None
    """Reuse the results of unchanged steps; on when unset. Steps that touch what others can change too always run."""
    tags: Items[str] = ()
    """Tags of the pipeline run."""
    settings: dict[str, Any] = {}
    """ZenML's settings (resources, Docker, orchestrator), passed on as they are."""
    steps: dict[str, Any] = {}
    """ZenML's settings for single steps, passed on as they are."""
