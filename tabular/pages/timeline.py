"""What was found window after window, by what it is about."""

from collections.abc import Sequence

from tabular.reports.verdicts import SEVERITY, Kind, MonitoringFinding, Verdict

MOST = 30
OF_A_COLUMN: tuple[Kind, ...] = ("distribution", "missing", "out_of_range", "unknown", "validation")
"""Kinds whose subject is a column; that of the others is a name of its own."""

Subject = tuple[Kind | None, str]
"""A kind and a subject; the kind is None for a column, which several kinds are about."""


def subject_of(finding: MonitoringFinding) -> Subject:
    """What a finding is about: a column may be called `prediction`, too."""
    return (None if finding.kind in OF_A_COLUMN else finding.kind), finding.subject


def worst_by_subject(verdict: Verdict) -> dict[Subject, MonitoringFinding]:
    """The worst finding on each column, prediction, metric and so on; of equally bad ones the first."""
    found: dict[Subject, MonitoringFinding] = {}
    for finding in verdict.findings:
        subject = subject_of(finding)
        if subject not in found or SEVERITY[finding.level] > SEVERITY[found[subject].level]:
            found[subject] = finding
    return found


def out_of_the_ordinary(verdicts: Sequence[Verdict]) -> list[tuple[str, list[MonitoringFinding | None]]]:
    """What was ever out of the ordinary, with its worst finding in each window; None where it was not looked at.

    Args:
        verdicts: the oldest first.

    Returns:
        At most 30 lines, those with the most and worst findings first.
    """
    by_window = [worst_by_subject(verdict) for verdict in verdicts]
    subjects = dict.fromkeys(subject for found in reversed(by_window) for subject in found)
    badness = {
        subject: sum(SEVERITY[found[subject].level] for found in by_window if subject in found) for subject in subjects
    }
    ordered = sorted((subject for subject in subjects if badness[subject]), key=lambda subject: -badness[subject])
    return [(subject[1], [found.get(subject) for found in by_window]) for subject in ordered[:MOST]]
