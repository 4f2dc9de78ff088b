"""Calibrated probabilities: all logits of a classifier are divided by one temperature.

The method is section 4.2 of "On Calibration of Modern Neural Networks" (Guo et al. 2017); it never changes which class
is the most likely. The module needs numpy alone, so that training and serving share it.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LOWEST, HIGHEST = 0.05, 20.0
"""The ends of the interval that is searched for the temperature."""
ROUNDS = 60
"""Steps of the search; each makes the interval 38 % smaller, which leaves less than 1e-9."""
SMALLEST_SHARE = 1e-6
"""The smallest share of votes that is used, because 0 does not have a logarithm."""


def softmax(logits: Floats, temperature: float) -> Floats:
    """Probabilities (rows x classes) from logits (rows x classes) that are divided by the temperature."""
    divided = logits / temperature
    powers = np.exp(divided - divided.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def logits_of_log_odds(log_odds: Floats) -> Floats:
    """Logits of two classes (rows x 2) from the log-odds of the second class (rows,)."""
    return np.column_stack([np.zeros(len(log_odds)), log_odds])


def logits_of_shares(shares: Floats) -> Floats:
    """Logits (rows x classes) from a forest's shares of votes (rows x classes)."""
    return np.log(np.maximum(shares, SMALLEST_SHARE))


def log_loss(probabilities: Floats, codes: NDArray[np.intp]) -> float:
    """-mean ln(probability of the actual class), with the probability clipped to at least 2.2e-16.

    The codes (rows,) are the columns of the actual classes in the probabilities (rows x classes).
    """
    given = np.take_along_axis(probabilities, codes[:, None], axis=1)
    return float(-np.log(np.clip(given, np.finfo(np.float64).eps, 1.0)).mean())


def best_temperature(logits: Floats, codes: NDArray[np.intp]) -> float:
    """The temperature with the least log loss, by golden-section search (Kiefer 1953) over its logarithm.

    It is 1.0 if no other one is better. The logits (rows x classes) are of rows that the classifier was not fitted on.
    """

    def loss(logarithm: float) -> float:
        return log_loss(softmax(logits, float(np.exp(logarithm))), codes)

    share = (np.sqrt(5.0) - 1.0) / 2.0
    low, high = float(np.log(LOWEST)), float(np.log(HIGHEST))
    inner = [high - share * (high - low), low + share * (high - low)]
    losses = [loss(inner[0]), loss(inner[1])]
    for _ in range(ROUNDS):
        if losses[0] <= losses[1]:
            high, inner[1], losses[1] = inner[1], inner[0], losses[0]
            inner[0] = high - share * (high - low)
            losses[0] = loss(inner[0])
        else:
            low, inner[0], losses[0] = inner[0], inner[1], losses[1]
            inner[1] = low + share * (high - low)
            losses[1] = loss(inner[1])
    found = (low + high) / 2.0
    return float(np.exp(found)) if loss(found) < loss(0.0) else 1.0
