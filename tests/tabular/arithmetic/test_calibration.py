"""Temperatures: found where they are known, kept only where they help."""

import numpy as np
import pytest
from scipy.special import softmax as scipy_softmax

from tabular.arithmetic.calibration import best_temperature, log_loss, logits_of_log_odds, logits_of_shares, softmax
from tabular.learning.metrics import metric


def _drawn(temperature: float, rows: int = 20_000, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and codes drawn from the softmax of the logits divided by the temperature."""
    random = np.random.default_rng(3)
    logits = random.normal(0, 3, size=(rows, classes))
    shares = np.cumsum(scipy_softmax(logits / temperature, axis=1), axis=1)
    return logits, (random.random(rows)[:, None] > shares).sum(axis=1)


@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_the_temperature_that_the_rows_were_drawn_with_is_found(temperature: float) -> None:
    # given
    logits, codes = _drawn(temperature)
    # when
    found = best_temperature(logits, codes)
    # then
    assert found == pytest.approx(temperature, rel=0.05)
    assert log_loss(softmax(logits, found), codes) <= log_loss(softmax(logits, 1.0), codes)


def test_the_softmax_is_the_usual_one_and_keeps_the_order() -> None:
    # given
    logits, _ = _drawn(1.0, rows=50)
    # when
    given = softmax(logits, 2.0)
    # then
    np.testing.assert_allclose(given, scipy_softmax(logits / 2.0, axis=1), rtol=1e-12)
    np.testing.assert_array_equal(given.argmax(axis=1), logits.argmax(axis=1))
    assert softmax(np.array([[1e4, -1e4, -np.inf]]), 0.5).tolist() == [[1.0, 0.0, 0.0]]


def test_log_odds_and_shares_become_logits() -> None:
    np.testing.assert_allclose(softmax(logits_of_log_odds(np.array([np.log(3.0)])), 1.0), [[0.25, 0.75]])
    np.testing.assert_allclose(softmax(logits_of_shares(np.array([[0.0, 0.2, 0.8]])), 1.0), [[0, 0.2, 0.8]], atol=2e-6)


def test_one_is_kept_where_nothing_is_better() -> None:
    # given logits that say nothing
    assert best_temperature(np.zeros((6, 2)), np.array([0, 1, 0, 1, 0, 1])) == 1.0


def test_the_log_loss_is_that_of_the_metrics() -> None:
    # given
    logits, codes = _drawn(1.0, rows=100)
    shares = softmax(logits, 1.0)
    # when / then
    expected = metric("log_loss", "classification", codes, codes, shares, range(4))
    assert log_loss(shares, codes) == pytest.approx(expected, rel=1e-12)
