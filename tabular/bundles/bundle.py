"""The bundle: a folder of data files with all that a service needs to answer for one model."""

import hashlib
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from tabular.config.base import Items, StrictModel, explain
from tabular.errors import UserError

MANIFEST = "bundle.json"
RECIPE = "predictor.json"
ARRAYS = "predictor.npz"
MODEL = "model.skops"
REFERENCE = "reference.json"
CARD = "card.md"


class BadBundle(UserError):
    """The folder holds no bundle that may be served; the message names the file and what is wrong with it."""


class Column(StrictModel):
    """One raw input column."""

    name: str
    kind: Literal["number", "category", "date"]
    min: float | None = None
    """The smallest value of the training rows, of a date in days (see `tabular.arithmetic.dates`); None for a category,
    and where no value was ever there."""
    max: float | None = None
    """The largest value of the training rows."""
    categories: Items[str] = ()
    """The encoder's categories in its order, as text; may hold "missing". Empty for a number."""
    missing_share: float
    """The share of training rows without a value."""


class Baseline(StrictModel):
    """What to answer without any model."""

    prediction: float | str
    """The training median, or the most frequent class."""
    probabilities: dict[str, float] = {}
    """The share of each class; empty for a regression."""


class Bundle(StrictModel):
    """The manifest of the folder."""

    format: Literal[1] = 1
    name: str
    version: str
    task: Literal["regression", "classification"]
    target: str
    created: str
    """UTC, ISO 8601."""
    model_sha256: str
    """Of `model.skops`."""
    data_sha256: str
    data_source: str
    algorithm: str
    columns: Items[Column]
    """The raw inputs in the order of the training rows, without the target."""
    classes: Items[str] = ()
    """The labels as the training data spells them, in the order of the probabilities; empty for a regression."""
    metrics: dict[str, float]
    """On the held-out rows."""
    baseline: Baseline
    compiled: bool
    why: str
    """The parity in words, or why the original serves."""
    files: dict[str, str]
    """Every other file of the folder with its sha256."""


def read(folder: Path, sha256: str | None = None) -> Bundle:
    """The manifest of a folder whose every file is the one that was written; nothing in it is executed.

    Args:
        folder: of the bundle.
        sha256: what the sha256 of `bundle.json` must be; None takes the file as it is.

    Raises:
        BadBundle: a file is missing, or not the one that was written, or the manifest does not hold together.
    """
    content = _bytes(folder / MANIFEST)
    if sha256 is not None and digest(content) != sha256:
        raise BadBundle(f"{folder / MANIFEST}: its sha256 is {digest(content)}, not {sha256}; copy the bundle again")
    try:
        bundle = Bundle.model_validate_json(content)
    except ValidationError as error:
        raise BadBundle(f"{folder / MANIFEST}: {explain(error, Bundle)}; package the model again") from error
    for name, expected in bundle.files.items():
        if Path(name).name != name or name in ("", ".", ".."):
            raise BadBundle(f"{folder / MANIFEST}: '{name}' is no name of a file in this folder; do not use the bundle")
        found = digest(_bytes(folder / name))
        if found != expected:
            raise BadBundle(f"{folder / name}: its sha256 is {found}, not {expected}; copy the bundle again")
    needed = {MODEL, *([RECIPE] if bundle.compiled else [])} - set(bundle.files)
    if needed:
        raise BadBundle(f"{folder / MANIFEST}: lists no {', '.join(sorted(needed))}; package the model again")
    return bundle


def digest(content: bytes) -> str:
    """The sha256 in hex."""
    return hashlib.sha256(content).hexdigest()


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadBundle(f"{path}: {error.strerror or error}; copy the bundle again") from error
