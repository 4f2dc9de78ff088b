"""Tables, small fitted pipelines and their evaluations."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, LabelEncoder, OneHotEncoder

from tabular.config.stages import EvaluationConfig, TargetConfig
from tabular.learning.evaluation import evaluate
from tabular.reports.training import Evaluation

PRICE = TargetConfig(column="price")
LABEL = TargetConfig(column="label", task="classification")
CONFIG = EvaluationConfig(bootstrap=100, explained_rows=60)


class Wrapped(ClassifierMixin, BaseEstimator):
    """A classifier behind an `estimator_`, as algorithms that take only codes need it."""

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def fit(self, X: Any, y: Any) -> "Wrapped":
        codes = LabelEncoder().fit(y)
        self.classes_ = codes.classes_
        self.estimator_ = clone(self.estimator).fit(X, codes.transform(y))
        return self

    def predict(self, X: Any) -> Any:
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def predict_proba(self, X: Any) -> Any:
        return self.estimator_.predict_proba(X)


class InFittedOrder(TransformerMixin, BaseEstimator):
    """A transformer that refuses columns in another order than it was fitted with."""

    def fit(self, X: pd.DataFrame, y: Any = None) -> "InFittedOrder":
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        assert list(X.columns) == list(self.feature_names_in_)
        return X

    def get_feature_names_out(self, names: Any = None) -> Any:
        return self.feature_names_in_


def _rows(count: int, seed: int) -> pd.DataFrame:
    """Rows with a price that depends on size and town, a column of noise, and the price as a label of three classes."""
    random = np.random.default_rng(seed)
    size, town = random.uniform(1, 5, count), random.choice(["east", "north", "west"], count, p=[0.6, 0.37, 0.03])
    price = 10 * size + 5 * (town == "east") + random.normal(0, 1, count)
    return pd.DataFrame(
        {
            "size": size,
            "noise": random.normal(size=count),
            "town": town,
            "price": price,
            "label": np.array(["low", "mid", "top"])[np.digitize(price, [25, 40])],
        },
        index=random.permutation(count) + 1000,
    )


TRAIN, HELD_OUT = _rows(400, seed=1), _rows(120, seed=2)
PRICED, PRICED_TRAIN = HELD_OUT.drop(columns="label"), TRAIN.drop(columns="label")
LABELLED, LABELLED_TRAIN = HELD_OUT.drop(columns="price"), TRAIN.drop(columns="price")


def pipeline(estimator: Any, target: TargetConfig, train: pd.DataFrame) -> Pipeline:
    """The estimator behind single-precision columns, fitted; it refuses columns in another order."""
    columns = ColumnTransformer(
        [
            ("numbers", "passthrough", ["size", "noise"]),
            ("towns", OneHotEncoder(sparse_output=False, handle_unknown="ignore"), ["town"]),
        ],
        verbose_feature_names_out=False,
    )
    single = FunctionTransformer(np.float32, feature_names_out="one-to-one")
    model = Pipeline([("order", InFittedOrder()), ("columns", columns), ("single", single), ("estimator", estimator)])
    return model.fit(train.drop(columns=target.column), train[target.column])


def predict(model: Pipeline, rows: pd.DataFrame) -> NDArray[Any]:
    """One prediction for each row."""
    return np.asarray(model.predict(rows[["size", "noise", "town"]]))


def priced(estimator: Any) -> Pipeline:
    """A fitted model of the price."""
    return pipeline(estimator, PRICE, PRICED_TRAIN)


def labelled(estimator: Any, train: pd.DataFrame = LABELLED_TRAIN) -> Pipeline:
    """A fitted model of the label."""
    return pipeline(estimator, LABEL, train)


def ridge() -> Pipeline:
    """A fitted linear model of the price."""
    return priced(TransformedTargetRegressor(Ridge()))


def evaluated(model: Pipeline, held_out: pd.DataFrame = PRICED, metric: str = "wmape", **config: Any) -> Evaluation:
    """The evaluation of a model of the price, under `CONFIG` with changes."""
    chosen = CONFIG.model_copy(update=config)
    return evaluate(model, held_out, PRICED_TRAIN, PRICE, chosen, metric, seed=3)


def classified(
    model: Pipeline,
    metric: str = "accuracy",
    held_out: pd.DataFrame = LABELLED,
    train: pd.DataFrame = LABELLED_TRAIN,
    **config: Any,
) -> Evaluation:
    """The evaluation of a model of the label, under `CONFIG` with changes."""
    chosen = CONFIG.model_copy(update=config)
    return evaluate(model, held_out, train, LABEL, chosen, metric, seed=3)
