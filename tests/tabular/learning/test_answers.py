"""Which rows are fair to two models, and what both answer for them."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline

from tabular.config.stages import TargetConfig
from tabular.errors import UserError
from tabular.learning.answers import MINIMUM, PairedAnswers, neither_saw, paired_answers
from tests.support.evaluated import (
    HELD_OUT,
    LABEL,
    LABELLED,
    LABELLED_TRAIN,
    PRICE,
    PRICED,
    PRICED_TRAIN,
    labelled,
    pipeline,
    predict,
    priced,
    ridge,
)


def _table(*numbers: float, town: Any = "east") -> pd.DataFrame:
    return pd.DataFrame({"n": numbers, "town": [town] * len(numbers), "price": [2 * n for n in numbers]})


NOTHING = _table().astype({"n": "float64", "price": "float64", "town": object})


def test_rows_that_either_was_trained_on_are_left_out_and_repeated_ones_come_once() -> None:
    # given 3 was in the champion's training rows, 5 in the challenger's
    fair = neither_saw(_table(1, 5), _table(3, 4, 6, 6), _table(1, 3), _table(4, 5, 7))
    # then
    assert fair["n"].tolist() == [4, 6, 7]
    assert fair.index.tolist() == [0, 1, 2]
    assert fair.columns.tolist() == ["n", "town", "price"]


def test_a_row_is_another_one_when_its_target_or_any_column_differs() -> None:
    # given
    trained = _table(1, 2, 3)
    held_out = pd.concat([_table(1).assign(price=9), _table(2, town="west"), _table(3)])
    # when
    fair = neither_saw(trained, held_out, NOTHING, NOTHING)
    # then
    assert fair["n"].tolist() == [1, 2]


@pytest.mark.parametrize("dtype", ["int64", "float64", "float32", "Int64", "category", object])
def test_neither_the_type_of_a_number_nor_a_missing_value_hides_a_row(dtype: Any) -> None:
    # given the same rows read from two files
    trained = _table(1, 2, 0).astype({"n": "float64"}).assign(hole=-np.nan)
    held_out = _table(1, 2, -0.0, 8).astype({"n": dtype}).assign(hole=None)
    # when
    fair = neither_saw(trained, held_out, NOTHING.assign(hole=pd.Series(dtype="float64")), _table().assign(hole=None))
    # then
    assert fair["n"].astype("float64").tolist() == [8]


def test_single_precision_does_not_hide_a_row() -> None:
    # given
    trained = _table(0.1, 0.7).astype({"n": "float32", "price": "float32"})
    # when / then
    assert neither_saw(NOTHING, _table(0.1, 0.7, 0.3), trained, NOTHING)["n"].tolist() == [0.3]


def test_missing_text_equals_missing_text_and_no_word() -> None:
    # given
    trained = _table(1, town=None)
    held_out = pd.concat([_table(1, town=np.nan), _table(1, town="None"), _table(1, town="nan")])
    # when / then
    assert neither_saw(NOTHING, held_out, trained, NOTHING)["town"].tolist() == ["None", "nan"]


def test_the_order_of_columns_does_not_matter_and_that_of_values_does() -> None:
    # given
    trained = pd.DataFrame({"b": [2.0], "a": [1.0]})
    held_out = pd.DataFrame({"a": [1.0, 2.0], "b": [2.0, 1.0]})
    # when
    fair = neither_saw(trained, held_out, trained, held_out)
    # then
    assert fair.to_dict("list") == {"a": [2.0], "b": [1.0]}


def test_an_input_that_only_one_table_has_is_kept_with_the_rows_that_have_it() -> None:
    # given
    wide, other = (_table(*numbers).assign(sea=True) for numbers in ([1, 2], [3, 4]))
    # when
    challenger_is_wider = neither_saw(wide, other, _table(3), _table(9))
    champion_is_wider = neither_saw(_table(3), _table(9), wide, other)
    both = neither_saw(wide, other, _table(3).assign(age=1), _table(9).assign(age=1))
    # then
    for fair in (challenger_is_wider, champion_is_wider):
        assert fair["n"].tolist() == [4] and fair["sea"].tolist() == [True]
    assert both["n"].tolist() == [4, 9] and both.columns.tolist() == ["n", "town", "price"]


def test_tables_with_nothing_in_common_are_refused() -> None:
    # given / when / then
    with pytest.raises(UserError, match="no column in common"):
        neither_saw(_table(1), _table(2), pd.DataFrame({"x": [1]}), pd.DataFrame({"x": [2]}))


def test_both_answer_from_raw_columns_in_their_own_order() -> None:
    # given rows with columns in another order and one that neither knows
    mine, theirs = ridge(), priced(Ridge(alpha=100))
    rows = HELD_OUT[["label", "price", "town", "noise", "size"]]
    # when
    found = paired_answers(mine, theirs, rows, PRICE, "7", "120 held-out rows")
    # then
    assert isinstance(found, PairedAnswers)
    assert found.actual.tolist() == PRICED["price"].tolist()
    assert found.challenger.predicted.tolist() == predict(mine, PRICED).tolist()
    assert found.champion.predicted.tolist() == predict(theirs, PRICED).tolist()
    assert found.champion_version == "7" and found.rows == "120 held-out rows" and found.classes == []
    assert found.challenger.probabilities is None


def test_probabilities_stand_in_the_order_of_the_challengers_classes() -> None:
    # given a champion that knows the labels as numbers, in another order than their texts have
    as_text = LABELLED.assign(label=LABELLED["label"].map({"low": "9", "mid": "10", "top": "11"}))
    as_number = as_text.astype({"label": int})
    mine = pipeline(LogisticRegression(max_iter=1000), LABEL, as_text)
    theirs = pipeline(LogisticRegression(max_iter=1000), LABEL, as_number)
    # when
    found = paired_answers(mine, theirs, as_text, LABEL, "7", "rows")
    # then
    assert isinstance(found, PairedAnswers) and found.champion.probabilities is not None
    assert found.classes == ["10", "11", "9"]
    assert found.champion.predicted.tolist() == found.challenger.predicted.tolist()
    best = [found.classes[place] for place in found.champion.probabilities.argmax(axis=1)]
    assert best == found.champion.predicted.tolist()


def _without_top() -> Pipeline:
    rows = LABELLED_TRAIN[LABELLED_TRAIN["label"] != "top"]
    return pipeline(LogisticRegression(max_iter=1000), LABEL, rows)


def _of_labels() -> Pipeline:
    return labelled(LogisticRegression(max_iter=1000))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (PRICED.head(MINIMUM - 1), f"cannot tell: only {MINIMUM - 1} rows, and a comparison takes {MINIMUM}"),
        (PRICED.drop(columns="price"), "the rows have no column 'price'"),
        (PRICED.drop(columns="noise"), "the challenger needs the column 'noise'"),
        (PRICED.assign(size="large"), "the challenger cannot answer for these rows"),
        (PRICED.assign(price=np.nan), "no value of 'price'"),
    ],
    ids=["few", "target", "column", "kind", "no target"],
)
def test_why_there_is_no_fair_comparison_is_said(rows: pd.DataFrame, said: str) -> None:
    # given / when
    found = paired_answers(ridge(), ridge(), rows, PRICE, "7", f"{len(rows)} rows")
    # then
    assert isinstance(found, str) and found.startswith("cannot tell: ") and said in found and "\n" not in found


def test_a_column_that_only_the_champion_needs_and_other_classes_are_said() -> None:
    # given
    without_noise = Pipeline([("estimator", Ridge())]).fit(PRICED_TRAIN[["size"]], PRICED_TRAIN["price"])
    # when
    column = paired_answers(
        without_noise, ridge(), PRICED[["size", "price"]], TargetConfig(column="price"), "7", "120 rows"
    )
    classes = paired_answers(_of_labels(), _without_top(), LABELLED, LABEL, "7", "120 rows")
    # then
    assert column == "cannot tell: champion version 7 needs the column 'noise', which the rows do not have"
    assert classes == "cannot tell: champion version 7 knows the classes low, mid, the challenger low, mid, top"
