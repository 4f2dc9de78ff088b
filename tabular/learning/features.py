"""The preprocessing: from raw columns to the float32 matrix that an estimator is fitted on."""

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
from tabular.config.stages import FeatureConfig, TargetConfig, Task
from tabular.errors import UserError
from tabular.learning.clusters import ClusterSimilarity
from tabular.learning.features_derived import DateFeatures, DateNumbers, ExpressionFeature
from tabular.learning.imputation import FEWEST_KNOWN, ImputerPair, ScaledImputer
from tabular.table.tables import categorical_columns, date_columns, numeric_columns

MISSING_CATEGORY = "missing"
TARGET_FOLDS = 5
"""Folds of the training rows in which target means are cross-fitted."""


class RawColumns(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Selects the training columns in their order: other columns are dropped, absent ones become missing values."""

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """Learn the names of the columns."""
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """The same rows with the learned columns."""
        return X.reindex(columns=list(self.feature_names_in_))


class Categories(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Category columns as text, so that `True` and `"True"` are one category; a missing value is a category too."""

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """Remember the columns; nothing else is learned."""
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: pd.DataFrame) -> NDArray[np.object_]:
        """The same columns as text (rows x columns), dtype object, without missing values."""
        text: NDArray[np.object_] = X.astype("str").to_numpy(dtype=object, copy=True)
        text[X.isna().to_numpy()] = MISSING_CATEGORY
        return text


