"""The file of a version: exact, stable, comparable line by line, and refused where it is wrong."""

import difflib
import math
from typing import Any

import pandas as pd
import pytest
import yaml

from tabular.errors import UserError
from tabular.learning.model_config import (
    Artifacts,
    Input,
    ModelConfig,
    Runs,
    breaking_changes,
    diff,
    from_yaml,
    inputs_of,
    to_yaml,
)
from tabular.reports.training import Interval
from tests.support.compared import config

AWKWARD = {
    "text": "two\nlines: #1 'and' \"more\"",
    "long": "word " * 60,
    "yes": "yes",
    "number": "12",
    "small": 1e-05,
    "large": 1e22,
    "third": 1 / 3,
    "none": None,
    "flag": False,
    "list": [1, 2.5, "x"],
    "nested": {"b": 1, "a": [True]},
    "unicode": "größe",
}


def test_every_value_comes_back_as_it_was() -> None:
    # given
    full = config(
        parameters=AWKWARD,
        clusters=None,
        metrics={"roc_auc": Interval(value=math.inf, low=0.1 + 0.2, high=2 / 3)},
        artifacts=Artifacts(train_rows="12345678", test_rows="1e5"),
        runs=Runs(zenml="run", mlflow="0123", sweep="s", zenml_model_version="3"),
    )
    # when / then
    assert from_yaml(to_yaml(full)) == full
    assert ModelConfig.model_validate_json(full.model_dump_json()) == full


def test_an_undefined_metric_comes_back_undefined() -> None:
    # given
    undefined = config(metrics={"r2": Interval(value=math.nan, low=math.nan, high=math.nan)})
    # when / then
    assert math.isnan(from_yaml(to_yaml(undefined)).metrics["r2"].value)


def test_the_file_holds_one_value_a_line_with_all_digits() -> None:
    # given / when
    text = to_yaml(config(parameters=AWKWARD))
    lines = text.splitlines()
    # then
    assert "    value: 0.30000000000000004" in lines
    assert "  third: 0.3333333333333333" in lines and "  small: 1.0e-05" in lines
    assert "- size" in lines and "- name: size" in lines and "  unicode: größe" in lines
    assert sum("word word" in line for line in lines) == 1
    assert sum("two" in line and "more" in line for line in lines) == 1
    assert not any(mark in text for mark in ("&id", "*id", "{", "[", "? ", ">-", "|-"))
    assert lines[:3] == ["format: 1", "name: housing", "version: '7'"]


def test_the_order_of_parameters_and_limits_does_not_change_the_file() -> None:
    # given
    one = config()
    gate = one.gate.config
    turned = one.model_copy(
        update={
            "parameters": dict(reversed(one.parameters.items())),
            "gate": one.gate.model_copy(
                update={"config": gate.model_copy(update={"limits": dict(reversed(gate.limits.items()))})}
            ),
        }
    )
    # when / then
    assert to_yaml(turned) == to_yaml(one)


def test_equal_values_in_two_places_are_written_twice() -> None:
    # given one object in two places, which YAML would write as an anchor and an alias
    shared = {"a": [1, 2]}
    # when
    loaded = yaml.safe_load(to_yaml(config(parameters={"x": shared, "y": shared})))
    # then
    assert loaded["parameters"] == {"x": {"a": [1, 2]}, "y": {"a": [1, 2]}}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("seed: 42", "seed: many"), r"model_config.yaml: 'seed': .*'many'"),
        (("seed: 42", "seed: '42'"), r"model_config.yaml: 'seed': .*integer"),
        (("seed: 42", "sead: 42"), "unknown key 'sead'; the nearest known key is"),
        (("seed: 42\n", ""), "'seed': Field required"),
        (("format: 1", "format: 2"), "'format': .* not 2"),
        (("version: '7'", "version: 7"), "'version': .*string, not 7"),
        (("kind: number", "kind: text"), r"'inputs.0.kind': .*'text'"),
        (("format: 1", "format: 1: 2"), "model_config.yaml: line 1: mapping values"),
        (("format: 1", "format: \x07"), "model_config.yaml: "),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_one_line(change: tuple[str, str], said: str) -> None:
    # given
    text = to_yaml(config())
    assert change[0] in text
    # when / then
    with pytest.raises(UserError, match=said) as error:
        from_yaml(text.replace(*change, 1))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["", "- a\n", "words"])
def test_a_file_that_is_no_configuration_is_refused(text: str) -> None:
    # given / when / then
    with pytest.raises(UserError, match="model_config.yaml: "):
        from_yaml(text)


def test_the_difference_is_a_unified_diff_that_names_both_files() -> None:
    # given
    one, two = config(), config(version="8", clusters=None)
    # when
    lines = diff(one, two).splitlines()
    # then
    assert lines[:2] == ["--- housing/7/model_config.yaml", "+++ housing/8/model_config.yaml"]
    assert {line for line in lines[2:] if line[0] in "+-"} == {
        "-version: '7'", "+version: '8'", "-clusters: 50", "+clusters: null"
    }  # fmt: skip
    before, after = to_yaml(one).splitlines(), to_yaml(two).splitlines()
    assert lines == list(difflib.unified_diff(before, after, lines[0][4:], lines[1][4:], lineterm=""))
    assert diff(one, config()) == ""


def _input(name: str, kind: Any = "number", **changes: Any) -> Input:
    return Input(**{"name": name, "kind": kind, "dtype": "float64", "required": False, **changes})


def test_a_removed_input_and_another_kind_break_clients() -> None:
    # given
    old = [_input("age"), _input("town", "category"), _input("size")]
    new = [_input("town", "number"), _input("size"), _input("sea", "category")]
    # when
    changes = breaking_changes(old, new)
    # then
    assert len(changes) == 2
    assert changes[0].startswith("the input 'age' is gone")
    assert changes[1].startswith("the input 'town' was a category and is now a number")


def test_an_added_input_another_order_and_another_type_of_number_break_nothing() -> None:
    # given
    old = [_input("age"), _input("size")]
    new = [_input("size", dtype="int64"), _input("sea", "category"), _input("age")]
    # when / then
    assert breaking_changes(old, new) == []


def test_an_input_is_a_number_a_date_or_a_category() -> None:
    # given
    rows = pd.DataFrame(
        {
            "size": [1, 2],
            "sold": pd.to_datetime(["2024-01-01", None]),
            "stamp": pd.to_datetime(["2024-01-01T10:00:00+02:00", None]),
            "kind": ["a", None],
            "new": [True, False],
            "price": [1.0, 2.0],
        }
    )
    # when
    found = inputs_of(rows, "price")
    # then
    kinds = {"size": "number", "sold": "date", "stamp": "date", "kind": "category", "new": "category"}
    assert {column.name: column.kind for column in found} == kinds
    assert from_yaml(to_yaml(config(inputs=found))).inputs == found
