"""The original pipeline as a predictor: the fallback where no compiled one agrees with it.

It needs pandas, scikit-learn, skops and the library of the estimator, which the service's short list leaves out.
"""

from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tabular.arithmetic.dates import moments
from tabular.bundles.bundle import MODEL, BadBundle, Bundle, read
from tabular.bundles.predictor import Rows

NEEDED = "pandas, scikit-learn, skops and the estimator's library"


class OriginalPredictor:
    """The fitted scikit-learn pipeline behind the interface of `Predictor`.

    Args:
        pipeline: fitted on a table of the bundle's columns.
        bundle: for the columns and the classes.
    """

    def __init__(self, pipeline: Any, bundle: Bundle) -> None:
        self._pipeline = pipeline
        self._is_classifier = bundle.task == "classification"
        self._columns = bundle.columns

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read `model.skops`, whose types must be trusted ones.

        Raises:
            BadBundle: a library is not installed here.
            UserError: the file is damaged, or holds types that are not trusted.
        """
        try:
            from tabular.storage.persistence import from_bytes
        except ImportError as error:
            raise _missing(error) from error
        bundle = read(folder)
        try:
            return cls(from_bytes((folder / MODEL).read_bytes()), bundle)
        except ImportError as error:
            raise _missing(error) from error

    def predict(self, rows: Rows) -> NDArray[np.float64]:
        """Regression: one value a row; classification: rows x classes, probabilities."""
        import pandas as pd

        numbers, codes = iter(rows.numbers.T), iter(rows.codes.T)
        table: dict[str, NDArray[Any]] = {}
        for column in self._columns:
            if column.kind == "number":
                table[column.name] = next(numbers)
            elif column.kind == "date":
                table[column.name] = moments(next(numbers))
            else:
                # An unknown category is the text "", or the first that training did not see, and none is missing:
                # a missing one that has a category of its own comes as that.
                known = np.array([*column.categories, _unseen(column.categories)], dtype=object)
                table[column.name] = known[next(codes)]
        frame = pd.DataFrame(table)
        answer = self._pipeline.predict_proba(frame) if self._is_classifier else self._pipeline.predict(frame)
        return np.asarray(answer, dtype=np.float64)


def _unseen(categories: tuple[str, ...]) -> str:
    text = ""
    while text in categories:
        text += "?"
    return text


def _missing(error: ImportError) -> BadBundle:
    return BadBundle(f"this bundle is not compiled and needs {NEEDED} in the service's environment ({error})")
