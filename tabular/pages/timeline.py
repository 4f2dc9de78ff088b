"""Findings of several windows, grouped by their subject."""

from collections.abc import Sequence

from tabular.reports.verdicts import SEVERITY, Kind, MonitoringFinding, Verdict

MOST = 30
"""Largest number of subjects in a timeline."""
OF_A_COLUMN: tuple[Kind, ...] = ("distribution", "missing", "out_of_range", "unknown", "validation")
"""Kinds of findings whose subject is a column. The other kinds have subjects of their own, such as a metric."""

Subject = tuple[Kind | None, str]
"""Kind and name of a subject; the kind tells a column called `prediction` from the predictions.

It is None for a column, because findings of several kinds concern a column.
"""


def worst_by_subject(verdict: Verdict) -> dict[Subject, MonitoringFinding]:
    """Return the worst finding on each subject; the first of several equally bad ones."""
    found: dict[Subject, MonitoringFinding] = {}
    for finding in verdict.findings:
        subject: Subject = (None if finding.kind in OF_A_COLUMN else finding.kind), finding.subject
        if subject not in found or SEVERITY[finding.level] > SEVERITY[found[subject].level]:
            found[subject] = finding
    return found


def out_of_the_ordinary(verdicts: Sequence[Verdict]) -> list[tuple[str, list[MonitoringFinding | None]]]:
    """Return the subjects that had a warning or an alert in any window, with their worst finding in each window.

    Args:
        verdicts: one for each window, the oldest first.

    Returns:
        Names of at most 30 subjects, those with the most and worst findings first. Each has one entry for each window,
        which is None if the subject was not examined in that window.
    """
    by_window = [worst_by_subject(verdict) for verdict in verdicts]
    subjects = dict.fromkeys(subject for found in reversed(by_window) for subject in found)
    badness = {
        subject: sum(SEVERITY[found[subject].level] for found in by_window if subject in found) for subject in subjects
    }
    ordered = sorted((subject for subject in subjects if badness[subject]), key=lambda subject: -badness[subject])
    return [(subject[1], [found.get(subject) for found in by_window]) for subject in ordered[:MOST]]
