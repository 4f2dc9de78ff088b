"""The base of every record that one step hands on to another."""

from typing import Any

from pydantic import BaseModel, ConfigDict

TIMES = frozenset({"seconds", "started", "resumed"})
"""Fields that say when something happened or how long it took. They are stored, but no part of the content hash."""


class Report(BaseModel):
    """A frozen record that is stored as JSON.

    JSON has no NaN and no infinity: they are stored as the texts "NaN", "Infinity" and "-Infinity", and read back.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="strings")

    def content(self) -> Any:
        """The record as plain data without its times, which differ between two runs with equal inputs."""
        return _without_times(self.model_dump(mode="json"))


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_times(item) for key, item in value.items() if key not in TIMES}
    return [_without_times(item) for item in value] if isinstance(value, list) else value
