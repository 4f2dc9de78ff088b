"""The keys that every run configuration has beside its parameters: they are ZenML's own."""

from typing import Any

from tabular.config.base import Items, StrictModel


class RunFile(StrictModel):
    """The keys of a file that both `zenml pipeline run` and `run.py` read."""

    run_name: str | None = None
    """Name of the run; ZenML makes one if it is unset."""
    enable_cache: bool | None = None
    """Whether to reuse the results of unchanged steps; by default they are, except in steps that always run."""
    tags: Items[str] = ()
    """Tags of the pipeline run."""
    settings: dict[str, Any] = {}
    """ZenML's settings (resources, Docker, orchestrator), which are passed on unchanged."""
    steps: dict[str, Any] = {}
    """ZenML's settings for single steps, which are passed on unchanged."""
