"""From filled columns to the float32 matrix that an estimator sees."""

from collections import Counter
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin, clone
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, TargetEncoder

from tabular.config.expression import parse, unknown_column
from tabular.config.stages import FeatureConfig, Task
from tabular.errors import UserError
from tabular.learning.clusters import ClusterSimilarity
from tabular.learning.features_derived import DateNumbers, DateParts, Expression
from tabular.learning.imputation import FEWEST_KNOWN, ImputerPair, ScaledImputer
from tabular.table.tables import categorical_columns, date_columns, numeric_columns

MISSING_CATEGORY = "missing"
TARGET_FOLDS = 5
"""In which the training rows' own target means are cross-fitted."""


class Ratio(TransformerMixin, BaseEstimator):
    """One column divided by another: two columns in, one out, 0 where the divisor is 0.

    Args:
        name: the name of the new column.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Nothing to learn."""
        self.n_features_in_ = 2
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """The quotient, rows x 1, float64."""
        top, bottom = np.asarray(X, dtype=np.float64).T
        quotients: NDArray[np.float64] = np.divide(top, bottom, out=np.zeros_like(top), where=bottom != 0)
        return quotients[:, None]

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[np.object_]:
        """The new column's name."""
        return np.asarray([self.name], dtype=object)


class RawColumns(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """The columns of the training rows, by name and in their order: others are left out, absent ones are missing."""

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """Learn the names."""
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """The same rows with the learned columns."""
        return X.reindex(columns=list(self.feature_names_in_))


class Categories(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Category columns as text, so that `True` and `"True"` are one category; a missing value is one too."""

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """Nothing to learn."""
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: pd.DataFrame) -> NDArray[np.object_]:
        """The same columns, dtype object, with nothing missing."""
        text: NDArray[np.object_] = X.astype("str").to_numpy(dtype=object, copy=True)
        text[X.isna().to_numpy()] = MISSING_CATEGORY
        return text


class Float32(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Casts to float32, as the last step before an estimator, in training as in serving.

    A compiled copy of the model that works in float32 then compares the very numbers that the trees were grown on.
    """

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Nothing to learn."""
        self.n_features_in_ = np.shape(X)[1]
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """The same values, float32; beyond its range they become its largest."""
        limit = np.finfo(np.float32).max
        return np.clip(np.asarray(X, dtype=np.float64), -limit, limit).astype(np.float32)


def feature_pipeline(
    rows: pd.DataFrame,
    target: str,
    config: FeatureConfig,
    clusters: int | None,
    seed: int,
    task: Task = "regression",
) -> Pipeline:
    """The unfitted pipeline from filled columns to the estimator's matrix.

    Args:
        rows: training rows, for the names and kinds of the columns.
        target: the target's name; it is not an input.
        config: what to derive.
        clusters: how many clusters; None leaves them out.
        seed: of the clusters and of the folds in which target means are cross-fitted.
        task: what the target is, for its means.

    Raises:
        UserError: the config names a column that does not exist or is of another kind, a column that it asks for would
            be called as another, two categories would share a name, or a date is hardly ever there.
    """
    numeric, dates, categorical = (kind(rows, target) for kind in (numeric_columns, date_columns, categorical_columns))
    _check(numeric, categorical, config)
    for column in dates:
        if (known := int(rows[column].count())) < min(FEWEST_KNOWN, len(rows)):
            raise UserError(
                f"'{column}' has {known} known dates in the {len(rows)} training rows, too few to learn how to fill it "
                f"(at least {FEWEST_KNOWN}); leave it out with data.drop_columns"
            )
    averaged = [column for column in categorical if column in config.target_encoding]
    one_hot = [column for column in categorical if column not in averaged]
    labels = rows[target].unique() if task == "classification" else ()
    asked = [*config.ratios, *config.expressions]
    levels = [f"{c}_{value}" for c in one_hot for value in rows[c].astype("str").fillna(MISSING_CATEGORY).unique()]
    groups = [
        numeric,
        levels,
        [f"{column}_{part}" for column in dates for part in config.dates],
        [f"cluster_{i}" for i in range(clusters or 0)],
        [f"{c}_{label}" for c in averaged for label in labels] if len(labels) > 2 else averaged,
    ]
    for group in groups:
        _refuse_repeated([*asked, *group])
    # A table may hold `sold` and a `sold_year` of its own: then each name says what made it.
    names = [*asked, *(name for group in groups for name in group)]
    told_apart = len(set(names)) == len(names)
    parts: list[tuple[str, BaseEstimator | str, list[str]]] = [("numeric", "passthrough", numeric)]
    parts += [
        (f"ratio_{i}", Ratio(name), [r.numerator, r.denominator]) for i, (name, r) in enumerate(config.ratios.items())
    ]
    parts += [
        (f"expression_{i}", Expression(name, text), list(parse(text).columns))
        for i, (name, text) in enumerate(config.expressions.items())
    ]
    parts += [(f"date_{i}", DateParts(config.dates), [column]) for i, column in enumerate(dates)]
    if config.clusters is not None and clusters is not None:
        similarity = ClusterSimilarity(clusters, config.clusters.encoding, random_state=seed)
        parts.append(("clusters", similarity, list(config.clusters.columns)))
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    parts.append(("categories", encoder, one_hot))
    parts.append(("target_means", _target_encoder(rows[target], task, seed), averaged))
    columns = ColumnTransformer([part for part in parts if part[2]], verbose_feature_names_out=not told_apart)
    return Pipeline([("columns", columns), ("float32", Float32())])


def preprocessing(rows: pd.DataFrame, target: str, pair: ImputerPair, features: Pipeline) -> Pipeline:
    """The unfitted way from raw columns to the estimator's matrix: fill holes, then derive columns.

    Args:
        rows: training rows, for the names and kinds of the columns.
        target: the target's name; it is not an input.
        pair: the winning imputation; only its recipe is used, it is fitted anew.
        features: from `feature_pipeline`; only its recipe is used.
    """
    scaler = None if pair.scaler is None else clone(pair.scaler)
    numbers, dates = numeric_columns(rows, target), date_columns(rows, target)
    fill: BaseEstimator = ScaledImputer(scaler, clone(pair.imputer))
    if dates:
        fill = Pipeline([("dates", DateNumbers(tuple(dates))), ("fill", fill)])
    parts = [
        ("numeric", fill, [column for column in rows.columns if column in numbers or column in dates]),
        ("categories", Categories(), categorical_columns(rows, target)),
    ]
    impute = ColumnTransformer([part for part in parts if part[2]], verbose_feature_names_out=False)
    impute.set_output(transform="pandas")
    return Pipeline([("columns", RawColumns()), ("impute", impute), ("features", clone(features))])


def _target_encoder(labels: pd.Series, task: Task, seed: int) -> TargetEncoder:
    # Labels such as 0.5 and 1.5 are numbers to scikit-learn.
    if task == "regression" or (pd.api.types.is_float_dtype(labels.dtype) and bool((labels % 1 != 0).any())):
        return TargetEncoder(target_type="continuous", cv=KFold(TARGET_FOLDS, shuffle=True, random_state=seed))
    # Of classes it counts for itself how many there are: a fold may lack one of three.
    return TargetEncoder(target_type="auto", cv=StratifiedKFold(TARGET_FOLDS, shuffle=True, random_state=seed))


def _check(numeric: list[str], categorical: list[str], config: FeatureConfig) -> None:
    asked: dict[str, tuple[str, ...]] = {
        f"features.ratios.{name}": (r.numerator, r.denominator) for name, r in config.ratios.items()
    }
    if config.clusters is not None:
        asked["features.clusters.columns"] = config.clusters.columns
    for key, columns in asked.items():
        for column in columns:
            if column not in numeric:
                raise UserError(f"{key}: '{column}' is no numeric input column; there are {', '.join(numeric)}")
    for name, text in config.expressions.items():
        program = parse(text)
        for column, position in zip(program.columns, program.positions, strict=True):
            if column not in numeric:
                raise UserError(f"features.expressions.{name}: {unknown_column(column, position, text, numeric)}")
    for column in config.target_encoding:
        if column not in categorical:
            there = ", ".join(categorical) or "none"
            raise UserError(f"features.target_encoding: '{column}' is no category column; there are {there}")


def _refuse_repeated(names: list[str]) -> None:
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise UserError(f"features: two columns would be called '{repeated[0]}'; rename the column or the derived one")
