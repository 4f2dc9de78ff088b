"""What a figure shows, read back from its parts."""

from typing import Any

from matplotlib.colors import to_hex
from matplotlib.container import BarContainer
from matplotlib.figure import Figure

from tabular.reports.report import Report
from tabular.reports.training import Interval
from tests.support.compared import ERRORS, compared, numbers
from tests.support.reports import (
    classification,
    features,
    gate,
    imputation,
    leaderboard,
    regression,
    search,
    validation,
)
from tests.support.verdicts import found, performance, verdict

FORMULA = r"<script>$\frac{$ & a_very_long_name_that_goes_on_and_on_$x^2$"
"""A name that is markup, a broken formula and too long."""
REPORTS: list[Report] = [
    validation([0, 10, 250]),
    imputation(),
    features(),
    leaderboard(),
    search([14.0, 13.0, 99.0, 12.5, 13.5], pruned=(2,)),
    gate(Interval(value=0.75, low=0.5, high=1.0)),
    regression(),
    regression(rows=1500),
    classification(["no", "yes"]),
    classification(["a", "b", "c"]),
    compared(numbers(ERRORS / 2, ERRORS)),
    verdict(1, found(FORMULA, 0.3, "alert"), performance=performance(), model=FORMULA),
]
"""Reports of every kind that has pictures."""


def bars(axes: Any) -> Any:
    return next(container for container in axes.containers if isinstance(container, BarContainer))


def colours(axes: Any) -> list[str]:
    return [to_hex(bar.get_facecolor()) for bar in bars(axes)]


def lengths(axes: Any) -> list[float]:
    return [bar.get_width() for bar in bars(axes)]


def names(axes: Any) -> list[str]:
    return [label.get_text() for label in axes.get_yticklabels()]


def notes(axes: Any) -> list[str]:
    return [note.get_text() for note in axes.texts]


def title(figure: Figure) -> str:
    return figure.get_suptitle().replace("\n", " ")


def legend(figure: Figure) -> list[str]:
    return [entry.get_text() for entry in figure.legends[0].get_texts()]


def scattered(axes: Any) -> int:
    return sum(len(collection.get_offsets()) for collection in axes.collections)


def line(axes: Any, label: str) -> Any:
    return next(found for found in axes.lines if found.get_label() == label)
