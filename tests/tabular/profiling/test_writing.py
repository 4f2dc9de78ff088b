"""The run configuration: what is written can be read, says why, and lets its own table pass."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from tabular.config.sweep import Sweep
from tabular.config.training import TrainingFile, TrainingParameters
from tabular.learning.metrics import goal
from tabular.profiling.profile import profile
from tabular.profiling.writing import write
from tabular.table import splitting, validation
from tabular.table.sources import locate, read_table
from tests.support.dialects import DIALECTS, ROWS, table, written
from tests.support.project import ROOT


def config(content: bytes, target: str, file: Path) -> tuple[str, TrainingParameters]:
    """The text and the meaning of the configuration of a table."""
    file.write_bytes(content)
    text = write(profile(content, file.name, target).found, "homes", str(file), "0" * 64, "configs/homes.yaml")
    return text, TrainingFile.model_validate(yaml.safe_load(text)).parameters


def rich() -> pd.DataFrame:
    """A table that needs every part of a configuration."""
    random = np.random.default_rng(0)
    rows = pd.concat([table(), table(1), table(2)], ignore_index=True).assign(
        id=range(1, 3 * ROWS + 1),
        town=[f"town {number % 60}" for number in range(3 * ROWS)],
        lat=random.uniform(47, 54, 3 * ROWS),
        lon=random.uniform(6, 14, 3 * ROWS),
    )
    return rows.assign(cost=rows["price"] * 2)


@pytest.mark.parametrize("name", ["plain", "German Excel", "tabs in UTF-16", "Swiss"])
def test_the_table_keeps_the_rules_that_were_written_for_it(name: str, tmp_path: Path) -> None:
    # given
    rows, dialect = rich(), DIALECTS[name]
    labels = pd.Series(np.where(rows["price"] > 1.2, "ja", "nein")).mask(rows.index < 5)
    # when
    _, of = config(written(rows.drop(columns="cost").assign(price=labels), dialect), "price", tmp_path / "homes.csv")
    source = locate(of.data, tmp_path, tmp_path, of.validation.columns)
    read, provenance = read_table(source, "price", of.data.drop_duplicates, 0, of.data.drop_columns)
    report = validation.validate(read, of.target, of.validation)
    train, held_out = splitting.split(read, of.target, of.split, of.seed)
    # then
    assert report.failures == []
    assert provenance.without_target_dropped == 5
    assert len(train) + len(held_out) == len(rows) - 5
    assert held_out["price"].nunique() == 2


def test_each_part_says_what_was_found(tmp_path: Path) -> None:
    # when
    text, of = config(rich().to_csv(index=False).encode(), "price", tmp_path / "homes.csv")
    # then
    assert of.data.drop_columns == ("id", "cost")
    assert of.data.reading.text == ("zip",) and of.data.reading.dates == ("since",)
    assert of.features.target_encoding == ("town",)
    assert of.features.clusters is not None and of.features.clusters.columns == ("lon", "lat")
    assert of.features.clusters.counts == (5,)
    assert (of.target.task, of.split.stratify, of.gate.limits) == ("regression", None, {})
    assert of.validation.columns["since"].kind == "date"
    assert of.validation.columns["colour"].categories == ("blau, hell", "grün", 'mit "Zitat"', "rot")
    assert 0.3 < of.validation.columns["size"].max_missing < 0.6
    assert "# cost: LEAK: it rises with the target" in text.split("model:")[0]
    assert "- id # it identifies rows" in text


@pytest.mark.parametrize(
    ("price", "metric", "stratify"),
    [
        (lambda rows: rows["price"] ** 2 + 1, "wmape", None),
        (lambda rows: rows["price"], "rmse", None),
        (lambda rows: rows["price"] > 0, "f1_macro", "price"),
    ],
    ids=["positive", "any number", "classes"],
)
def test_the_metric_follows_the_target(price: Any, metric: str, stratify: str | None, tmp_path: Path) -> None:
    # given
    rows = table()
    # when
    content = rows.assign(price=price(rows)).to_csv(index=False).encode()
    _, of = config(content, "price", tmp_path / "homes.csv")
    # then: each algorithm has a search space, which improves that very metric
    assert (of.selection.metric, of.gate.metric, of.split.stratify) == (metric, metric, stratify)
    for algorithm in of.selection.algorithms:
        space = yaml.safe_load((ROOT / of.search.spaces / f"{algorithm}.yaml").read_text())
        assert "metric" not in space
        Sweep.model_validate({**space, "metric": {"name": metric, "goal": goal(metric)}})


def test_a_rare_class_is_weighed_and_holes_are_named(tmp_path: Path) -> None:
    # given
    rows = table().assign(price=["rare"] * 12 + ["common"] * (ROWS - 12))
    # when
    text, of = config(rows.astype(object).fillna("?").to_csv(index=False).encode(), "price", tmp_path / "homes.csv")
    # then
    assert of.target.class_weight == "balanced"
    assert of.data.reading.missing == ("?",)
    assert "class_weight: balanced # the most frequent class has 19 times" in text


def test_numbers_of_their_own_come_back_from_the_file(tmp_path: Path) -> None:
    # given
    rows = table()
    rows = rows.assign(
        price=[f"$ {value:,.2f}" for value in 1000 * rows["price"]],
        start=[f"{place % 24}:30" for place in range(ROWS)],
        area=["tbd" if place % 5 == 0 else str(place) for place in range(ROWS)],
        born=[f"14-Mar-{year:02}" for year in (np.arange(ROWS) % 70 + 40) % 100],
    )
    content = rows.to_csv(index=False).encode()
    # when
    text, of = config(content, "price", tmp_path / "homes.csv")
    # then
    assert of.data.reading == profile(content, "homes.csv", "price").found.reading
    assert set(of.data.reading.numbers) == {"price", "start", "area"}
    assert "price: {units: [$]" in text and "start: {clock: true}" in text and "area: {}" in text
    assert of.data.reading.short_years_until < "2068"


def test_names_and_categories_of_any_kind_survive(tmp_path: Path) -> None:
    # given: what YAML and a comment could take for something else
    names = {"size": "a: b", "income": "# hash", "colour": "line\nbreak", "rooms": "{x}", "zip": "yes", "price": "null"}
    rows = table().rename(columns=names)
    odd = ["no", "1e3x", "[a]", "'", '"', "a # b", "é: ", "2020-13-45"]
    rows["line\nbreak"] = odd * (ROWS // len(odd))
    # when
    _, of = config(rows.to_csv(index=False).encode(), "null", tmp_path / "homes.csv")
    # then
    assert set(of.validation.columns) == {*(name.replace("\n", " ") for name in names.values()), "since"}
    assert {c.strip() for c in of.validation.columns["line break"].categories or ()} == {c.strip() for c in odd}


@pytest.mark.slow
def test_a_large_table_gets_what_it_can_afford(tmp_path: Path) -> None:
    # given
    random = np.random.default_rng(0)
    rows = pd.DataFrame({f"n{i}": random.integers(0, 9, 120_000) for i in range(4)}).astype(float)
    rows.loc[:9, "n0"] = None
    # when
    content = rows.assign(y=random.normal(size=len(rows))).to_csv(index=False).encode()
    _, of = config(content, "y", tmp_path / "large.csv")
    # then
    assert of.imputation.strategies == ("median", "mean")
    assert "random_forest" not in of.selection.algorithms
    assert of.search.trials == 30


@pytest.mark.parametrize(
    ("file", "target", "metric"),
    [("housing", "median_house_value", "wmape"), ("obesity", "NObeyesdad", "f1_macro"), ("boston", "MEDV", "wmape")],
)
def test_real_tables_keep_their_rules(data_dir: Path, file: str, target: str, metric: str, tmp_path: Path) -> None:
    # when
    _, of = config((data_dir / f"{file}.csv").read_bytes(), target, tmp_path / f"{file}.csv")
    source = locate(of.data, tmp_path, tmp_path, of.validation.columns)
    read, _ = read_table(source, target, of.data.drop_duplicates, 0, of.data.drop_columns)
    # then
    assert of.selection.metric == metric and of.data.drop_columns == ()
    assert validation.validate(read, of.target, of.validation).failures == []
