"""The settings of the service, read from its environment."""

from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError

from tabular.config.base import StrictModel, explain
from tabular.errors import UserError, nearest

PREFIX: Final = "STACKHOUSE_"


def _parts(text: str | tuple[str, ...]) -> tuple[str, ...]:
    """The parts of a text between its commas, without empty ones."""
    return tuple(filter(None, map(str.strip, text.split(",")))) if isinstance(text, str) else text


def _networks(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(str(ip_network(value, strict=False)) for value in values)


Parts = Annotated[tuple[str, ...], BeforeValidator(_parts)]


class Settings(StrictModel):
    """One field for each variable: `manifest` is `STACKHOUSE_MANIFEST`. An empty variable counts as not set."""

    manifest: str | None = None
    """Path or URL of the release manifest; without it the model in the Bento serves."""
    cache: Annotated[Path, AfterValidator(Path.expanduser)] = Field(
        default_factory=lambda: Path.home() / ".cache" / "stackhouse"
    )
    """Folder for copies of bundles, among them the last good one, which serves after a restart."""
    poll_seconds: Annotated[float, Field(ge=0.05, le=3600)] = 1.0
    """Seconds between two looks at the manifest."""
    threads: Annotated[int, Field(ge=1, le=256)] = 1
    """Number of threads of one prediction."""
    workers: Annotated[int, Field(ge=1, le=256)] = 1
    """Number of processes that answer requests."""
    prediction_log: str | None = None
    """Folder or URL of the prediction log; without it nothing is logged."""
    wandb_project: str | None = None
    """W&B project that receives a sample of the predictions; without it none is sent."""
    wandb_share: Annotated[float, Field(gt=0, le=1)] = 0.01
    """Share of the predictions in that sample."""
    api_keys: Parts = ()
    """Keys separated by commas, each in plain text or as `sha256:` and 64 hex digits; without any, no key is needed."""
    rate_limit: Annotated[float, Field(gt=0)] | None = None
    """Requests a second for each key or client address, in each worker; twice as many may arrive at once."""
    max_body_bytes: Annotated[int, Field(ge=1024, le=2**30)] = 10 * 2**20
    """Largest size of a body."""
    max_row_bytes: Annotated[int, Field(ge=1024, le=2**20)] = 64 * 2**10
    """Largest size of the body of a single row, and of a true value, which are read between all other requests."""
    max_rows: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    """Largest number of rows in a batch."""
    body_seconds: Annotated[float, Field(gt=0, le=3600)] = 30.0
    """Longest time that a client may take to send a body, or to read an answer."""
    header_seconds: Annotated[float, Field(gt=0, le=3600)] = 10.0
    """Longest time that a client may take to send the headers of a request, from its start or that of a connection."""
    max_connections: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    """Largest number of connections of a worker, at most half of the descriptors that the system allows it."""
    trusted_proxies: Annotated[Parts, AfterValidator(_networks)] = ()
    """Addresses and networks of proxies, between commas, whose `X-Forwarded-For` is believed; without any, none is."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the variables.

        Raises:
            UserError: a value is refused, or the name of a variable is almost the name of a setting.
        """
        names = {PREFIX + field.upper(): field for field in cls.model_fields}
        for name in environment.keys() - names.keys():
            near = nearest(name, names, likeness=0.9) if name.startswith(PREFIX) else None
            if near:  # other programs of the project have variables of their own
                raise UserError(f"environment variable {name} is unknown; the nearest known one is {near}")
        found = {field: environment[name].strip() for name, field in names.items() if environment.get(name, "").strip()}
        try:
            return cls.model_validate_strings(found, strict=False)
        except ValidationError as error:
            raise UserError(f"environment variables {PREFIX}*: {explain(error, cls)}") from None
