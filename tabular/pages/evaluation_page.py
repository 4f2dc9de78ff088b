"""One page about a model's evaluation on the held-out rows: its numbers, the parts of the rows and the pictures."""

from collections.abc import Mapping

from tabular.learning.metrics import is_better
from tabular.pages import rendering, words
from tabular.reports.training import Evaluation


def evaluation_page(evaluation: Evaluation, title: str, pictures: Mapping[str, bytes]) -> str:
    """One HTML page that needs nothing else.

    Args:
        evaluation: the numbers.
        title: the heading, plain text.
        pictures: PNG files by name, in the order in which they are shown; for the names see `tabular.pages.pictures`.
    """
    validated = evaluation.cross_validation
    return rendering.html(
        "evaluation.html",
        evaluation=evaluation,
        validated=validated,
        folds=max(len(figures.folds) for figures in validated.metrics.values()) if validated else 0,
        labels=[words.metric(name).label for name in evaluation.metrics],
        worse={
            name
            for name, value in evaluation.baseline.items()
            if name in words.METRICS and name in evaluation.metrics
            if is_better(name, value, evaluation.metrics[name].value)
        },
        title=title,
        pictures=pictures,
    )
