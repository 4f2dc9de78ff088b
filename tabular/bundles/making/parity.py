"""Compares the compiled predictor with the original, on every held-out row and on deliberately odd rows."""

import timeit
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from tabular.bundles.making.compiling import Raw
from tabular.bundles.making.report import ParityOffence, ParityReport
from tabular.bundles.making.variants import EXTREME, variants
from tabular.bundles.predictor import Predictor, Rows
from tabular.learning.features import Categories
from tabular.learning.features_derived import date_numbers

TOLERANCE = 1e-5
ALONE = 500
"""Number of held-out rows that are also predicted one at a time."""


def encoded(rows: pd.DataFrame, raw: Raw) -> Rows:
    """Raw rows in the form that the compiled predictor takes."""
    numbers = np.empty((len(rows), 0))
    if raw.numbers:
        plain = rows[raw.numbers].assign(**{column: date_numbers(rows[column]) for column in raw.dates})
        numbers = np.array(plain.to_numpy(dtype=np.float64), copy=True)
    codes = np.empty((len(rows), len(raw.categories)), dtype=np.int32)
    if raw.categories:
        text = Categories().fit(rows[[*raw.categories]]).transform(rows[[*raw.categories]])
        for place, categories in enumerate(raw.categories.values()):
            known = pd.Index(categories)
            codes[:, place] = known.get_indexer(text[:, place])
    return Rows(numbers, codes)


def compare(original: Pipeline, compiled: Predictor, rows: pd.DataFrame, raw: Raw) -> ParityReport:
    """Compare the predictions for all held-out rows together, for single rows, and for variants of the rows."""
    rows = rows.reset_index(drop=True)
    classifies = hasattr(original, "predict_proba")
    with warnings.catch_warnings(), threadpool_limits(1):
        # Some variants hold values beyond the range of numbers, which numpy warns about.
        warnings.simplefilter("ignore", RuntimeWarning)
        expected = _answers(original, rows, raw)
        finite = np.abs(expected[np.isfinite(expected)])
        found = ParityTally(classifies, float(np.median(finite)) if len(finite) and not classifies else 0.0)
        encodings = encoded(rows, raw)
        found.add("held out", rows, expected, compiled.predict(encodings))
        alone = [
            compiled.predict(Rows(encodings.numbers[i : i + 1], encodings.codes[i : i + 1]))
            for i in range(min(ALONE, len(rows)))
        ]
        found.add("one row at a time", rows[: len(alone)], expected[: len(alone)], np.concatenate(alone))
        for name, variant in variants(rows, raw):
            answered, answers = _answered(original, variant, raw)
            found.refused += len(variant) - len(answered)
            if len(answered):
                found.add(name, answered, answers, compiled.predict(encoded(answered, raw)))
    return ParityReport(
        agrees=found.first is None,
        tolerance=TOLERANCE,
        held_out=len(rows),
        rows=found.rows,
        cases=found.cases,
        largest=max(found.cases.values()),
        largest_held_out=found.cases["held out"],
        refused=found.refused,
        ties=found.ties,
        first=found.first,
    )


class ParityTally:
    """The comparison so far."""

    def __init__(self, classifies: bool, usual: float = 0.0) -> None:
        self.classifies = classifies
        self.cases: dict[str, float] = {}
        self.first: ParityOffence | None = None
        self.rows = self.refused = self.ties = 0
        self.usual = usual

    def add(self, case: str, rows: pd.DataFrame, original: NDArray[Any], compiled: NDArray[np.float64]) -> None:
        different = differences(original, compiled, self.classifies, self.usual)
        wrong = different > TOLERANCE
        if self.classifies:
            best = np.sort(original, axis=1)
            other = original.argmax(axis=1) != compiled.argmax(axis=1)
            tied = best[:, -1] - best[:, -2] <= TOLERANCE
            self.ties += int((other & tied).sum())
            wrong |= other & ~tied
        self.rows += len(different)
        self.cases[case] = float(different.max())
        if wrong.any() and self.first is None:
            at = int(wrong.argmax())
            self.first = ParityOffence(
                case=case,
                row=int(rows.index[at]),
                inputs={str(name): _plain(value) for name, value in rows.iloc[at].items()},
                original=[float(v) for v in np.atleast_1d(original[at])],
                compiled=[float(v) for v in np.atleast_1d(compiled[at])],
            )


