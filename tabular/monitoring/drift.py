"""Whether rows differ from those of training: surely, and by so much that it matters."""

from collections.abc import Iterator, Sequence

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

    Args:
        observed: counts from `tabular.monitoring.tally.Tally`, of the same bundle.
        reference: statistics of the training rows.
        bundle: bundle of the model.
        config: the thresholds.

    Raises:
        UserError: the model does not have a column that is to be ignored.
    """
    _check(config.ignore, bundle)
    found = [*_of_columns(observed, reference, bundle, config), *_of_predictions(observed, reference, config)]
    ranks = [-one.value / one.warn if one.warn else 0.0 for one in found]
    judged = [one.kind == "prediction" or one.subject not in config.ignore for one in found]
    p_values = [one.p_value or 0.0 for one, is_judged in zip(found, judged, strict=True) if is_judged]
    adjusted = iter(holm(p_values))
    graded = [
        _graded(one, next(adjusted), config.alpha) if is_judged else _ignored(one)
        for one, is_judged in zip(found, judged, strict=True)
    ]
    order = sorted(range(len(graded)), key=lambda place: (-SEVERITY[graded[place].level], ranks[place]))
    return [graded[place] for place in order]


def _check(ignored: Sequence[str], bundle: Bundle) -> None:
    names = [column.name for column in bundle.columns]
    for name in ignored:
        if name not in names:
            hint = nearest_hint(name, names)
            raise UserError(f"drift.ignore: {bundle.name} {bundle.version} has no column '{name}'{hint}")


def _measured(
    kind: Kind,
    subject: str,
    measure: str,
    value: float,
    threshold: Threshold,
    p_value: float,
    test: str,
    said: str,
    index: float | None = None,
) -> MonitoringFinding:
    """Return a finding that is not graded yet; `index` is the population stability index."""
    return MonitoringFinding(
        kind=kind,
        subject=subject,
        level="ok",
        measure=measure,
        value=value,
        warn=threshold.warn,
        alert=threshold.alert,
        psi=index,
        p_value=p_value,
        test=test,
        words=said,
    )


def _graded(finding: MonitoringFinding, adjusted: float, alpha: float) -> MonitoringFinding:
    assert finding.warn is not None and finding.alert is not None
    level = is_at_least(finding.value, Threshold(warn=finding.warn, alert=finding.alert))
    changes: dict[str, object] = {"adjusted": adjusted, "level": level}
    if level != "ok" and adjusted >= alpha:
        changes |= {"level": "ok", "words": f"{finding.words}; the difference may be due to chance"}
    return finding.model_copy(update=changes)


def _ignored(finding: MonitoringFinding) -> MonitoringFinding:
    said = f"{finding.words}; not judged, because the column is ignored"
    return finding.model_copy(update={"warn": None, "alert": None, "words": said})


def _of_columns(
    observed: Observed, reference: Reference, bundle: Bundle, config: DriftConfig
) -> Iterator[MonitoringFinding]:
    for column in bundle.columns:
        if column.kind == "category":
            shares = reference.categories[column.name]
            yield from _of_category(column, observed.categories[column.name], shares, reference.rows, config)
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
        yield _measured("out_of_range", name, "share", share, config.out_of_range, p_value, "Fisher's exact", said)


def _of_category(
    column: Column, counts: CategoryCounts, reference: CategoryReference, rows: int, config: DriftConfig
) -> Iterator[MonitoringFinding]:
    name = column.name
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
        yield _measured("unknown", name, "share", share, config.out_of_range, p_value, "Fisher's exact", said)


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
    return _measured("missing", name, "change of share", change, config.missing, p_value, "Fisher's exact", said)


def _numbers(
    kind: Kind, name: str, counts: NumberCounts, reference: Histogram, rows: int, config: DriftConfig
) -> MonitoringFinding:
    distance, p_value = kolmogorov_smirnov(counts.cells, reference.reached, rows)
    spoken = None if kind == "prediction" else name
    said = words.numbers(spoken, counts, reference, distance, distance >= config.distance.warn)
    index = psi(counts.bins, reference.shares, rows)
    return _measured(kind, name, "KS distance", distance, config.distance, p_value, "Kolmogorov-Smirnov", said, index)


def _categories(
    kind: Kind, name: str, counts: CategoryCounts, known: dict[str, int], config: DriftConfig
) -> MonitoringFinding:
    found, expected = list(counts.counts.values()), list(known.values())
    distance, of_training = total_variation(found, expected), sum(expected)
    spoken = None if kind == "prediction" else name
    said = words.categories(spoken, counts.counts, known, distance, distance >= config.distance.warn)
    index = psi(found, [count / of_training for count in expected], of_training)
    p_value = homogeneity(found, expected)
    return _measured(kind, name, "total variation", distance, config.distance, p_value, "chi-squared", said, index)
