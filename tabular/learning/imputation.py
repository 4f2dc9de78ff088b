"""Imputation: four strategies are compared on known values that are masked; the target is never an input."""

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple, Self

import numpy as np
import pandas as pd
from lightgbm import LGBMRegressor
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_iterative_imputer  # noqa: F401  (the import is what enables it)
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from tabular.config.stages import ImputationConfig
from tabular.errors import UserError
from tabular.reports.training import ImputationReport, StrategyScore
from tabular.table.tables import numeric_columns

FEWEST_KNOWN = 20
"""The smallest number of known values in a column with missing ones, so that each fold still has a few."""


class ImputerPair(NamedTuple):
    """The imputation of the numeric columns: scale, impute, scale back.

    Both belong together, because KNN without its scaler measures distances in mixed units.
    """

    scaler: StandardScaler | None
    imputer: SimpleImputer | KNNImputer | IterativeImputer


class ScaledImputer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """An imputer pair as one scikit-learn transformer, which can be refitted inside each fold.

    The scaler is applied before imputing and inverted afterwards; without one the raw values are imputed. The imputer
    is any of scikit-learn's that keeps every column.
    """

    def __init__(self, scaler: StandardScaler | None, imputer: BaseEstimator) -> None:
        self.scaler = scaler
        self.imputer = imputer

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Fit on `X` (rows x numeric columns, NaN for a missing value)."""
        values = _floats(X)
        self.scaler_ = None if self.scaler is None else clone(self.scaler).fit(values)
        with expected_warnings_off():
            self.imputer_ = clone(self.imputer).fit(self._scaled(values))
        self.n_features_in_ = values.shape[1]
        if isinstance(X, pd.DataFrame):
            self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """The same rows and columns without NaN, float64; known values keep every digit."""
        check_is_fitted(self)
        values = _floats(X)
        filled = self.imputer_.transform(self._scaled(values))
        if self.scaler_ is not None:
            # Scaling and scaling back changes the last digit, and a quotient with a divisor that was 0 would be huge.
            filled = np.where(np.isnan(values), self.scaler_.inverse_transform(filled), values)
        return np.asarray(filled, dtype=np.float64)

    def pair(self) -> ImputerPair:
        """The fitted scaler and imputer."""
        check_is_fitted(self)
        return ImputerPair(self.scaler_, self.imputer_)

    def _scaled(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        scaled: NDArray[np.float64] = values if self.scaler_ is None else self.scaler_.transform(values)
        return scaled


@contextmanager
def expected_warnings_off() -> Iterator[None]:
    """Silence warnings about deliberate choices: few rounds of the iterative imputer, and classes of few rows.

    Warning filters belong to the process. Code that fits in several threads enters this context before the threads
    start, so that no thread removes the filter of another.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"\[IterativeImputer\]", ConvergenceWarning)
        warnings.filterwarnings("ignore", "The least populated class in y has only", UserWarning)
        yield


def strategy(name: str, config: ImputationConfig, holes: int, seed: int) -> ScaledImputer:
    """The unfitted transformer of one strategy.

    `iterative` predicts missing values of a column from all other columns by boosted trees. With `skip_complete` it
    does not fit a model for a complete column; if such a column is missing when serving, its median is used. One round
    is enough if one column is incomplete; with several columns three rounds let each use the others' estimates.

    `holes` is the number of columns with missing values.
    """
    if name == "knn":
        return ScaledImputer(StandardScaler(), KNNImputer(n_neighbors=config.neighbours))
    if name == "iterative":
        trees = LGBMRegressor(
            n_estimators=300,
            learning_rate=0.05,
            min_child_samples=5,
            random_state=seed,
            n_jobs=1,
            deterministic=True,
            force_row_wise=True,
            verbose=-1,
        )
        rounds = 1 if holes < 2 else 3
        imputer = IterativeImputer(
            trees,
            max_iter=rounds,
            tol=0.0,
            initial_strategy="median",
            skip_complete=True,
            random_state=seed,
        )
        return ScaledImputer(None, imputer)
    return ScaledImputer(None, SimpleImputer(strategy=name))


def compare(
    rows: pd.DataFrame, target: str, config: ImputationConfig, seed: int
) -> tuple[ImputerPair, ImputationReport]:
    """Mask known values in each incomplete numeric column, rebuild them with each strategy, and keep the best one.

    The target is set aside, because it is not available when serving.

    Returns:
        The best pair, fitted on all training rows, and the comparison. Without missing values the first strategy is
        taken uncompared, because a column may still be missing when serving; without numeric columns it stays unfitted.

    Raises:
        UserError: an incomplete numeric column has fewer than `FEWEST_KNOWN` known values.
    """
    features = rows[numeric_columns(rows, target)]
    missing = {column: int(count) for column, count in features.isna().sum().items()}
    holes = [column for column, count in missing.items() if count]
    for column in holes:
        known_values = len(features) - missing[column]
        if known_values < FEWEST_KNOWN:
            raise UserError(
                f"'{column}' has {known_values} known values in the {len(features)} training rows, too few to learn "
                f"how to fill it (at least {FEWEST_KNOWN}); leave it out with data.drop_columns"
            )
    values = _floats(features)
    masked, truth = _mask(values, [features.columns.get_loc(column) for column in holes], config.masked, seed)
    scores: list[StrategyScore] = []
    seconds: dict[str, float] = {}
    for name in config.strategies if holes else ():
        started = time.perf_counter()
        rebuilt = strategy(name, config, len(holes), seed).fit_transform(masked)
        seconds[name] = time.perf_counter() - started
        for column in holes:
            at, known = truth[features.columns.get_loc(column)]
            rmse = float(np.sqrt(np.mean((rebuilt[at, features.columns.get_loc(column)] - known) ** 2)))
            spread = float(features[column].std(ddof=0)) or 1.0
            scores.append(
                StrategyScore(column=column, strategy=name, rmse=rmse, nrmse=rmse / spread, masked=len(known))
            )
    means = {name: float(np.mean([s.nrmse for s in scores if s.strategy == name])) for name in seconds}
    best = min(means, key=lambda name: means[name]) if means else config.strategies[0]
    report = ImputationReport(best=best, scores=scores, mean_nrmse=means, seconds=seconds, missing=missing)
    recipe = strategy(best, config, len(holes), seed)
    if not missing:
        return ImputerPair(recipe.scaler, recipe.imputer), report
    return recipe.fit(values).pair(), report


def _floats(values: ArrayLike) -> NDArray[np.float64]:
    """A float64 copy with NaN for missing values of any kind, pandas' own NA included."""
    frame = values if isinstance(values, pd.DataFrame) else pd.DataFrame(values)
    return np.array(frame.to_numpy(dtype=np.float64), copy=True)


def _mask(
    values: NDArray[np.float64], columns: list[int], share: float, seed: int
) -> tuple[NDArray[np.float64], dict[int, tuple[NDArray[np.intp], NDArray[np.float64]]]]:
    """A copy with a share of the known values of each column masked, and by column the masked rows and values."""
    random = np.random.default_rng(seed)
    masked = values.copy()
    truth = {}
    for column in columns:
        known = np.flatnonzero(~np.isnan(values[:, column]))
        at = np.sort(random.choice(known, size=max(1, int(len(known) * share)), replace=False))
        truth[column] = (at, values[at, column])
        masked[at, column] = np.nan
    return masked, truth
