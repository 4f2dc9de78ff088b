from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from zenml.enums import VisualizationType

from materializers.report import BestParametersMaterializer, ReportMaterializer
from tabular.reports.training import (
    BestParameters,
    Evaluation,
    Importance,
    ImputationReport,
    Interval,
    SearchReport,
    StrategyScore,
    Trial,
)

PNG = b"\x89PNG\r\n\x1a\n"
BEST = BestParameters(algorithm="lightgbm", target_transform="log", parameters={"num_leaves": 31, "subsample": 0.5})


def _imputation(seconds: float = 1.0, rmse: float = 2.5) -> ImputationReport:
    scores = [
        StrategyScore(column="size", strategy="median", rmse=9.0, nrmse=0.9, masked=20),
        StrategyScore(column="size", strategy="knn", rmse=rmse, nrmse=rmse / 10, masked=20),
    ]
    means = {score.strategy: score.nrmse for score in scores}
    times = {"median": seconds, "knn": 2 * seconds}
    return ImputationReport(best="knn", scores=scores, mean_nrmse=means, seconds=times, missing={"size": 5})


def _search(started: str, seconds: float, resumed: int) -> SearchReport:
    trials = [
        Trial(
            number=n,
            state="complete",
            parameters={"a": n},
            value=3.0 - n,
            iterations=3,
            started=started,
            seconds=seconds,
            importances={},
        )
        for n in range(3)
    ]
    return SearchReport(
        algorithm="linear",
        metric="wmape",
        goal="minimize",
        rungs=3,
        trials=trials,
        best=2,
        importances={},
        resumed=resumed,
        sweep={},
    )


def _evaluation() -> Evaluation:
    actual = [10.0, 20.0, 30.0, 45.0]
    return Evaluation(
        task="regression",
        rows=4,
        metrics={"wmape": Interval(value=5.0, low=3.0, high=7.0), "r2": Interval(value=0.9, low=0.8, high=0.95)},
        baseline={"wmape": 40.0, "r2": -0.01},
        slices=[],
        metric="wmape",
        importances=[Importance(column="size", permutation=12.0, std=0.5)],
        shap=None,
        actual=actual,
        predicted=[11.0, 19.0, 33.0, 40.0],
        classes=[],
        probabilities=[],
    )


def _hash(at: Callable[..., Any], report: Any) -> str | None:
    materializer = at(ReportMaterializer)
    materializer.save(report)
    found: str | None = materializer.compute_content_hash(report)
    return found


@pytest.mark.parametrize("report", [_imputation(), _search("2026-01-01T00:00:00+00:00", 1.5, 0), _evaluation()])
def test_a_report_comes_back_as_it_was(at: Callable[..., Any], report: Any) -> None:
    at(ReportMaterializer).save(report)
    assert at(ReportMaterializer).load(type(report)) == report


def test_a_number_that_is_undefined_comes_back(at: Callable[..., Any]) -> None:
    # given: JSON has no word for it
    report = _imputation(rmse=float("nan"))

    # when
    at(ReportMaterializer).save(report)
    loaded = at(ReportMaterializer).load(ImputationReport)

    # then
    assert loaded.scores[1].rmse != loaded.scores[1].rmse


def test_times_are_no_part_of_the_hash(at: Callable[..., Any]) -> None:
    assert _hash(at, _imputation(seconds=1.0)) == _hash(at, _imputation(seconds=9.0))
    quick, slow = _search("2026-01-01T00:00:00+00:00", 1.0, 0), _search("2026-02-02T00:00:00+00:00", 5.0, 2)
    assert _hash(at, quick) == _hash(at, slow)


def test_numbers_are_part_of_the_hash(at: Callable[..., Any]) -> None:
    assert _hash(at, _imputation(rmse=2.5)) != _hash(at, _imputation(rmse=2.6))


def test_a_report_is_shown_by_its_pictures(at: Callable[..., Any]) -> None:
    # when
    materializer = at(ReportMaterializer)
    materializer.save(_imputation())
    shown = materializer.save_visualizations(_imputation())

    # then
    pictures = [Path(uri) for uri, kind in shown.items() if kind == VisualizationType.IMAGE]
    assert [file.name for file in pictures] == ["imputation.png"]
    assert pictures[0].read_bytes().startswith(PNG)
    assert [Path(uri).name for uri, kind in shown.items() if kind == VisualizationType.JSON] == ["report.json"]


def test_an_evaluation_is_also_a_page(at: Callable[..., Any]) -> None:
    # when
    shown = at(ReportMaterializer).save_visualizations(_evaluation())

    # then
    names = {Path(uri).name: kind for uri, kind in shown.items()}
    assert names["evaluation.html"] == VisualizationType.HTML
    assert {"residuals.png", "predicted_against_actual.png", "importances.png"} <= set(names)
    [page] = [Path(uri).read_text() for uri in shown if uri.endswith("evaluation.html")]
    assert "wmape" in page and "data:image/png;base64," in page


def test_the_best_parameters_are_a_yaml_file_for_people(at: Callable[..., Any], tmp_path: Path) -> None:
    # when
    materializer = at(BestParametersMaterializer)
    materializer.save(BEST)

    # then
    text = (tmp_path / "artifact" / "best_params.yaml").read_text()
    assert yaml.safe_load(text) == {
        "algorithm": "lightgbm",
        "target_transform": "log",
        "parameters": {"num_leaves": 31, "subsample": 0.5},
    }
    assert at(BestParametersMaterializer).load(BestParameters) == BEST
    [(uri, kind)] = materializer.save_visualizations(BEST).items()
    assert kind == VisualizationType.MARKDOWN and "num_leaves: 31" in Path(uri).read_text()
