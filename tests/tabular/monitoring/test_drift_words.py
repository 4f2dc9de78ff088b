"""Sentences for people: what is rounded, and what is cut short."""

import pytest

from tabular.monitoring import drift_words


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0, "0.0 %"),
        (0.0004, "below 0.1 %"),
        (0.0006, "0.1 %"),
        (0.202, "20.2 %"),
        (0.9996, "above 99.9 %"),
        (1.0, "100.0 %"),
    ],
)
def test_a_share_is_never_rounded_to_nothing_or_to_all(share: float, said: str) -> None:
    assert drift_words.percent(share) == said


def test_a_long_category_is_cut_short() -> None:
    said = drift_words.categories("place", {"x" * 50: 3, "y": 1}, {"x" * 50: 1, "y": 3}, 0.5, True)
    assert said == f"place: {'x' * 40}... is 75.0 %, 25.0 % in training: total variation 0.50"
