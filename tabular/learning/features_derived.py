"""Derived columns as scikit-learn transformers: arithmetic expressions and the parts of a date."""

from collections.abc import Sequence
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from tabular.arithmetic.dates import MICROSECONDS, days, part
from tabular.arithmetic.expressions import evaluate
from tabular.config.expression import parse
from tabular.config.stages import DatePart


class ExpressionFeature(TransformerMixin, BaseEstimator):
    """One column computed by an expression from the columns that it names, given in the order of their first mention.

    A division by zero gives 0, and so does a result that is infinite or not a number, see
    `tabular.arithmetic.expressions`; the syntax of `text` is that of `tabular.config.expression`.
    """

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Remember the columns; nothing else is learned."""
        self.n_features_in_ = np.shape(X)[1]
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """The value of the expression, rows x 1, float64."""
        return evaluate(parse(self.text), list(np.asarray(X, dtype=np.float64).T))[:, None]

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[np.object_]:
        """The new column's name."""
        return np.asarray([self.name], dtype=object)


class DateNumbers(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Date columns as numbers of days, see `tabular.arithmetic.dates`; other columns as they are.

    The values of the date columns are datetime64, or text in ISO 8601 when serving.
    """

    def __init__(self, columns: Sequence[str] = ()) -> None:
        self.columns = columns

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """Remember the columns; nothing else is learned."""
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """The same columns; dates become float64, NaN for a missing one.

        Raises:
            ValueError: a date is text in another format.
        """
        return X.assign(**{column: date_numbers(X[column]) for column in self.columns})


class DateFeatures(TransformerMixin, BaseEstimator):
    """The parts of one date column, given as numbers of days without missing values.

    The part `age` counts from the latest date of the training rows.
    """

    def __init__(self, parts: Sequence[DatePart] = ("age",)) -> None:
        self.parts = parts

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """Learn the latest date."""
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.n_features_in_ = 1
        self.reference_ = float(np.asarray(X, dtype=np.float64).max())
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """The parts (rows x parts), float64."""
        check_is_fitted(self)
        numbers = np.asarray(X, dtype=np.float64)[:, 0]
        return np.column_stack([part(name, numbers, self.reference_) for name in self.parts])

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[np.object_]:
        """`<column>_year` and so on."""
        check_is_fitted(self)
        return np.asarray([f"{self.feature_names_in_[0]}_{name}" for name in self.parts], dtype=object)


def date_numbers(column: pd.Series) -> NDArray[np.float64]:
    """Each value of a column as a number of days (rows,), NaN for a missing value.

    The column is datetime64 with or without a time zone, or text in ISO 8601.

    Raises:
        ValueError: a value is text in another format.
    """
    if pd.api.types.is_datetime64_any_dtype(column):
        moments = column if column.dt.tz is None else column.dt.tz_convert("UTC").dt.tz_localize(None)
        holes = column.isna().to_numpy()
        numbers = moments.to_numpy(dtype="datetime64[us]").astype(np.int64) / MICROSECONDS
        return np.where(holes, np.nan, numbers)
    if pd.api.types.is_numeric_dtype(column) and column.notna().any():
        raise ValueError(f"'{column.name}' is a date: give it as datetime64, or as text in ISO 8601")
    return np.array([np.nan if pd.isna(value) else days(str(value)) for value in column], dtype=np.float64)
