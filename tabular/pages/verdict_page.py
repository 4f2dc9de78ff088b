"""One page about a verdict: what was found and why, how it developed, and what to do next."""

from collections.abc import Mapping, Sequence

from tabular.pages import rendering
from tabular.pages.timeline import out_of_the_ordinary
from tabular.reports.verdicts import Kind, Verdict


def verdict_page(verdict: Verdict, pictures: Mapping[str, bytes], earlier: Sequence[Verdict] = ()) -> str:
    """One HTML page that needs nothing else.

    Args:
        verdict: the newest verdict.
        pictures: PNG files by name, in the order in which they are shown; for the names see `tabular.pages.pictures`.
        earlier: verdicts on the windows before, the oldest first. With any, the page shows the development over time.
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
