"""Reading a run configuration and its overrides. The imports are few, so that a mistake is answered at once."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml
from pydantic import ValidationError

from tabular.config.base import RunFile, explain
from tabular.config.batch import BatchFile
from tabular.config.monitoring import MonitoringFile
from tabular.config.promotion import PromotionFile
from tabular.config.training import TrainingFile
from tabular.errors import UserError, one_line
from tabular.storage.addresses import holds_secret, public

FILES: Final[dict[str, type[RunFile]]] = {
    "batch": BatchFile,
    "monitoring": MonitoringFile,
    "promotion": PromotionFile,
}
"""The model of each run configuration, by the key of `parameters` that tells it from a training.

`commands` has a module of the same name for each.
"""


class Configuration(NamedTuple):
    """A run configuration as it was given, and with all defaults."""

    given: dict[str, Any]
    """The content of the file with the overrides, as ZenML reads it."""
    resolved: RunFile
    """The configuration with every default."""
    pipeline: str
    """The module of `commands` that runs it: `training`, or a key of `FILES`."""


def read(file: Path, overrides: Sequence[str]) -> Configuration:
    """Read a run configuration, apply `key=value` overrides, and validate the result.

    A file whose `parameters` contain a key of `FILES` belongs to that pipeline, every other one to the training.

    Args:
        overrides: dotted keys, with or without the leading `parameters.`, and values in YAML, so that `10` is a number.

    Raises:
        UserError: the file is missing or not YAML, an override is not `key=value`, or a value is not valid.
    """
    if not file.is_file():
        raise UserError(f"--config: there is no file {file}")
    try:
        given = yaml.safe_load(file.read_text())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{file} is not YAML: {one_line(error)}") from None
    if not isinstance(given, dict):
        raise UserError(f"{file} must contain keys and values, such as 'parameters:'")
    parameters = given.get("parameters")
    pipeline = next((key for key in FILES if isinstance(parameters, dict) and key in parameters), "training")
    model = FILES.get(pipeline, TrainingFile)
    for override in overrides:
        _apply(given, override, model)
    _refuse_secrets(given, "", file)
    try:
        return Configuration(given, model.model_validate(given), pipeline)
    except ValidationError as error:
        message = explain(error, model).replace("'parameters.", "'")
        raise UserError(f"{file}: {message}") from None


def _refuse_secrets(value: object, key: str, file: Path) -> None:
    """Refuse an address with a secret at any depth: the whole configuration is stored with the run."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for name, item in items:
            _refuse_secrets(item, f"{key}.{name}" if key else str(name), file)
    elif isinstance(value, str) and holds_secret(value):
        key = key.removeprefix("parameters.")
        raise UserError(
            f"{file}: '{key}': {public(value)} comes with a login or a query that may be secret, and the run stores "
            "what stands here; put it into an environment variable, such as in .env, and write its name: "
            "https://$LOGIN@host/file?token=$TOKEN"
        )


def _apply(given: dict[str, Any], override: str, model: type[RunFile]) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key.strip():
        raise UserError(f"--set {public(override)}: write it as key=value, for example --set search.trials=10")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        raise UserError(f"--set {key}: the value is not YAML; quote it") from None
    parts = key.strip().split(".")
    if parts[0] not in model.model_fields:
        parts = ["parameters", *parts]
    *parents, last = parts
    place = given
    for parent in parents:
        if place.get(parent) is None:
            place[parent] = {}
        place = place[parent]
        if not isinstance(place, dict):
            raise UserError(f"--set {override}: '{parent}' has a value, not keys")
    place[last] = value
