"""The base of all config models, and the text of their errors."""

import re
import types
import typing
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Strict, ValidationError
from pydantic_core import ErrorDetails

from tabular.errors import nearest

Item = TypeVar("Item")
Items = Annotated[tuple[Item, ...], Strict(False)]
"""A list in YAML that is a tuple in Python, so that it cannot be changed."""


def column_name(name: str) -> str:
    """A column's name as all rooms compare it, so that names which look the same are one name.

    It is in Unicode's NFC, each run of blanks of any kind is one ordinary blank, and it has no invisible characters.
    """
    visible = "".join(letter for letter in name if unicodedata.category(letter) != "Cf")
    return re.sub(r"\s+", " ", unicodedata.normalize("NFC", visible))


ColumnName = Annotated[str, AfterValidator(column_name)]
"""The name of a column of the table."""


def _with_offset(text: str) -> str:
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError(f"{text!r} has no offset from UTC; end it with +00:00")
    return text


Moment = Annotated[str, AfterValidator(_with_offset)]
"""A point in time in ISO 8601, with an offset from UTC."""

LONGEST_NAME = 100
"""Most characters in the name of a model."""


def is_model_name(text: str) -> bool:
    """Whether a model may have this name: registries, file names, addresses and filters all take it as it is."""
    return len(text) <= LONGEST_NAME and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", text) is not None


def model_name(text: str) -> str:
    """The text unchanged. Raises ValueError if no model may have this name."""
    if not is_model_name(text):
        rule = f"use up to {LONGEST_NAME} letters (a to z), digits, - and _, and begin with a letter or a digit"
        shown = text if len(text) <= LONGEST_NAME else f"{text[:20]}…"
        raise ValueError(f"{shown!r} is not a name of a model; {rule}")
    return text


ModelName = Annotated[str, AfterValidator(model_name)]
"""The name under which a model is trained and registered."""


class StrictModel(BaseModel):
    """A frozen model that refuses unknown keys, and numbers that are text, infinite or NaN."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


class RunFile(StrictModel):
    """The keys beside `parameters` of a file that both `zenml pipeline run` and `run.py` read."""

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


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """All failures of a validation in one line, each with its dotted key and, for an unknown key, the nearest one.

    Args:
        model: the model that was validated, for the names of its keys.
    """
    found: dict[str, str] = {}
    for detail in error.errors():
        where = ".".join(str(part) for part in _key(detail, model))
        # A value that fits no member of a union fails once for each of them, and the first failure is enough. A list
        # whose items fail is also reported as too short.
        if not any(key == where or key.startswith(f"{where}.") for key in found):
            found[where] = _describe(detail, model, where)
    return "; ".join(found.values())


def _describe(detail: ErrorDetails, model: type[BaseModel], where: str) -> str:
    if detail["type"] == "extra_forbidden":
        *parents, key = detail["loc"]
        near = nearest(str(key), _known_keys(model, parents))
        prefix = "".join(f"{parent}." for parent in parents)
        return f"unknown key '{where}'" + (f"; the nearest known key is '{prefix}{near}'" if near else "")
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] not in ("missing", "value_error"):
        message = f"{message}, not {detail['input']!r}"
    return f"'{where}': {message}" if where else message


def _key(detail: ErrorDetails, model: type[BaseModel]) -> list[int | str]:
    """The location of the error, without the names that Pydantic adds for the members of a union."""
    if detail["type"] == "extra_forbidden":
        return list(detail["loc"])
    known: list[int | str] = []
    place: Any = model
    for part in detail["loc"]:
        place = _below(place, part)
        if place is None:
            break
        known.append(part)
    return known


def _known_keys(model: type[BaseModel], parents: list[int | str]) -> list[str]:
    """The field names of the model that is found at `parents` below `model`."""
    place: Any = model
    for part in parents:
        place = _below(place, part)
    return [name for option in _options(place) if _is_model(option) for name in option.model_fields]


def _below(annotation: Any, part: int | str) -> Any:
    """The annotation of the value at one key or index of a model, a dict or a tuple; None where there is none."""
    for option in _options(annotation):
        if _is_model(option):
            if str(part) in option.model_fields:
                return option.model_fields[str(part)].annotation
        elif typing.get_origin(option) is dict:
            return typing.get_args(option)[1]
        elif typing.get_origin(option) is tuple:
            return typing.get_args(option)[0]
    return None


def _options(annotation: Any) -> Iterator[Any]:
    """The types that a value may have: the members of a union, without their metadata."""
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        yield from _options(typing.get_args(annotation)[0])
    elif origin in (typing.Union, types.UnionType):
        for member in typing.get_args(annotation):
            yield from _options(member)
    else:
        yield annotation


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
