"""Tables that nobody has described: `init` writes a configuration, and a training with it ends well as it is."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

from tabular.bundles import bundle
from tabular.bundles.encoding import Encoder
from tabular.bundles.predictor import CompiledPredictor
from tabular.config.stages import CLASSIFICATION_METRICS, REGRESSION_METRICS
from tests.support.runs import Repository, overrides

pytestmark = pytest.mark.slow

QUICK = ("selection.algorithms=[lightgbm]", "search.trials=2", "evaluation.bootstrap=200", "evaluation.folds=2")


def _measured(count: int) -> pd.DataFrame:
    """A number, a date, a boolean, four colours and 80 articles, each with every fifth value missing; and a score."""
    random = np.random.default_rng(7)
    size, moved = random.normal(size=count), random.integers(0, 3000, count)
    colour, article = random.integers(0, 4, count), random.integers(0, 80, count)
    fenced = random.random(count) < 0.4
    rows = pd.DataFrame(
        {
            "size": size.round(3),
            "sold": (pd.Timestamp("2015-01-01") + pd.to_timedelta(moved, unit="D")).strftime("%Y-%m-%d"),
            "fenced": np.where(fenced, "yes", "no"),
            "colour": np.array(["red", "green", "blue", "black"])[colour],
            "article": [f"article {number}" for number in article],
        }
    ).mask(random.random((count, 5)) < 0.2)
    return rows.assign(score=3 * size + colour + 2 * fenced + moved / 800 + random.normal(0, 0.3, count))


def _german(folder: Path) -> Path:
    """Latin-1 with decimal commas and semicolons, names that programs trip over, and a column of a derived one's name.

    The target is of both signs, and missing here and there.
    """
    rows = _measured(320)
    rows["sold_year"] = rows["sold"].str[:4]
    names = {"size": "Größe [m².]", "fenced": '`Zäune` "ja"', "article": "1. {Schlüssel}", "score": "Überschuß, €"}
    rows = rows.rename(columns={name: new.replace("€", "EUR") for name, new in names.items()})
    rows.loc[::12, "Überschuß, EUR"] = np.nan
    file = folder / "german.csv"
    rows.to_csv(file, index=False, sep=";", decimal=",", encoding="latin-1", quoting=csv.QUOTE_MINIMAL)
    return file


def _grades(folder: Path) -> Path:
    """Parquet with nullable columns, a moment with an offset, labels that are whole numbers, and a class of 3 rows."""
    rows = _measured(260)
    cuts = np.quantile(rows["score"], [0.4, 0.7])
    made = pd.DataFrame(
        {
            "size": (rows["size"] * 100).round().astype("Int64"),
            "sold": pd.to_datetime(rows["sold"]).dt.tz_localize("Europe/Berlin"),
            "fenced": rows["fenced"].map({"yes": True, "no": False}).astype("boolean"),
            "colour": rows["colour"].astype("category"),
            "article": rows["article"].astype("string"),
            "grade": pd.array(np.digitize(rows["score"], cuts) + 1, dtype="Int64"),
        }
    )
    made.loc[[3, 150, 251], "grade"] = 4
    file = folder / "grades.parquet"
    made.to_parquet(file, index=False)
    return file


@dataclass(frozen=True)
class Started:
    """A repository, and where the tables lie."""

    project: Repository
    folder: Path

    def begin(self, file: Path, target: str, name: str) -> dict[str, Any]:
        """`init`, then a training with what it wrote; the summary."""
        written = self.project.run("init", "--data", str(file), "--target", target, "--name", name)
        assert written.returncode == 0, written.stderr
        return self.project.train("--config", f"configs/{name}.yaml", *overrides(*QUICK))


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    project = Repository.copy(tmp_path_factory.mktemp("any"))
    yield Started(project, tmp_path_factory.mktemp("tables"))
    project.stop()


def _answers(project: Repository, summary: dict[str, Any], raw: list[dict[str, Any]]) -> tuple[Any, Any]:
    """What the pipeline says of rows as they are in a file, and what the service would."""
    model: Pipeline
    packaged: Any
    model, packaged = project.load(summary["run"], "model", "bundle")
    folder = Path(packaged.path)
    rows, _ = Encoder(bundle.read(folder).columns).rows(raw)
    original = model.predict_proba if hasattr(model, "predict_proba") else model.predict
    return original(pd.DataFrame(raw)), CompiledPredictor.load(folder).predict(rows)


def test_a_german_export_with_holes_everywhere_is_trained_unedited(started: Started) -> None:
    # given
    file = _german(started.folder)

    # when
    summary = started.begin(file, "Überschuß, EUR", "german")

    # then
    assert set(summary["metrics"]) == set(REGRESSION_METRICS)
    assert summary["metrics"]["rmse"] < 0.7 * summary["baseline"]["rmse"]
    assert started.project.registered("german") == (1, {"champion": "1"})
    assert summary["package"]["compiled"], summary["package"]["why"]

    # then: rows as they are in the file
    full = {"Größe [m².]": 0.5, "sold": "2017-03-09", '`Zäune` "ja"': "yes", "colour": "red", "sold_year": 2017.0}
    rows = [full | {"1. {Schlüssel}": "article 7"}, full | {"sold": None, '`Zäune` "ja"': None, "1. {Schlüssel}": None}]
    original, served = _answers(started.project, summary, rows)
    np.testing.assert_allclose(served, original, rtol=1e-5)
    assert original[0] != original[1]


def test_a_parquet_file_of_nullable_columns_with_a_rare_class_is_trained_unedited(started: Started) -> None:
    # given
    file = _grades(started.folder)

    # when
    summary = started.begin(file, "grade", "grades")

    # then
    assert set(summary["metrics"]) == set(CLASSIFICATION_METRICS)
    assert summary["metrics"]["f1_macro"] > summary["baseline"]["f1_macro"] + 0.1
    assert started.project.registered("grades") == (1, {"champion": "1"})
    assert summary["package"]["compiled"], summary["package"]["why"]

    # then: rows as they are in the file
    full = {"size": 120, "sold": "2017-03-09T00:00:00+01:00", "fenced": True, "colour": "red", "article": "article 7"}
    rows = [full, dict.fromkeys(full) | {"size": -50}]
    original, served = _answers(started.project, summary, rows)
    np.testing.assert_allclose(served, original, atol=1e-5)
    assert original.shape == (2, 4)

    # then: the version says what it is, and its pictures are those of a classification
    [version] = started.project.registry().search_model_versions("name = 'grades'")
    assert version.tags["task"] == "classification"
    assert float(version.tags["metric.accuracy"]) == pytest.approx(summary["metrics"]["accuracy"], rel=1e-5)
    pictures = {file.stem for file in Path(summary["artifacts"]["evaluation"]).glob("*.png")}
    assert "confusion_matrix" in pictures and "residuals" not in pictures
    [evaluation] = started.project.load(summary["run"], "evaluation")
    assert set(evaluation.predicted) <= set(evaluation.classes) == {"1", "2", "3", "4"}


def test_a_table_that_holds_nothing_to_learn_from_is_one_line(started: Started) -> None:
    # given: each row has a text of its own, a name of its own and the target once more
    rows = pd.DataFrame(
        {"id": range(60), "said": [f"row {i} says {i * i}" for i in range(60)], "y": np.arange(60) * 1.5}
    )
    file = started.folder / "nothing.csv"
    rows.assign(twice=rows["y"] * 2).to_csv(file, index=False)

    # when
    finished = started.project.run("init", "--data", str(file), "--target", "y")

    # then
    assert finished.returncode == 2
    [line] = finished.stderr.splitlines()
    assert line.startswith("error: ") and "has no column to learn from" in line
    assert not (started.project.path / "configs" / "nothing.yaml").exists()
