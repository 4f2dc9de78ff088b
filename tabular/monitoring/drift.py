"""Whether rows differ from those of training: surely, and by so much that it matters."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from tabular.bundles.bundle import Bundle, Column
from tabular.bundles.encoding import MISSING
from tabular.bundles.reference import CategoryReference, Histogram, NumberReference, Reference
from tabular.config.monitoring import DriftConfig, Threshold, is_at_least
from tabular.errors import UserError, nearest_hint
from tabular.monitoring import drift_words as words
from tabular.monitoring.statistics import fisher, holm, homogeneity, kolmogorov_smirnov, psi, total_variation
from tabular.reports.verdicts import SEVERITY, CategoryCounts, Kind, MonitoringFinding, NumberCounts, Observed

FEWEST = 30
"""With fewer known values distributions are not compared."""
PREDICTION = "prediction"
"""Subject of the findings about predictions, and name of their column in tables for people."""


def drift_findings(
    observed: Observed, reference: Reference, bundle: Bundle, config: DriftConfig
) -> list[MonitoringFinding]:
    """Compare rows with those of training. Returns all findings, the worst first.

    A finding is a warning or an alert where it is sure (its p-value is below `config.alpha` after Holm's adjustment
    over all tests of the window) and its value reaches the threshold. Ignored columns do not take part in the
    adjustment.

    Raises:
        UserError: the model does not have a column that is to be ignored.
    """
    names = [column.name for column in bundle.columns]
    for name in config.ignore:
        if name not in names:
            hint = nearest_hint(name, names)
            raise UserError(f"drift.ignore: {bundle.name} {bundle.version} has no column '{name}'{hint}")
    found = [*_of_columns(observed, reference, bundle, config), *_of_predictions(observed, reference, config)]
    found.sort(key=lambda one: -one.value / one.warn if one.warn else 0.0)
    judged = [one.kind == "prediction" or one.subject not in config.ignore for one in found]
    adjusted = iter(holm([one.p_value or 0.0 for one, is_judged in zip(found, judged, strict=True) if is_judged]))
    graded = [
        _adjusted(one, next(adjusted), config.alpha) if is_judged else _ignored(one)
        for one, is_judged in zip(found, judged, strict=True)
    ]
    return sorted(graded, key=lambda one: -SEVERITY[one.level])


def measured(
    kind: Kind, subject: str, measure: str, value: float, limits: Threshold | None, words: str, **more: Any
) -> MonitoringFinding:
    """Return a finding with the level that its value has by the limits; `more` are further fields of it."""
    return MonitoringFinding(
        kind=kind,
        subject=subject,
        level="ok" if limits is None else is_at_least(value, limits),
        measure=measure,
        value=value,
        warn=None if limits is None else limits.warn,
        alert=None if limits is None else limits.alert,
        words=words,
        **more,
    )


_of_shares = partial(measured, test="Fisher's exact")


def _adjusted(finding: MonitoringFinding, adjusted: float, alpha: float) -> MonitoringFinding:
    changes: dict[str, object] = {"adjusted": adjusted}
    if finding.level != "ok" and adjusted >= alpha:
        changes |= {"level": "ok", "words": f"{finding.words}; the difference may be due to chance"}
    return finding.model_copy(update=changes)


def _ignored(finding: MonitoringFinding) -> MonitoringFinding:
    said = f"{finding.words}; not judged, because the column is ignored"
    return finding.model_copy(update={"level": "ok", "warn": None, "alert": None, "words": said})


def _of_columns(
    observed: Observed, reference: Reference, bundle: Bundle, config: DriftConfig
) -> Iterator[MonitoringFinding]:
    for column in bundle.columns:
        if column.kind == "category":
            shares = reference.categories[column.name]
            yield from _of_category(column.name, observed.categories[column.name], shares, reference.rows, config)
        else:
            counts, of_training = observed.numbers[column.name], reference.numbers[column.name]
            yield from _of_number(column, counts, of_training, reference.rows, config)


def _of_number(
    column: Column, counts: NumberCounts, reference: NumberReference, rows: int, config: DriftConfig
) -> Iterator[MonitoringFinding]:
    name, known = column.name, sum(counts.cells)
    missing = round(reference.missing * rows)
    yield _missing(name, counts.missing, known, missing, rows, config)
    if column.kind == "date" or reference.known is None:
        return
    if known >= FEWEST:
        yield _numbers("distribution", name, counts, reference.known, rows - missing, config)
    if known:
        share = counts.out_of_range / known
        p_value = fisher(counts.out_of_range, known, 0, rows - missing, only_more=True)
        said = words.out_of_range(column, share)
        yield _of_shares("out_of_range", name, "share", share, config.out_of_range, said, p_value=p_value)


def _of_category(
    name: str, counts: CategoryCounts, reference: CategoryReference, rows: int, config: DriftConfig
) -> Iterator[MonitoringFinding]:
    of_training = {category: round(share * rows) for category, share in reference.shares.items()}
    missing = of_training.pop(MISSING, 0)
    given, of_known = sum(counts.counts.values()) + counts.unknown, rows - missing
    yield _missing(name, counts.missing, given, missing, rows, config)
    known = {category: of_training.pop(category, 0) for category in counts.counts}
    if sum(counts.counts.values()) >= FEWEST and any(known.values()):
        yield _categories("distribution", name, counts, known, config)
    if given:
        never = sum(of_training.values())
        share, before = counts.unknown / given, never / of_known if of_known else 0.0
        p_value = fisher(counts.unknown, given, never, of_known, only_more=True)
        said = words.unknown(name, share, before)
        yield _of_shares("unknown", name, "share", share, config.out_of_range, said, p_value=p_value)


def _of_predictions(observed: Observed, reference: Reference, config: DriftConfig) -> Iterator[MonitoringFinding]:
    if observed.predictions is not None and reference.predictions is not None:
        counts, rows = observed.predictions, reference.predicted_rows
        if sum(counts.cells) >= FEWEST:
            yield _numbers("prediction", PREDICTION, counts, reference.predictions, rows, config)
    elif observed.predicted is not None and sum(observed.predicted.counts.values()) >= FEWEST:
        known = {
            label: round(reference.predicted.get(label, 0.0) * reference.predicted_rows)
            for label in observed.predicted.counts
        }
        yield _categories("prediction", PREDICTION, observed.predicted, known, config)


def _missing(
    name: str, missing: int, given: int, of_training: int, rows: int, config: DriftConfig
) -> MonitoringFinding:
    share, before = missing / (missing + given) if missing + given else 0.0, of_training / rows
    p_value = fisher(missing, missing + given, of_training, rows)
    change, said = abs(share - before), words.missing(name, share, before)
    return _of_shares("missing", name, "change of share", change, config.missing, said, p_value=p_value)


def _numbers(
    kind: Kind, name: str, counts: NumberCounts, reference: Histogram, rows: int, config: DriftConfig
) -> MonitoringFinding:
    distance, p_value = kolmogorov_smirnov(counts.cells, reference.reached, rows)
    spoken = None if kind == "prediction" else name
    said = words.numbers(spoken, counts, reference, distance, distance >= config.distance.warn)
    index = psi(counts.bins, reference.shares, rows)
    tested = {"psi": index, "p_value": p_value, "test": "Kolmogorov-Smirnov"}
    return measured(kind, name, "KS distance", distance, config.distance, said, **tested)


def _categories(
    kind: Kind, name: str, counts: CategoryCounts, known: dict[str, int], config: DriftConfig
) -> MonitoringFinding:
    found, expected = list(counts.counts.values()), list(known.values())
    distance, of_training = total_variation(found, expected), sum(expected)
    spoken = None if kind == "prediction" else name
    said = words.categories(spoken, counts.counts, known, distance, distance >= config.distance.warn)
    index = psi(found, [count / of_training for count in expected], of_training)
    tested = {"psi": index, "p_value": homogeneity(found, expected), "test": "chi-squared"}
    return measured(kind, name, "total variation", distance, config.distance, said, **tested)