def differences(
    original: NDArray[Any], compiled: NDArray[np.float64], classifies: bool, usual: float = 0.0
) -> NDArray[np.float64]:
    """The difference of each row (rows,): relative for a regression, the largest absolute one for probabilities.

    Infinities of the same sign are equal, and so are two NaN; compared with a number both differ infinitely.

    Args:
        original: predictions (rows,), or probabilities (rows x classes).
        classifies: whether they are probabilities.
        usual: usual size of a prediction. Differences of smaller predictions are relative to it, because for a target
            with both signs the last digits of a float32 sum are a large part of a prediction close to 0.
    """
    original, compiled = original.astype(np.float64), compiled.astype(np.float64)
    with np.errstate(all="ignore"):
        different = np.abs(original - compiled)
        if not classifies:
            finite = np.abs(original[np.isfinite(original)])
            different /= np.maximum(np.abs(original), max(usual, finite.max(initial=0.0) * 1e-9) or 1.0)
    same = (original == compiled) | (np.isnan(original) & np.isnan(compiled))
    different = np.where(same, 0.0, np.where(np.isnan(different), np.inf, different))
    return different.max(axis=1) if classifies else different


def latencies(original: Pipeline, compiled: Predictor | None, rows: pd.DataFrame, raw: Raw) -> dict[str, float]:
    """Median seconds of a call for 1 row and for 1,000 rows, of the original and of the compiled predictor, if any."""
    seconds = {}
    with threadpool_limits(1):
        for count, repeats, name in ((1, 200, "1_row"), (1000, 20, "1000_rows")):
            some = rows.iloc[np.arange(count) % len(rows)]
            if compiled is not None:
                seconds[f"compiled_{name}"] = _median(partial(compiled.predict, encoded(some, raw)), repeats)
            seconds[f"original_{name}"] = _median(partial(_answers_together, original, some), max(3, repeats // 20))
    return seconds


def _median(call: Callable[[], Any], repeats: int) -> float:
    return float(np.median(timeit.repeat(call, number=1, repeat=repeats)))


def _plain(value: Any) -> float | str | None:
    if pd.isna(value):
        return None
    return float(value) if isinstance(value, int | float | np.number) else str(value)


def _answers(original: Pipeline, rows: pd.DataFrame, raw: Raw) -> NDArray[Any]:
    """Predictions or probabilities of each row, as if the row came alone.

    The iterative imputer fills a row without any number with medians if the row is alone, and with estimates otherwise.
    """
    empty = rows[raw.numbers].isna().all(axis=1).to_numpy()
    if not raw.numbers or empty.all() or not empty.any():
        return _answers_together(original, rows)
    some, others = _answers_together(original, rows[empty]), _answers_together(original, rows[~empty])
    answers: NDArray[Any] = np.empty((len(rows), *some.shape[1:]), dtype=some.dtype)
    answers[empty], answers[~empty] = some, others
    return answers


def _answers_together(original: Pipeline, rows: pd.DataFrame) -> NDArray[Any]:
    answers: NDArray[Any] = (
        original.predict_proba(rows) if hasattr(original, "predict_proba") else original.predict(rows)
    )
    return answers


def _answered(original: Pipeline, rows: pd.DataFrame, raw: Raw) -> tuple[pd.DataFrame, NDArray[Any]]:
    """The rows that the original does not refuse, and its predictions for them."""
    try:
        return rows, _answers(original, rows, raw)
    except ValueError:
        # One value that is infinite after scaling makes the original refuse the whole batch: try it in small parts.
        kept, answers = [], []
        for start in range(0, len(rows), EXTREME):
            part = rows.iloc[start : start + EXTREME]
            try:
                answers.append(_answers(original, part, raw))
            except ValueError:
                continue
            kept.append(part)
        return (pd.concat(kept), np.concatenate(answers)) if kept else (rows.iloc[:0], np.empty(0))
