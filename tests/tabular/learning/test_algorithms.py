"""The algorithms that compete, for both tasks and any labels."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from threadpoolctl import threadpool_limits

from tabular.arithmetic.calibration import softmax
from tabular.errors import UserError
from tabular.learning.algorithms import ALGORITHMS, LabelledClassifier, estimator, transforms_for
from tabular.storage.persistence import to_bytes

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(150, 4)).astype(np.float32)
Y = np.exp(X[:, 0] + X[:, 1])
WORDS = np.where(X[:, 0] > 0.5, "high", np.where(X[:, 0] > -0.5, "middle", "low")).astype(object)
SMALL: dict[str, dict[str, Any]] = {
    "linear": {},
    "random_forest": {"n_estimators": 5, "max_features": 1.0},
    "hist_gradient_boosting": {"max_iter": 10},
    "lightgbm": {"n_estimators": 10},
    "xgboost": {"n_estimators": 10},
}


@pytest.fixture(autouse=True)
def _one_core() -> Iterator[None]:
    """On a busy machine the threads of scikit-learn's boosting wait for each other far longer than they work."""
    with threadpool_limits(1):
        yield


def test_at_least_five_algorithms_each_with_a_small_grid() -> None:
    assert set(SMALL) == set(ALGORITHMS)
    for algorithm in ALGORITHMS.values():
        assert 1 < len(algorithm.points("regression")) <= 6
        assert 1 < len(algorithm.points("classification")) <= 6


@pytest.mark.parametrize("name", ALGORITHMS)
@pytest.mark.parametrize(
    "labels", [WORDS, X[:, 0] > 0, np.where(X[:, 0] > 0, 7, -2), WORDS.astype("U")], ids=["text", "bool", "int", "U"]
)
def test_a_classifier_answers_with_the_labels_it_was_given(name: str, labels: Any) -> None:
    # given / when
    model = estimator(name, "classification", SMALL[name], "none", 1, 1).fit(X, labels)
    # then
    assert list(model.classes_) == sorted(set(labels))
    probabilities = model.predict_proba(X)
    assert probabilities.shape == (150, len(model.classes_)) and probabilities.dtype == np.float64
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    predicted = model.predict(X)
    np.testing.assert_array_equal(predicted, model.classes_[probabilities.argmax(axis=1)])
    assert (predicted == labels).mean() > 0.8
    assert model.score(X, labels) == (predicted == labels).mean()


@pytest.mark.parametrize("name", ALGORITHMS)
@pytest.mark.parametrize("transform", ["none", "log"])
def test_a_regressor_predicts_in_the_targets_own_unit(name: str, transform: Any) -> None:
    # given / when
    predicted = estimator(name, "regression", SMALL[name], transform, 1, 1).fit(X, Y).predict(X)
    # then
    assert predicted.shape == (150,)
    assert np.corrcoef(np.log(np.maximum(predicted, 1e-3)), np.log(Y))[0, 1] > 0.5
    if transform == "log":
        assert (predicted > 0).all()


def test_a_log_transform_fits_the_logarithm() -> None:
    # given a target whose logarithm is linear
    logged = estimator("linear", "regression", {"alpha": 1e-6}, "log", 1, 1).fit(X, Y)
    # when / then
    np.testing.assert_allclose(logged.predict(X), Y, rtol=1e-3)


@pytest.mark.parametrize("name", ALGORITHMS)
@pytest.mark.parametrize("task", ["regression", "classification"])
def test_the_same_model_each_time(name: str, task: Any) -> None:
    # given / when
    target = Y if task == "regression" else WORDS
    first, again = (estimator(name, task, SMALL[name], "none", 1, 1).fit(X, target) for _ in range(2))
    # then
    assert to_bytes(first) == to_bytes(again)


@pytest.mark.parametrize("name", ["lightgbm", "xgboost", "random_forest"])
def test_the_number_of_threads_moves_no_digit(name: str) -> None:
    one, two = (estimator(name, "regression", SMALL[name], "none", 1, threads).fit(X, Y) for threads in (1, 2))
    np.testing.assert_array_equal(one.predict(X), two.predict(X))


