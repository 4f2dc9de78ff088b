"""HTML pages about an evaluation, a comparison and a verdict; each is one file that needs nothing else.

Each function takes PNG files by name, in the order in which they are shown; for the names see `tabular.pages.pictures`.
A title is plain text.
"""

from collections.abc import Mapping, Sequence

from tabular.learning.comparison import Comparison
from tabular.learning.metrics import is_better
from tabular.pages import rendering, words
from tabular.pages.timeline import out_of_the_ordinary
from tabular.reports.training import Evaluation
from tabular.reports.verdicts import Kind, Verdict


def evaluation_page(evaluation: Evaluation, title: str, pictures: Mapping[str, bytes]) -> str:
    """Return the page about a model's evaluation: the metrics, the parts of the held-out rows and the pictures."""
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


def comparison_page(comparison: Comparison, title: str, pictures: Mapping[str, bytes]) -> str:
    """Return the page about two versions side by side: the differences, the metrics and the picture."""
    tests = {test.metric: test for test in comparison.tests}
    return rendering.html("comparison.html", comparison=comparison, tests=tests, title=title, pictures=pictures)


def verdict_page(verdict: Verdict, pictures: Mapping[str, bytes], earlier: Sequence[Verdict] = ()) -> str:
    """Return the page about a verdict: the findings, the reasons, the development over time, and what to do next.

    Args:
        verdict: the newest verdict.
        pictures: PNG files by name.
        earlier: verdicts on the windows before, the oldest first; without any, no development is shown.
    """
    troubles: dict[Kind, list[str]] = {}
    for finding in verdict.findings:
        if finding.level != "ok":
            troubles.setdefault(finding.kind, []).append(finding.subject)
    windows = [*earlier, verdict]
    return rendering.html(
        "verdict.html",
        verdict=verdict,
        troubles=troubles,
        windows=windows,
        timeline=out_of_the_ordinary(windows),
        title=f"{verdict.model} version {verdict.version}: {verdict.level.replace('_', ' ')}",
        pictures=pictures,
    )