class Float32(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Casts to float32 as the last step before an estimator, both in training and when serving.

    A compiled model that works in float32 then compares exactly the numbers that the trees were grown on.
    """

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Remember the number of columns; nothing else is learned."""
        self.n_features_in_ = np.shape(X)[1]
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """The same values as float32; those beyond its range become its largest or smallest value."""
        limit = np.finfo(np.float32).max
        return np.clip(np.asarray(X, dtype=np.float64), -limit, limit).astype(np.float32)


def preprocessing(
    rows: pd.DataFrame,
    target: TargetConfig,
    pair: ImputerPair,
    config: FeatureConfig,
    clusters: int | None,
    seed: int,
) -> Pipeline:
    """The unfitted pipeline from raw columns to the estimator's matrix: impute, then derive columns.

    Args:
        rows: training rows, which give the names and kinds of the columns; nothing is fitted on them.
        pair: the chosen imputation; an unfitted copy of it goes into the pipeline.
        clusters: number of clusters; None leaves them out.

    Returns:
        A pipeline with the steps `columns`, `impute` and `features`.

    Raises:
        UserError: the config names a column that does not exist or is of another kind, a derived column would have the
            name of another column, two target means would share a name, or a date column has too few known values.
    """
    numeric, dates = numeric_columns(rows, target.column), date_columns(rows, target.column)
    fill: BaseEstimator = ScaledImputer(None if pair.scaler is None else clone(pair.scaler), clone(pair.imputer))
    if dates:
        fill = Pipeline([("dates", DateNumbers(tuple(dates))), ("fill", fill)])
    parts = [
        ("numeric", fill, [column for column in rows.columns if column in numeric or column in dates]),
        ("categories", Categories(), categorical_columns(rows, target.column)),
    ]
    impute = ColumnTransformer([part for part in parts if part[2]], verbose_feature_names_out=False)
    impute.set_output(transform="pandas")
    columns = _columns(rows, target, config, clusters, seed)
    features = Pipeline([("columns", columns), ("float32", Float32())])
    return Pipeline([("columns", RawColumns()), ("impute", impute), ("features", features)])


def _columns(
    rows: pd.DataFrame, target: TargetConfig, config: FeatureConfig, clusters: int | None, seed: int
) -> ColumnTransformer:
    """The unfitted transformer from filled columns to those of the estimator."""
    numeric, dates, categorical = (
        kind(rows, target.column) for kind in (numeric_columns, date_columns, categorical_columns)
    )
    _check(rows, numeric, dates, categorical, config)
    averaged = [column for column in categorical if column in config.target_encoding]
    one_hot = [column for column in categorical if column not in averaged]
    parts: list[tuple[str, BaseEstimator | str, list[str]]] = [("numeric", "passthrough", numeric)]
    parts += [
        (f"expression_{i}", ExpressionFeature(name, text), list(parse(text).columns))
        for i, (name, text) in enumerate(config.expressions.items())
    ]
    parts += [(f"date_{i}", DateFeatures(config.dates), [column]) for i, column in enumerate(dates)]
    if config.clusters is not None and clusters is not None:
        similarity = ClusterSimilarity(clusters, config.clusters.encoding, random_state=seed)
        parts.append(("clusters", similarity, list(config.clusters.columns)))
    levels = [f"{c}_{value}" for c in one_hot for value in rows[c].astype("str").fillna(MISSING_CATEGORY).unique()]
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    # `has` may hold `garden_True` beside a column `has_garden` that holds `True`: then each column is a part alone.
    is_shared = len(set(levels)) < len(levels)
    encoded = [(f"categories_{i}", [c]) for i, c in enumerate(one_hot)] if is_shared else [("categories", one_hot)]
    parts += [(name, encoder, columns) for name, columns in encoded]
    parts.append(("target_means", _target_encoder(rows[target.column], target.task, seed), averaged))
    labels = rows[target.column].unique() if target.task == "classification" else ()
    groups = [
        numeric,
        sorted(set(levels)),
        [f"{column}_{part}" for column in dates for part in config.dates],
        [f"cluster_{i}" for i in range(clusters or 0)],
        [f"{c}_{label}" for c in averaged for label in labels] if len(labels) > 2 else averaged,
    ]
    for group in groups:
        counts = Counter([*config.expressions, *group])
        if repeated := [name for name, count in counts.items() if count > 1]:
            raise UserError(
                f"features: two columns would be called '{repeated[0]}'; rename the column or the derived one"
            )
    # A table may hold both `sold` and a column `sold_year` of its own: then each name says which part made it.
    names = [*config.expressions, *(name for group in groups for name in group)]
    ambiguous = is_shared or len(set(names)) < len(names)
    return ColumnTransformer([part for part in parts if part[2]], verbose_feature_names_out=ambiguous)


def _target_encoder(labels: pd.Series, task: Task, seed: int) -> TargetEncoder:
    # scikit-learn takes labels such as 0.5 and 1.5 for the numbers of a regression.
    if task == "regression" or (pd.api.types.is_float_dtype(labels.dtype) and bool((labels % 1 != 0).any())):
        return TargetEncoder(target_type="continuous", cv=KFold(TARGET_FOLDS, shuffle=True, random_state=seed))
    # With `auto` the encoder counts the classes itself, because a fold may lack one of three.
    return TargetEncoder(target_type="auto", cv=StratifiedKFold(TARGET_FOLDS, shuffle=True, random_state=seed))


def _check(
    rows: pd.DataFrame, numeric: list[str], dates: list[str], categorical: list[str], config: FeatureConfig
) -> None:
    """Refuse a config that does not fit the columns of the table."""
    for column in config.clusters.columns if config.clusters is not None else ():
        if column not in numeric:
            there = ", ".join(numeric)
            raise UserError(f"features.clusters.columns: '{column}' is not a numeric input column; there are {there}")
    for name, text in config.expressions.items():
        program = parse(text)
        for column, position in zip(program.columns, program.positions, strict=True):
            if column not in numeric:
                raise UserError(f"features.expressions.{name}: {unknown_column(column, position, text, numeric)}")
    for column in config.target_encoding:
        if column not in categorical:
            there = ", ".join(categorical) or "none"
            raise UserError(f"features.target_encoding: '{column}' is not a category column; there are {there}")
    for column in dates:
        if (known := int(rows[column].count())) < min(FEWEST_KNOWN, len(rows)):
            raise UserError(
                f"'{column}' has {known} known dates in the {len(rows)} training rows, too few to learn how to fill it "
                f"(at least {FEWEST_KNOWN}); leave it out with data.drop_columns"
            )
