"""The bundle: a folder of data files that holds all that a service needs to answer for one model."""

import hashlib
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ValidationError

from tabular.config.base import Items, StrictModel, explain
from tabular.errors import UserError

MANIFEST = "bundle.json"
RECIPE = "predictor.json"
ARRAYS = "predictor.npz"
MODEL = "model.skops"
REFERENCE = "reference.json"
CARD = "card.md"

Content = TypeVar("Content", bound=BaseModel)


class BadBundle(UserError):
    """The folder does not hold a bundle that may be served; the message names the file and what is wrong with it."""


class Column(StrictModel):
    """One raw input column."""

    name: str
    kind: Literal["number", "category", "date"]
    min: float | None = None
    """Smallest value in the training rows, for a date in days (see `tabular.arithmetic.dates`). None for a category,
    and for a column without any value."""
    max: float | None = None
    """Largest value in the training rows, or None as for `min`."""
    categories: Items[str] = ()
    """Categories in the encoder's order, as text; may contain "missing". Empty for a number or a date."""
    missing_share: float
    """Share of the training rows without a value, from 0 to 1."""


class Baseline(StrictModel):
    """The answer that is given when no model can be loaded."""

    prediction: float | str
    """Median of the training target, or its most frequent class."""
    probabilities: dict[str, float] = {}
    """Share of each class in the training rows; empty for a regression."""


class Bundle(StrictModel):
    """The content of `bundle.json`, the manifest of the folder."""

    format: Literal[2] = 2
    """Version of the layout. It rises when older bundles can no longer be read."""
    name: str
    """Name of the registered model."""
    version: str
    task: Literal["regression", "classification"]
    target: str
    """Name of the target column."""
    created: str
    """Time of the packaging: UTC, ISO 8601."""
    model_sha256: str
    """The sha256 of `model.skops`."""
    data_sha256: str
    data_source: str
    algorithm: str
    columns: Items[Column]
    """Raw input columns in the order of the training rows, without the target."""
    classes: Items[str] = ()
    """Labels as the training data spells them, in the order of the probabilities; empty for a regression."""
    metrics: dict[str, float]
    """Metrics on the held-out rows."""
    baseline: Baseline
    compiled: bool
    """Whether the folder holds a compiled predictor; otherwise the original pipeline answers."""
    why: str
    """How far the compiled predictor agrees with the original, or why the original serves."""
    files: dict[str, str]
    """The sha256 of every other file of the folder, by name."""


def read(folder: Path, sha256: str | None = None, place: str | None = None) -> Bundle:
    """Read the manifest of a folder and check that every file is the one that was written. Nothing is executed.

    Args:
        sha256: expected sha256 of `bundle.json`; None accepts the file as it is.
        place: name of the folder in errors; None uses its path.

    Raises:
        BadBundle: a file is missing or has changed, or the manifest is not valid.
    """
    place = place or str(folder)
    bundle = parse(read_file(folder, MANIFEST, place), f"{place}/{MANIFEST}", sha256)
    for name, expected in bundle.files.items():
        _check(read_file(folder, name, place), expected, f"{place}/{name}")
    return bundle


def parse(content: bytes, place: str, sha256: str | None = None) -> Bundle:
    """Read a manifest alone, without looking at the files that it names.

    Args:
        place: name of the file in errors.
        sha256: expected sha256 of the content; None accepts any.

    Raises:
        BadBundle: the content has another sha256, or is not a valid manifest.
    """
    if sha256 is not None:
        _check(content, sha256, place)
    bundle = validated(Bundle, content, place)
    for name in bundle.files:
        if Path(name).name != name or name in ("", ".", "..", MANIFEST):
            raise BadBundle(f"{place}: '{name}' is not the name of a file in this folder; do not use the bundle")
    missing = {MODEL, *([RECIPE] if bundle.compiled else [])} - set(bundle.files)
    if missing:
        raise BadBundle(f"{place}: 'files' does not list {', '.join(sorted(missing))}; package the model again")
    return bundle


def validated(model: type[Content], content: bytes, place: str) -> Content:
    """Validate one JSON file of a bundle.

    Raises:
        BadBundle: the content is not such a file, or has the layout of another version.
    """
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        for detail in error.errors():
            if detail["loc"] == ("format",):
                problem = f"its format {detail['input']!r} is not the one that this version of Stackhouse reads"
                raise BadBundle(f"{place}: {problem}; package or train the model again") from None
        raise BadBundle(f"{place}: {explain(error, model)}; package the model again") from None


def digest(content: bytes) -> str:
    """The sha256 in hex."""
    return hashlib.sha256(content).hexdigest()


def _check(content: bytes, expected: str, place: str) -> None:
    found = digest(content)
    if found != expected:
        raise BadBundle(f"{place}: its sha256 is {found}, not {expected}; copy the bundle again")


def read_file(folder: Path, name: str, place: str) -> bytes:
    """Read a file of a bundle. Raises BadBundle, which calls the folder `place`, if that is not possible."""
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise BadBundle(f"{place}/{name}: {error.strerror or error}; copy the bundle again") from error
