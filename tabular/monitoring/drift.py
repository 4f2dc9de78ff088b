"""Whether rows differ from those of training: sure, and by so much that it matters."""

from collections.abc import Iterator
from typing import NamedTuple

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


class _Test(NamedTuple):
    """What was measured of one subject, before all that was measured is judged together."""

    kind: Kind
    subject: str
    measure: str
    value: float
    threshold: Threshold
    p_value: float
    test: str
    words: str
    psi: float | None = None


def findings(observed: Observed, reference: Reference, bundle: Bundle, config: DriftConfig) -> list[MonitoringFinding]:
    """Everything that was looked at, the worst first.

    A finding is a warning or an alert where it is sure (below `config.alpha` after Holm's adjustment over all tests of
    the window) and its value reaches the threshold. Columns to ignore take no part in the adjustment.

    Args:
        observed: from `tabular.monitoring.tally.Tally`, of the same bundle.
        reference: of the bundle.
        bundle: the columns.
        config: the thresholds.

    Raises:
        UserError: a column to ignore is none.
    """
    _check(config.ignore, bundle)
    tests = [*_of_columns(observed, reference, bundle, config), *_of_predictions(observed, reference, config)]
    judged = [test.kind == "prediction" or test.subject not in config.ignore for test in tests]
    adjusted = iter(holm([test.p_value for test, counts in zip(tests, judged, strict=True) if counts]))
    pairs = [
        (test, _finding(test, next(adjusted) if counts else None, config.alpha))
        for test, counts in zip(tests, judged, strict=True)
    ]
    pairs.sort(key=lambda pair: (-SEVERITY[pair[1].level], -pair[0].value / pair[0].threshold.warn))
    return [finding for _, finding in pairs]


def _check(ignored: tuple[str, ...], bundle: Bundle) -> None:
    names = [column.name for column in bundle.columns]
    for name in ignored:
        if name not in names:
            hint = nearest_hint(name, names)
            raise UserError(f"drift.ignore: {bundle.name} {bundle.version} has no column '{name}'{hint}")


def _finding(test: _Test, adjusted: float | None, alpha: float) -> MonitoringFinding:
    large = is_at_least(test.value, test.threshold)
    sure = adjusted is not None and adjusted < alpha
    said = test.words
    if adjusted is None:
        said += "; not judged, because the column is ignored"
    elif large != "ok" and not sure:
        said += "; that may be chance"
    return MonitoringFinding(
        kind=test.kind,
        subject=test.subject,
        level=large if sure else "ok",
        measure=test.measure,
        value=test.value,
        warn=None if adjusted is None else test.threshold.warn,
        alert=None if adjusted is None else test.threshold.alert,
        psi=test.psi,
        p_value=test.p_value,
        adjusted=adjusted,
        test=test.test,
        words=said,
    )


def _of_columns(observed: Observed, reference: Reference, bundle: Bundle, config: DriftConfig) -> Iterator[_Test]:
    for column in bundle.columns:
        if column.kind == "category":
            shares = reference.categories[column.name]
            yield from _of_category(column, observed.categories[column.name], shares, reference.rows, config)
        else:
            counts, of_training = observed.numbers[column.name], reference.numbers[column.name]
            yield from _of_number(column, counts, of_training, reference.rows, config)


def _of_number(
    column: Column, counts: NumberCounts, reference: NumberReference, rows: int, config: DriftConfig
) -> Iterator[_Test]:
    name, known = column.name, sum(counts.cells)
    missing = round(reference.missing * rows)
    yield _missing(name, counts.missing, known, missing, rows, config)
    if column.kind == "date" or reference.known is None:
        return
    if known >= FEWEST:
        yield _numbers("distribution", name, counts, reference.known, rows - missing, config)
    if known:
        share = counts.out_of_range / known
        yield _Test(
            kind="out_of_range",
            subject=name,
            measure="share",
            value=share,
            threshold=config.out_of_range,
            p_value=fisher(counts.out_of_range, known, 0, rows - missing, only_more=True),
            test="Fisher's exact",
            words=words.out_of_range(column, share),
        )


def _of_category(
    column: Column, counts: CategoryCounts, reference: CategoryReference, rows: int, config: DriftConfig
) -> Iterator[_Test]:
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
        yield _Test(
            kind="unknown",
            subject=name,
            measure="share",
            value=share,
            threshold=config.out_of_range,
            p_value=fisher(counts.unknown, given, never, of_known, only_more=True),
            test="Fisher's exact",
            words=words.unknown(name, share, before),
        )


def _of_predictions(observed: Observed, reference: Reference, config: DriftConfig) -> Iterator[_Test]:
    if observed.predictions is not None and reference.predictions is not None:
        if sum(observed.predictions.cells) >= FEWEST:
            yield _numbers(
                "prediction", PREDICTION, observed.predictions, reference.predictions, reference.predicted_rows, config
            )
    elif observed.predicted is not None and sum(observed.predicted.counts.values()) >= FEWEST:
        known = {
            label: round(reference.predicted.get(label, 0.0) * reference.predicted_rows)
            for label in observed.predicted.counts
        }
        yield _categories("prediction", PREDICTION, observed.predicted, known, config)


def _missing(name: str, missing: int, given: int, of_training: int, rows: int, config: DriftConfig) -> _Test:
    share, before = missing / (missing + given) if missing + given else 0.0, of_training / rows
    return _Test(
        kind="missing",
        subject=name,
        measure="change of share",
        value=abs(share - before),
        threshold=config.missing,
        p_value=fisher(missing, missing + given, of_training, rows),
        test="Fisher's exact",
        words=words.missing(name, share, before),
    )


def _numbers(
    kind: Kind, name: str, counts: NumberCounts, reference: Histogram, rows: int, config: DriftConfig
) -> _Test:
    distance, p_value = kolmogorov_smirnov(counts.cells, reference.reached, rows)
    spoken = None if kind == "prediction" else name
    return _Test(
        kind=kind,
        subject=name,
        measure="KS distance",
        value=distance,
        threshold=config.distance,
        p_value=p_value,
        test="Kolmogorov-Smirnov",
        words=words.numbers(spoken, counts, reference, distance, distance >= config.distance.warn),
        psi=psi(counts.bins, reference.shares, rows),
    )


def _categories(kind: Kind, name: str, counts: CategoryCounts, known: dict[str, int], config: DriftConfig) -> _Test:
    found, expected = list(counts.counts.values()), list(known.values())
    distance, of_training = total_variation(found, expected), sum(expected)
    spoken = None if kind == "prediction" else name
    return _Test(
        kind=kind,
        subject=name,
        measure="total variation",
        value=distance,
        threshold=config.distance,
        p_value=homogeneity(found, expected),
        test="chi-squared",
        words=words.categories(spoken, counts.counts, known, distance, distance >= config.distance.warn),
        psi=psi(found, [count / of_training for count in expected], of_training),
    )
