"""What differs is found by name, what does not is left alone, for few rows and for a million."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from tabular.config.monitoring import DriftConfig, Threshold
from tabular.errors import UserError
from tabular.monitoring.drift import drift_findings
from tabular.monitoring.statistics import holm
from tabular.reports.verdicts import MonitoringFinding, NumberCounts, Observed
from tests.support.described import Described, described, prices, table

CONFIG = DriftConfig()
Change = Callable[[pd.DataFrame], pd.DataFrame]


@pytest.fixture(scope="module")
def subject() -> Described:
    return described(table(5000, 1))


def _found(subject: Described, observed: Observed, config: DriftConfig = CONFIG) -> list[MonitoringFinding]:
    return drift_findings(observed, subject.reference, subject.bundle, config)


def _of(found: list[MonitoringFinding], subject: str, kind: str = "distribution") -> MonitoringFinding:
    return next(finding for finding in found if (finding.subject, finding.kind) == (subject, kind))


def _alarms(found: list[MonitoringFinding]) -> list[tuple[str, str]]:
    return [(finding.subject, finding.kind) for finding in found if finding.level != "ok"]


def _times(observed: Observed, factor: int) -> Observed:
    """The same shares of so many times the rows."""

    def more(counts: NumberCounts) -> NumberCounts:
        plain = counts.model_dump()
        for name in ("missing", "out_of_range"):
            plain[name] *= factor
        for name in ("bins", "cells"):
            plain[name] = [count * factor for count in plain[name]]
        return NumberCounts(**plain)

    assert observed.predictions is not None
    categories = {
        name: counts.model_copy(
            update={
                "missing": counts.missing * factor,
                "unknown": counts.unknown * factor,
                "counts": {category: count * factor for category, count in counts.counts.items()},
            }
        )
        for name, counts in observed.categories.items()
    }
    return observed.model_copy(
        update={
            "rows": observed.rows * factor,
            "numbers": {name: more(counts) for name, counts in observed.numbers.items()},
            "categories": categories,
            "predictions": more(observed.predictions),
        }
    )


@pytest.mark.parametrize(
    ("change", "where", "said"),
    [
        (lambda rows: rows.assign(rooms=8.0), ("rooms", "distribution"), "rooms: values are higher (mean 8.00, "),
        (lambda rows: rows.assign(rooms=2.0), ("rooms", "distribution"), "rooms: values are lower (mean 2.00, "),
        (
            lambda rows: rows.assign(rooms=np.tile([1.0, 6.6], 250)),
            ("rooms", "distribution"),
            "rooms: values are spread differently (mean 3.80, ",
        ),
        (
            lambda rows: rows.assign(income=rows["income"].where(np.arange(500) % 5 > 0)),
            ("income", "missing"),
            "income: 22.4 % missing, 5.3 % in training",
        ),
        (
            lambda rows: rows.assign(rooms=rows["rooms"].where(np.arange(500) % 20 > 0, 9.0)),
            ("rooms", "out_of_range"),
            "rooms: 5.0 % of values are beyond those of training, 1 to 8",
        ),
        (
            lambda rows: rows.assign(place=rows["place"].where(np.arange(500) % 3 > 0, "island")),
            ("place", "distribution"),
            "place: island is 35.8 %, 4.2 % in training: total variation 0.32",
        ),
        (
            lambda rows: rows.assign(place=rows["place"].where(np.arange(500) % 20 > 0, "moon")),
            ("place", "unknown"),
            "place: 5.0 % of values are categories that the model does not know",
        ),
        (lambda rows: rows.assign(heat="oil"), ("heat", "missing"), "heat: 0.0 % missing, "),
        (
            lambda rows: rows.assign(sold=rows["sold"].where(np.arange(500) % 5 > 0)),
            ("sold", "missing"),
            "sold: 20.0 % missing, 0.0 % in training",
        ),
    ],
    ids=["higher", "lower", "spread", "missing", "beyond", "category", "unknown", "no longer missing", "dates"],
)
def test_a_change_is_found_in_its_column(subject: Described, change: Change, where: tuple[str, str], said: str) -> None:
    # given: a window in which nothing else has changed
    rows = table(500, 2)
    observed = subject.observed(change(rows), prices(rows))
    # when
    found = _found(subject, observed)
    # then
    worst = _of(found, *where)
    assert worst.level == "alert"
    assert worst.words.startswith(said)
    assert {name for name, _ in _alarms(found)} == {where[0]}


def test_predictions_that_are_higher_are_found(subject: Described) -> None:
    rows = table(500, 2)
    found = _found(subject, subject.observed(rows, prices(rows) + 1500))
    assert _alarms(found) == [("prediction", "prediction")]
    assert found[0].words.startswith("predictions are higher (mean 6,")
    assert (found[0].measure, found[0].test) == ("KS distance", "Kolmogorov-Smirnov")
    assert (found[0].warn, found[0].alert) == (CONFIG.distance.warn, CONFIG.distance.alert)
    assert found[0].psi is not None
    assert found[0].psi > 0.25


def test_predicted_classes_that_are_rarer_are_found() -> None:
    # given
    rows, classes = table(3000, 1), ("dear", "plain")
    subject = described(rows, np.repeat(classes, 1500), classes)
    window = table(400, 2)
    # when
    quiet = _found(subject, subject.observed(window, np.arange(400) % 2))
    found = _found(subject, subject.observed(window, (np.arange(400) % 4 > 0).astype(int)))
    # then
    assert _alarms(quiet) == []
    assert _alarms(found) == [("prediction", "prediction")]
    assert found[0].words == "predictions: dear is 25.0 %, 50.0 % held out: total variation 0.25"


def test_a_class_that_was_never_predicted_held_out_is_found() -> None:
    # given
    rows, classes = table(3000, 1), ("dear", "plain", "rare")
    subject = described(rows, np.repeat(classes[:2], 1500), classes)
    # when
    found = _found(subject, subject.observed(table(400, 2), np.tile([0, 0, 1, 1, 2], 80)))
    # then
    assert _alarms(found) == [("prediction", "prediction")]
    assert found[0].words == "predictions: rare is 20.0 %, 0.0 % held out: total variation 0.20"


@pytest.mark.parametrize("size", [50, 500, 5000])
def test_windows_of_the_same_source_are_quiet(subject: Described, size: int) -> None:
    for seed in range(10, 25 if size < 5000 else 13):
        found = _found(subject, subject.observed(table(size, seed)))
        assert _alarms(found) == [], seed


def test_everything_that_was_looked_at_is_there_once(subject: Described) -> None:
    found = _found(subject, subject.observed(table(500, 2)))
    assert sorted((finding.subject, finding.kind) for finding in found) == [
        ("heat", "distribution"),
        ("heat", "missing"),
        ("heat", "unknown"),
        ("income", "distribution"),
        ("income", "missing"),
        ("income", "out_of_range"),
        ("place", "distribution"),
        ("place", "missing"),
        ("place", "unknown"),
        ("prediction", "prediction"),
        ("rooms", "distribution"),
        ("rooms", "missing"),
        ("rooms", "out_of_range"),
        ("sold", "missing"),
    ]
    assert "as in training" in _of(found, "rooms").words


def test_a_tiny_difference_of_a_million_rows_is_sure_and_too_small_to_matter(subject: Described) -> None:
    # given: a fiftieth of the rows has one room more, in a million rows of training and of the window
    rows = table(5000, 1)
    rows["rooms"] += (np.arange(5000) % 50 == 0) & (rows["rooms"] < 8)
    reference = subject.reference.model_copy(update={"rows": 1_000_000})
    # when
    found = drift_findings(_times(subject.observed(rows), 200), reference, subject.bundle, CONFIG)
    # then
    rooms = _of(found, "rooms")
    assert rooms.adjusted is not None
    assert rooms.adjusted < CONFIG.alpha
    assert 0 < rooms.value < CONFIG.distance.warn
    assert _alarms(found) == []


def test_a_large_difference_of_few_rows_may_be_chance(subject: Described) -> None:
    # given: 40 rows, half of which have a room more
    rows = table(40, 3)
    rows["rooms"] += np.arange(40) % 2
    # when
    rooms = _of(_found(subject, subject.observed(rows)), "rooms")
    # then
    assert rooms.value > CONFIG.distance.alert
    assert rooms.level == "ok"
    assert rooms.words.endswith("; the difference may be due to chance")


def test_of_fewer_than_thirty_known_values_no_distribution_is_compared(subject: Described) -> None:
    # given: 29 rows, whose incomes are all beyond those of training
    rows = table(29, 3)
    rows["income"] = 99.0
    # when
    found = _found(subject, subject.observed(rows))
    # then
    assert {finding.kind for finding in found} == {"missing", "out_of_range", "unknown"}
    assert _of(found, "income", "out_of_range").level == "alert"


def test_a_column_of_holes_alone_is_missing_and_nothing_else(subject: Described) -> None:
    found = _found(subject, subject.observed(table(500, 2).assign(income=None, place=None)))
    assert _alarms(found)[:2] == [("place", "missing"), ("income", "missing")]
    assert [finding.kind for finding in found if finding.subject in ("income", "place")] == ["missing", "missing"]


def test_a_column_that_training_never_knew_is_judged_by_its_holes() -> None:
    # given
    subject = described(table(2000, 1).assign(rooms=np.nan), prices(table(2000, 1)))
    # when
    found = _found(subject, subject.observed(table(500, 2)))
    # then
    assert [(finding.kind, finding.level) for finding in found if finding.subject == "rooms"] == [("missing", "alert")]


def test_ignored_columns_are_shown_and_not_judged(subject: Described) -> None:
    # given
    rows = table(500, 2).assign(rooms=8.0)
    # when
    found = _found(subject, subject.observed(rows, prices(table(500, 2))), DriftConfig(ignore=("rooms",)))
    # then
    assert _alarms(found) == []
    rooms = _of(found, "rooms")
    assert rooms.value > CONFIG.distance.alert
    assert (rooms.adjusted, rooms.warn, rooms.alert) == (None, None, None)
    assert rooms.words.endswith("; not judged, because the column is ignored")


def test_to_ignore_a_column_that_is_called_prediction_ignores_no_prediction(subject: Described) -> None:
    # given
    rows = table(500, 2)
    observed = subject.observed(rows.assign(rooms=8.0), prices(rows) + 1500)
    columns = [c.model_copy(update={"name": c.name.replace("rooms", "prediction")}) for c in subject.bundle.columns]
    bundle = subject.bundle.model_copy(update={"columns": tuple(columns)})
    numbers = {"prediction": subject.reference.numbers["rooms"], **subject.reference.numbers}
    counts = {"prediction": observed.numbers["rooms"], **observed.numbers}
    # when
    found = drift_findings(
        observed.model_copy(update={"numbers": counts}),
        subject.reference.model_copy(update={"numbers": numbers}),
        bundle,
        DriftConfig(ignore=("prediction",)),
    )
    # then
    assert _alarms(found) == [("prediction", "prediction")]
    assert _of(found, "prediction", "distribution").adjusted is None


def test_a_column_to_ignore_that_is_none_is_refused_with_the_nearest(subject: Described) -> None:
    with pytest.raises(UserError, match="no column 'room'; the nearest is 'rooms'"):
        _found(subject, subject.observed(table(50, 2)), DriftConfig(ignore=("room",)))


def test_one_of_many_tests_needs_more_than_one_test_alone(subject: Described) -> None:
    # given: a difference whose p-value is below alpha by itself, and above it after Holm's adjustment
    rows = table(500, 2)
    rows["rooms"] += (np.arange(500) % 3 == 0) & (rows["rooms"] < 8)
    observed = subject.observed(rows, prices(table(500, 2)))
    plain = _of(_found(subject, observed), "rooms")
    assert plain.p_value is not None
    assert plain.adjusted is not None
    assert plain.p_value < plain.adjusted < 0.5
    strict = {"alpha": (plain.p_value + plain.adjusted) / 2, "distance": Threshold(warn=0.01, alert=0.02)}
    others = ("income", "sold", "place", "heat")
    # when
    among_all = _found(subject, observed, DriftConfig(**strict))
    alone = _found(subject, observed, DriftConfig(**strict, ignore=others))
    # then
    assert _of(among_all, "rooms").level == "ok"
    assert _of(alone, "rooms").level == "alert"
    assert [f.adjusted for f in among_all] == holm([f.p_value for f in among_all if f.p_value is not None])


def test_the_worst_comes_first(subject: Described) -> None:
    # given: alerts, each less far beyond its threshold than the one before, and a warning further beyond its own
    rows = table(2000, 2)
    rows["rooms"] = rows["rooms"].where(np.arange(2000) % 36 > 0, 9.0)
    rows["place"] = rows["place"].where(np.arange(2000) % 5 > 0, "moon")
    rows["heat"] = "oil"
    # when
    found = _found(subject, subject.observed(rows, prices(table(2000, 2)) + 450))
    # then
    assert _alarms(found) == [
        ("place", "unknown"),
        ("heat", "distribution"),
        ("heat", "missing"),
        ("prediction", "prediction"),
        ("rooms", "out_of_range"),
    ]
    assert [finding.level for finding in found[:5]] == ["alert", "alert", "alert", "alert", "warn"]
    beyond = [finding.value / finding.warn for finding in found if finding.warn]
    assert beyond[:4] == sorted(beyond[:4], reverse=True)
    assert beyond[3] < beyond[4]


def test_a_share_that_training_had_as_well_is_no_surprise(subject: Described) -> None:
    # given: training rows whose category "moon" the model does not know
    share = {**subject.reference.categories["place"].shares, "moon": 0.0}
    share["inland"] -= 0.04
    share["moon"] = 0.04
    place = subject.reference.categories["place"].model_copy(update={"shares": share})
    reference = subject.reference.model_copy(update={"categories": {**subject.reference.categories, "place": place}})
    rows = table(500, 2)
    rows["place"] = rows["place"].where(np.arange(500) % 25 > 0, "moon")
    # when
    found = drift_findings(subject.observed(rows), reference, subject.bundle, CONFIG)
    # then
    assert _of(found, "place", "unknown").level == "ok"
    assert (
        "4.0 % of values are categories that the model does not know, 4.0 % in training"
        in _of(found, "place", "unknown").words
    )
