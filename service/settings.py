"""What the service is told by its environment, read in this one place."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import Field, ValidationError, field_validator

from tabular.config.base import StrictModel, explain
from tabular.errors import UserError

PREFIX: Final = "STACKHOUSE_"


class Settings(StrictModel):
    """One field for each variable: `manifest` is `STACKHOUSE_MANIFEST`. A variable that is empty counts as not set."""

    manifest: str | None = None
    """Path or URL of the release manifest; without it the model inside the Bento serves."""
    cache: Path = Field(default_factory=lambda: Path.home() / ".cache" / "stackhouse")
    """A folder for copies of bundles; the last good one is found there after a restart."""
    poll_seconds: Annotated[float, Field(ge=0.05, le=3600)] = 1.0
    """How often to look at the manifest."""
    threads: Annotated[int, Field(ge=1, le=256)] = 1
    """Threads of one prediction."""
    workers: Annotated[int, Field(ge=1, le=256)] = 1
    """Processes that answer requests."""
    prediction_log: str | None = None
    """Folder or URL that predictions and feedback are written to; without it none are."""
    wandb_project: str | None = None
    """W&B project that gets a sample of the predictions; without it none does."""
    wandb_share: Annotated[float, Field(gt=0, le=1)] = 0.01
    """The share of the predictions in that sample."""
    api_keys: tuple[str, ...] = ()
    """Keys between commas, each in plain text or as `sha256:` and 64 hex digits; without any, no key is asked for."""
    rate_limit: Annotated[float, Field(gt=0)] | None = None
    """Requests a second for each key or client address, in each worker; twice as many may come at once."""
    max_body_bytes: Annotated[int, Field(ge=1024, le=2**30)] = 10 * 2**20
    """A larger body is refused."""
    max_rows: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    """A batch of more rows is refused."""
    body_seconds: Annotated[float, Field(gt=0, le=3600)] = 30.0
    """How long a client may take to send a body."""

    @field_validator("cache")
    @classmethod
    def _without_tilde(cls, path: Path) -> Path:
        return path.expanduser()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the variables.

        Raises:
            UserError: a value is refused, or the name of a variable is nearly, and not quite, one of ours.
        """
        names = {PREFIX + field.upper(): field for field in cls.model_fields}
        for name in environment.keys() - names.keys():
            near = difflib.get_close_matches(name, names, n=1, cutoff=0.9) if name.startswith(PREFIX) else []
            if near:
                raise UserError(f"environment variable {name} is unknown; the nearest known one is {near[0]}")
        found = {field: environment[name].strip() for name, field in names.items() if environment.get(name, "").strip()}
        keys = [key.strip() for key in found.pop("api_keys", "").split(",")]
        try:
            settings = cls.model_validate_strings(found, strict=False)
        except ValidationError as error:
            raise UserError(f"environment variables {PREFIX}*: {explain(error, cls)}") from None
        return settings.model_copy(update={"api_keys": tuple(filter(None, keys))})
