"""The original pipeline as a predictor, for a model whose compiled predictor does not agree with it.

It needs pandas, scikit-learn, skops and the library of the estimator, which service/requirements.txt does not list.
"""

from itertools import count
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tabular.arithmetic.dates import moments
from tabular.bundles.bundle import MODEL, BadBundle, Bundle, read
from tabular.bundles.predictor import Rows
from tabular.errors import UserError

NEEDED = "pandas, scikit-learn, skops and the estimator's library"


class OriginalPredictor:
    """The fitted scikit-learn pipeline with the interface of `Predictor`.

    Args:
        pipeline: pipeline that was fitted on a table of the bundle's columns.
    """

    def __init__(self, pipeline: Any, bundle: Bundle) -> None:
        self._pipeline = pipeline
        self._is_classifier = bundle.task == "classification"
        self._columns = bundle.columns

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read `model.skops`, all types of which must be trusted.

        Raises:
            BadBundle: a library is not installed here, or the file is damaged, of another version, or names types that
                are not trusted.
        """
        try:
            from tabular.storage.persistence import from_bytes

            return cls(from_bytes((folder / MODEL).read_bytes()), read(folder))
        except ImportError as error:
            problem = f"the bundle is not compiled and needs {NEEDED} in the service's environment ({error})"
            raise BadBundle(f"{folder}: {problem}; install them, or package a model that compiles") from error
        except UserError as error:
            raise BadBundle(f"{folder / MODEL}: {error}") from error

    def predict(self, rows: Rows) -> NDArray[np.float64]:
        """Regression: one value for each row; classification: probabilities, rows x classes."""
        import pandas as pd

        numbers, codes = iter(rows.numbers.T), iter(rows.codes.T)
        table: dict[str, NDArray[Any]] = {}
        for column in self._columns:
            if column.kind == "number":
                table[column.name] = next(numbers)
            elif column.kind == "date":
                table[column.name] = moments(next(numbers))
            else:
                # The code -1, an unknown category, selects a text that is not among the categories.
                unseen = next(text for text in map("?".__mul__, count()) if text not in column.categories)
                known = np.array([*column.categories, unseen], dtype=object)
                table[column.name] = known[next(codes)]
        frame = pd.DataFrame(table)
        answer = self._pipeline.predict_proba(frame) if self._is_classifier else self._pipeline.predict(frame)
        return np.asarray(answer, dtype=np.float64)
