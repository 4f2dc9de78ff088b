import math
from typing import Any

from tabular.pages.pictures import draw, style
from tabular.pages.pictures.monitoring import COLOURS, MOST, SCALES
from tabular.reports.verdicts import Verdict
from tests.support.drawn import colours, lengths, names, notes, title
from tests.support.verdicts import found, performance, verdict

VERDICT = verdict(
    1,
    found("rooms", 0.3, "alert"),
    found("rooms", 0.06, "warn", kind="missing"),
    found("age", 0.02),
    found("town", 0.0, kind="unknown"),
    found("p99", 640.0, "warn", kind="latency"),
)


def panels(verdict: Verdict) -> list[Any]:
    return list(draw(verdict)["drift"].axes)


def thresholds(axes: Any) -> dict[str, float]:
    """Where the lines of the first bar stand."""
    return {lines.get_label(): float(lines.get_segments()[0][0][0]) for lines in axes.collections}


def test_findings_stand_in_panels_of_their_own_scale_the_worst_first() -> None:
    # when
    distances, missing, latency = panels(VERDICT)
    # then: in percent and milliseconds, and without what is fine and nought
    assert names(distances) == ["rooms", "age"]
    assert [round(length, 9) for length in lengths(distances)] == [30.0, 2.0]
    assert notes(distances) == ["30.0  alert", "2.00"]
    assert colours(distances) == [COLOURS["alert"], COLOURS["ok"]]
    assert (names(missing), colours(missing)) == (["rooms"], [COLOURS["warn"]])
    assert (names(latency), lengths(latency)) == (["p99"], [640.0])
    assert [axes.get_xlabel() for axes in (distances, missing, latency)] == [
        SCALES[kind].label for kind in ("distribution", "missing", "latency")
    ]
    assert title(draw(VERDICT)["drift"]) == "houses version 2, 500 rows: 1 alert, 2 warnings"


def test_thresholds_are_drawn_where_they_are_known_and_near() -> None:
    # given
    near, far = found("p99", 640.0, kind="latency"), found("p99", 2.0, kind="latency")
    unknown = found("rooms", 0.2, "alert", warn=None, alert=None)
    # when / then
    assert thresholds(panels(VERDICT)[0]) == {"warning threshold": 5.0, "alert threshold": 8.0}
    assert thresholds(panels(verdict(1, near))[0]) == {"warning threshold": 500, "alert threshold": 2000}
    assert thresholds(panels(verdict(1, far))[0]) == {}
    assert thresholds(panels(verdict(1, unknown))[0]) == {}


def test_many_findings_are_cut_to_the_worst_and_said_so() -> None:
    # given
    many = [found(f"c{place}", 0.5 - place / 100, "alert") for place in range(MOST + 5)]
    # when
    [axes] = panels(verdict(1, *many))
    # then
    assert names(axes) == [f"c{place}" for place in range(MOST)]
    assert title(draw(verdict(1, *many))["drift"]).endswith("30 alerts, 0 warnings (and 5 smaller findings)")


def test_metrics_stand_beside_the_held_out_ones() -> None:
    # given
    figure = draw(verdict(1, found("rooms"), performance=performance()))["performance"]
    # when
    r2, wmape = figure.axes
    # then
    assert title(figure) == "300 predictions whose true value is known: wMAPE 16.40 %, 12.20 % on the held-out rows"
    assert wmape.get_title(loc="left").startswith("wMAPE (%), better")
    assert notes(wmape) == ["12.20", "16.40"]
    assert notes(r2) == ["\N{EN DASH}", "0.8000"]
    assert names(r2) == ["held out", "now"] and names(wmape) == ["", ""]


def test_nothing_to_draw_is_no_picture() -> None:
    # given
    undefined = found("rooms", math.nan)
    # when / then
    assert draw(verdict(1)) == {}
    assert draw(verdict(1, found("rooms", 0.0))) == {}
    assert draw(verdict(1, undefined)) == {}


def test_colours_tell_the_levels_apart() -> None:
    assert len(set(COLOURS.values())) == 3
    assert COLOURS["alert"] == style.WARNING