@pytest.mark.parametrize("name", [name for name in ALGORITHMS if ALGORITHMS[name].rounds])
def test_rounds_name_the_parameter_that_counts_them(name: str) -> None:
    built = estimator(name, "regression", {str(ALGORITHMS[name].rounds): 3}, "none", 1, 1)
    assert built.get_params()[f"regressor__{ALGORITHMS[name].rounds}"] == 3


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_point_of_the_grid_is_accepted_for_both_tasks(name: str) -> None:
    for point in ALGORITHMS[name].points("classification"):
        estimator(name, "classification", point, "none", 1, 1)
    for point in ALGORITHMS[name].points("regression"):
        inner = estimator(name, "regression", point, "none", 1, 1).get_params()
        for key, value in point.items():
            assert value in [held for path, held in inner.items() if path.endswith(f"__{key}")]


def test_unknown_algorithms_and_parameters_are_refused() -> None:
    with pytest.raises(UserError, match=r"^there is no algorithm 'svm'; there are linear, random_forest, .*$"):
        estimator("svm", "regression", {}, "none", 1, 1)
    for name, parameter in (("linear", "alhpa"), ("hist_gradient_boosting", "n_estimators"), ("xgboost", "n_jobs")):
        with pytest.raises(UserError, match=rf"^algorithm '{name}': .*{parameter}.*$"):
            estimator(name, "regression", {parameter: 1}, "none", 1, 1)


@pytest.mark.parametrize(
    ("task", "target", "asked", "offered"),
    [
        ("regression", [1.0, 2.0], ("none", "log"), ["none", "log"]),
        ("regression", [0.0, 2.0], ("none", "log"), ["none"]),
        ("regression", [-1, 2], ("log",), ["none"]),
        ("regression", [1, 2], ("log",), ["log"]),
        ("regression", [1, 2], ("none",), ["none"]),
        ("classification", ["a", "b"], ("none", "log"), ["none"]),
        ("classification", [1, 2], ("log",), ["none"]),
    ],
)
def test_a_log_is_offered_only_for_a_positive_number(task: Any, target: Any, asked: Any, offered: list[str]) -> None:
    assert transforms_for(task, target, asked) == offered


def test_a_labelled_classifier_is_an_estimator() -> None:
    # given
    built = estimator("xgboost", "classification", {"n_estimators": 2}, "none", 1, 1)
    assert isinstance(clone(built), LabelledClassifier)
    # when / then
    with pytest.raises(NotFittedError):
        built.predict(X)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_balanced_classes_weigh_the_same(name: str) -> None:
    # given one row in ten of a class that overlaps with the other
    random = np.random.default_rng(2)
    labels = np.where(random.random(400) < 0.1, "rare", "usual")
    matrix = (random.normal(size=(400, 2)) + (labels == "rare")[:, None]).astype(np.float32)
    # when
    plain, balanced = (
        estimator(name, "classification", SMALL[name], "none", 1, 1, weight).fit(matrix, labels)
        for weight in (None, "balanced")
    )
    # then the rare one is thought more likely
    assert balanced.predict_proba(matrix)[:, 0].mean() > 1.5 * plain.predict_proba(matrix)[:, 0].mean()


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("name", ALGORITHMS)
def test_the_softmax_of_the_logits_is_what_the_estimator_says(name: str, classes: int) -> None:
    # given
    random = np.random.default_rng(2)
    matrix = random.normal(size=(200, 2)).astype(np.float32)
    model = estimator(name, "classification", SMALL[name], "none", 1, 1).fit(matrix, random.integers(0, classes, 200))
    plain = model.predict_proba(matrix)
    # when / then
    np.testing.assert_allclose(softmax(model.logits(matrix), 1.0), plain, atol=5e-6)
    # and a high temperature makes it less sure of the same labels
    warm = model.set_params(temperature=3.0).predict_proba(matrix)
    np.testing.assert_array_equal(warm.argmax(axis=1), plain.argmax(axis=1))
    assert warm.max(axis=1).mean() < plain.max(axis=1).mean()
