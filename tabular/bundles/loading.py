"""Loads a bundle's folder as a model that answers: verified, built and warmed up."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tabular.bundles.bundle import CARD, MANIFEST, BadBundle, Bundle, digest, read
from tabular.bundles.encoding import MISSING, Encoder
from tabular.bundles.predictor import CompiledPredictor, Predictor, Rows
from tabular.errors import one_line

Source = Literal["manifest", "last_good", "bento", "baseline"]


@dataclass(frozen=True, eq=False)
class Loaded:
    """A model in use. It never changes, so that a request is answered to its end by the model that it started with."""

    bundle: Bundle
    predictor: Predictor
    encoder: Encoder
    source: Source
    """Where the model was found, from the best place to the last resort."""
    sha256: str
    """The sha256 of its `bundle.json`."""
    card: str = ""
    """The model card in Markdown; empty if there is none."""
    warnings: tuple[str, ...] = ()
    """What an operator should know, in words."""

    @property
    def degraded(self) -> bool:
        """Whether no model answers, but only the training median or the shares of the classes."""
        return self.source == "baseline"


class BaselinePredictor:
    """A predictor that gives the same answer to every row: the training median, or the share of each class.

    Raises:
        BadBundle: the baseline of the bundle does not have a share for one of its classes.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.is_regression = bundle.task == "regression"
        try:
            values = (
                float(bundle.baseline.prediction)
                if self.is_regression
                else [bundle.baseline.probabilities[label] for label in bundle.classes]
            )
        except (KeyError, ValueError) as error:
            raise BadBundle(f"{bundle.name} {bundle.version}: its baseline is unusable ({error})") from None
        self.answer = np.asarray(values, np.float64)

    def predict(self, rows: Rows) -> NDArray[np.float64]:
        """Regression: one value for each row; classification: probabilities, rows x classes."""
        return np.tile(self.answer, len(rows.numbers) if self.is_regression else (len(rows.numbers), 1))


def build_predictor(folder: Path, bundle: Bundle, threads: int = 1) -> Predictor:
    """Build the bundle's compiled predictor, or the original pipeline if it has none."""
    if bundle.compiled:
        return CompiledPredictor.load(folder, threads=threads)
    from tabular.bundles.original import OriginalPredictor  # imports pandas and scikit-learn

    return OriginalPredictor.load(folder)


def load(folder: Path, sha256: str | None, source: Source, threads: int = 1) -> Loaded:
    """Load a model, and have it answer some rows.

    Args:
        sha256: expected sha256 of `bundle.json`; None accepts the file as it is.

    Raises:
        BadBundle: a file is damaged, or the predictor cannot be built or gives an answer that is not finite.
    """
    bundle = read(folder, sha256)
    try:
        predictor = build_predictor(folder, bundle, threads)
        warm(bundle, predictor)
        encoder = Encoder(bundle.columns)
    except BadBundle:
        raise
    except Exception as error:  # ONNX Runtime, skops and NumPy raise exceptions without a common base
        said = f"its predictor cannot be used ({type(error).__name__}: {one_line(error)})"
        raise BadBundle(f"{folder}: {said}; package the model again") from error
    card = (folder / CARD).read_text("utf-8", "replace") if CARD in bundle.files else ""
    return Loaded(bundle, predictor, encoder, source, sha256 or digest((folder / MANIFEST).read_bytes()), card)


def warm(bundle: Bundle, predictor: Predictor) -> None:
    """Predict some rows, so that the first request does not wait for what is done only once.

    The rows are: the middle of each range, missing values alone, the smallest values, and the largest ones.

    Raises:
        BadBundle: an answer has the wrong shape, is not finite, or is not a probability.
    """
    rows = _synthetic(bundle)
    answer = predictor.predict(rows)
    expected = (4,) if bundle.task == "regression" else (4, len(bundle.classes))
    where = f"{bundle.name} {bundle.version}"
    if answer.shape != expected:
        raise BadBundle(f"{where}: its predictor answers with shape {answer.shape}, not {expected}")
    if not np.isfinite(answer).all():
        raise BadBundle(f"{where}: its predictor gives an answer that is not finite; package the model again")
    if bundle.task == "classification" and not np.allclose(answer.sum(axis=1), 1, atol=1e-3):
        raise BadBundle(f"{where}: its probabilities do not sum to 1; package the model again")
    predictor.predict(Rows(rows.numbers[:1], rows.codes[:1]))


def _synthetic(bundle: Bundle) -> Rows:
    numbers: list[tuple[float, ...]] = []
    codes: list[tuple[int, ...]] = []
    for column in bundle.columns:
        if column.kind == "category":
            missing = column.categories.index(MISSING) if MISSING in column.categories else -1
            last = len(column.categories) - 1
            codes.append((max(last // 2, -1), missing, min(last, 0), last))
        else:
            low = 0.0 if column.min is None else column.min
            high = low if column.max is None else column.max
            numbers.append((low / 2 + high / 2, np.nan, low, high))
    return Rows(
        np.ascontiguousarray(np.array(numbers, np.float64).reshape(-1, 4).T),
        np.ascontiguousarray(np.array(codes, np.int32).reshape(-1, 4).T),
    )
