from tabular.pages.timeline import out_of_the_ordinary, worst_by_subject
from tests.support.verdicts import found, verdict


def test_a_column_called_prediction_is_not_the_predictions() -> None:
    # given
    findings = [found("prediction", kind="prediction"), found("prediction", 0.9, "alert"), found("rooms")]

    # when
    worst = worst_by_subject(verdict(1, *findings))

    # then
    assert {subject: finding.level for subject, finding in worst.items()} == {
        (None, "prediction"): "alert",
        ("prediction", "prediction"): "ok",
        (None, "rooms"): "ok",
    }


def test_the_worst_finding_on_a_column_stands_for_it() -> None:
    # given
    missing = found("rooms", 0.06, "warn", kind="missing")

    # then
    assert worst_by_subject(verdict(1, found("rooms"), missing))[None, "rooms"] == missing


def test_what_was_ever_out_of_the_ordinary_is_told_for_every_window() -> None:
    # given a window in the middle without enough data
    windows = [
        verdict(1, found("rooms"), found("age"), found("town", 0.06, "warn")),
        verdict(2),
        verdict(3, found("rooms", 0.3, "alert"), found("age")),
    ]

    # when
    told = out_of_the_ordinary(windows)

    # then
    levels = {name: [None if one is None else one.level for one in found_] for name, found_ in told}
    assert levels == {"rooms": ["ok", None, "alert"], "town": ["warn", None, None]}
    assert list(levels) == ["rooms", "town"]
