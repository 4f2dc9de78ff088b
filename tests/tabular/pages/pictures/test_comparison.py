from matplotlib.figure import Figure

from tabular.config.stages import GateConfig
from tabular.pages.pictures import draw, png
from tabular.reports.training import Interval
from tests.support.compared import ERRORS, GOOD, POOR, classified, compared, config, labels, numbers


def _titles(figure: Figure) -> list[str]:
    return [axes.get_title(loc="left") for axes in figure.axes if axes.get_title(loc="left")]


def test_the_picture_shows_metrics_difference_and_rows() -> None:
    # given
    judged = config().gate.model_copy(update={"config": GateConfig(tolerance=0.5)})
    report = compared(numbers(ERRORS / 2, ERRORS), gate=judged)
    # when
    figure = draw(report)["comparison"]
    # then
    *scores, difference, errors = _titles(figure)
    assert [title.split(",")[0] for title in scores] == ["R²", "wMAPE (%)"]
    assert difference == "The difference in 2,000 paired resamples"
    assert errors.startswith("version 8 is closer on 100 % of the rows")
    histogram = next(axes for axes in figure.axes if axes.get_title(loc="left") == difference)
    assert [line.get_xdata()[0] for line in histogram.lines if line.get_linestyle() == "--"] == [-0.5]
    assert sum(patch.get_height() for patch in histogram.patches) == 2000
    assert "version 8 is better" in histogram.get_xlabel()
    assert figure.get_suptitle().replace("\n", " ").startswith("Version 8 is better than version 7 by")


def test_the_picture_leaves_out_what_there_is_nothing_of() -> None:
    # given / when
    alone, same = draw(compared("cannot tell"))["comparison"], draw(compared(numbers(ERRORS, ERRORS)))["comparison"]
    classes = draw(classified(labels(GOOD, POOR)))["comparison"]
    # then
    assert len(_titles(alone)) == len(_titles(same)) == 2
    assert _titles(classes)[-1] == "Share of right labels by class; number of rows in brackets"
    assert [label.get_text() for label in classes.axes[-1].get_yticklabels()] == ["a (150)", "b (150)"]


def test_an_undefined_metric_is_drawn_as_a_word() -> None:
    # given
    undefined = {"wmape": Interval(value=float("nan"), low=float("nan"), high=float("nan"))}
    # when
    figure = draw(compared(None, metrics=undefined))["comparison"]
    # then
    assert "undefined" in [text.get_text() for axes in figure.axes for text in axes.texts]
    assert png(figure).startswith(b"\x89PNG")
