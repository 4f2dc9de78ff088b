"""What a step asks of ZenML's step context; a real one exists only while a pipeline runs."""

from types import SimpleNamespace
from typing import Any


def step_context(step: bool | None = None, run: bool | None = None, **inputs: str | None) -> Any:
    """A context with the content hashes of the inputs by name.

    Args:
        step: whether the step has its cache enabled; None leaves that to the run.
        run: whether the run has.
        inputs: content hash of each input; None for an artifact without one, whose id is then `<name>-id`.
    """
    return SimpleNamespace(
        inputs={name: [_artifact(name, content)] for name, content in inputs.items()},
        step_run=SimpleNamespace(config=SimpleNamespace(enable_cache=step)),
        pipeline_run=SimpleNamespace(config=SimpleNamespace(enable_cache=run), name="a-run", model_version=None),
    )


def _artifact(name: str, content_hash: str | None) -> Any:
    """An artifact version at the address `<content hash>`, with one picture `<name>.png`."""
    picture = SimpleNamespace(uri=f"pictures/{name}.png", type="image")
    return SimpleNamespace(content_hash=content_hash, id=f"{name}-id", uri=content_hash, visualizations=[picture])
