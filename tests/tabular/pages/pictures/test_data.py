import pytest

from tabular.pages.pictures import draw, style
from tests.support.drawn import colours, lengths, line, names, notes, title
from tests.support.reports import features, imputation, validation


def test_missing_values_show_the_worst_column_first_as_shares() -> None:
    # given a column of three without holes / when
    axes = draw(validation([10, 0, 250]))["missing"].axes[0]
    # then
    assert names(axes) == ["c2", "c0"]
    assert lengths(axes) == [25.0, 1.0]
    assert notes(axes) == ["25.0 % (250)", "1.00 % (10)"]
    assert "1,000 rows" in axes.get_xlabel()


def test_imputation_highlights_the_winner_and_gives_rmse_for_one_column() -> None:
    # given one column with holes / when
    figure = draw(imputation())["imputation"]
    # then the best stands on top, alone in the accent colour
    axes = figure.axes[0]
    assert names(axes) == ["knn", "iterative", "median"]
    assert lengths(axes) == pytest.approx([0.0964, 0.1222, 0.901])
    assert colours(axes) == [style.ACCENT, style.QUIET, style.QUIET]
    assert notes(axes)[0] == "0.0964  (RMSE 48.2)"
    assert title(figure) == "'knn' fills in missing values best: tried on 1,234 masked values of rooms"
    assert "standard deviations" in axes.get_xlabel()


def test_imputation_of_several_columns_gives_no_rmse_because_units_differ() -> None:
    # given / when
    figure = draw(imputation(("rooms", "age")))["imputation"]
    # then
    assert "RMSE" not in "".join(notes(figure.axes[0]))
    assert title(figure).endswith("2,468 masked values of 2 columns")


def test_clusters_mark_the_chosen_count_in_all_four_panels() -> None:
    # given / when
    figure = draw(features(chosen=20))["clusters"]
    # then
    assert len(figure.axes) == 4
    for axes in figure.axes:
        assert list(line(axes, "chosen").get_xdata()) == [20]
        assert axes.get_shared_x_axes().joined(axes, figure.axes[0])
    assert figure.axes[0].get_title(loc="left") == "wMAPE (%): smaller is better"
    assert line(figure.axes[0], "error without clusters").get_ydata() == [15.5, 15.5]
    assert figure.axes[0].get_xscale() == "log"
    assert title(figure) == "20 clusters were chosen: cross-validated wMAPE 13.60 % (15.50 % without)"
    assert figure.axes[2].get_xlabel() == "number of clusters"


def test_clusters_that_lost_are_drawn_without_a_mark() -> None:
    # given / when
    figure = draw(features(chosen=None, counts=(2, 3, 4), metric="accuracy"))["clusters"]
    # then
    assert title(figure).startswith("No clusters were chosen")
    assert all(found.get_label() != "chosen" for axes in figure.axes for found in axes.lines)
    assert "larger is better" in figure.axes[0].get_title(loc="left")
    assert figure.axes[0].get_xscale() == "linear"
