"""The model card says what the reports say, and nothing that they do not."""

from typing import Any

import numpy as np

from tabular.learning import metrics
from tabular.pages.card import model_card
from tabular.reports.training import (
    BestParameters,
    ClassScore,
    CrossValidation,
    Evaluation,
    FoldFigures,
    Importance,
    ImputationReport,
    Provenance,
    Slice,
    TrainingFindings,
    ValidationReport,
)
from tests.support.reports import features, gate, imputation, leaderboard, search

ACTUAL = np.array([100.0, 0.0, 300.0, 400.0])
PREDICTED = np.array([110.0, 5.0, 330.0, 360.0])
SHA256 = "ab" * 32


def _evaluation(**changes: Any) -> Evaluation:
    parts = [("plain", 20.0), ("a|b <i>*", 35.0)]
    evaluation = Evaluation(
        task="regression",
        rows=4,
        metrics=metrics.bootstrap_intervals("regression", ACTUAL, PREDICTED, None, None, 100, 0.95, seed=0),
        baseline=metrics.score("regression", ACTUAL, np.full(4, 200.0)),
        slices=[Slice(column="town", part=part, rows=12, metrics={"wmape": value}) for part, value in parts],
        metric="wmape",
        importances=[Importance(column="size", permutation=12.5, std=0.25)],
        shap=None,
        actual=ACTUAL.tolist(),
        predicted=PREDICTED.tolist(),
        classes=[],
        probabilities=[],
    )
    return evaluation.model_copy(update=changes)


def _card(**changes: Any) -> str:
    reports: dict[str, Any] = {
        "validation_report": ValidationReport(rows=20, duplicates=0, columns=[], failures=[]),
        "cross_validation": CrossValidation(
            rows=16, metrics={}, temperature=1.0, log_loss_uncalibrated=None, log_loss_calibrated=None
        ),
        "provenance": Provenance(
            data_source="path",
            location="homes.csv",
            sha256=SHA256,
            rows=20,
            columns=["size", "town", "price"],
            duplicates_dropped=3,
        ),
        "imputation_report": imputation().model_copy(update={"missing": {"size": 5, "roof": 0}}),
        "feature_report": features(chosen=None),
        "leaderboard": leaderboard(),
        "search_report": search([30.0, 12.5], pruned=(0,)),
        "best_parameters": BestParameters(algorithm="lightgbm", target_transform="log", parameters={"num_leaves": 63}),
        "evaluation": _evaluation(),
        "gate_decision": gate(None),
    }
    findings = TrainingFindings(**(reports | {name: changes.pop(name) for name in reports.keys() & changes.keys()}))
    return model_card(
        **({"name": "homes", "task": "regression", "target": "price", "seed": 42} | changes), findings=findings
    )


def test_every_metric_stands_with_its_interval_and_its_baseline() -> None:
    # given / when
    lines = _card().splitlines()
    # then
    evaluation = _evaluation()
    for name, one in evaluation.metrics.items():
        row = next(line for line in lines if line.startswith(f"| {name} |"))
        assert metrics.as_text(one.value) in row
        assert f"{metrics.as_text(one.low)} to {metrics.as_text(one.high)}" in row
        assert metrics.as_text(evaluation.baseline[name]) in row
    assert "| wmape | 10.62 % |" in "\n".join(lines)


def test_a_card_tells_how_the_model_was_made_and_how_to_make_it_again() -> None:
    # given / when
    card = _card()
    # then
    for fact in (
        "# homes\n",
        "Predicts `price` (a number)",
        "a file, homes.csv",
        f"sha256: `{SHA256}`",
        "3 duplicate rows dropped",
        "Imputation: knn; mean error in standard deviations: median 0.901, iterative 0.1222, knn 0.0964",
        "Selection: it is better",
        "2 trials of lightgbm (1 stopped early) by wmape; the best, number 1, reached 12.5",
        '"num_leaves": 63',
        "target transform log",
        "| size | 12.5 | 0.25 |",
        "- **promote**\n- clearly better",
        "python run.py --config configs/train.yaml",
        "with seed 42",
    ):
        assert fact in card
    assert card.endswith("\n") and not card.endswith("\n\n")


def test_every_row_of_every_table_has_as_many_cells_as_its_header() -> None:
    # given a category with a pipe, markup and a metric that its slice leaves out
    # when
    card = _card()
    # then
    tables = [block for block in card.split("\n\n") if block.startswith("|")]
    assert len(tables) == 4
    for table in tables:
        cells = {line.replace("\\|", "").count("|") for line in table.splitlines()}
        assert len(cells) == 1
    assert r"a\|b &lt;i>\*" in card
    assert "a|b" not in card and "<i>" not in card
    assert "undefined" in next(line for line in card.splitlines() if "town | plain" in line)


def test_caveats_come_from_the_reports_alone() -> None:
    # given / when
    card = _card()
    whole = _card(
        imputation_report=ImputationReport(best="median", scores=[], mean_nrmse={}, seconds={}, missing={"size": 0}),
        evaluation=_evaluation(slices=[], importances=[], actual=[100.0, 1.0, 300.0, 400.0]),
    )
    # then
    assert "filled with estimates: size (5)" in card and "roof" not in card
    assert "leave out the held-out rows whose actual value is 0: 1 of 4" in card
    assert r"Weakest where town is a\|b &lt;i>\*: wmape 35 % on 12 rows, 10.62 % on all." in card
    assert "filled with estimates" not in whole and "actual value is 0" not in whole and "Weakest" not in whole
    assert "no numeric column had missing values" in whole
    assert "## By part" not in whole and "## What it relies on" not in whole


def test_a_model_of_the_built_in_sample_says_so() -> None:
    # given
    made = Provenance(
        data_source="sample", location="sample.yaml", sha256=SHA256, rows=20, columns=["x"], duplicates_dropped=0
    )
    # when
    card, real = _card(provenance=made), _card()
    # then
    assert "Trained on the built-in sample, not on real data" in card
    assert "built-in sample" not in real


def test_a_classification_names_its_classes_and_its_own_baseline() -> None:
    # given
    actual, chances = ["a", "b", "b", "a"], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.7, 0.3]]
    predicted = ["a", "b", "a", "a"]
    scores = metrics.bootstrap_intervals("classification", actual, predicted, chances, ["a", "b"], 100, 0.95, seed=0)
    evaluation = _evaluation(
        task="classification",
        metrics=scores,
        baseline=metrics.score("classification", actual, actual, chances, ["a", "b"]),
        metric="accuracy",
        slices=[],
        actual=actual,
        predicted=predicted,
        classes=["a", "b"],
        probabilities=chances,
    )
    # when
    card = _card(task="classification", target="kind", evaluation=evaluation)
    # then
    assert "Predicts `kind` (one of 2 classes)" in card
    assert "class shares of the training rows" in card and "median of the training" not in card
    assert "| accuracy | 0.75 |" in card and "| log_loss |" in card


def test_the_folds_stand_beside_the_held_out_rows() -> None:
    # given a metric that no fold defines
    figures = {
        "wmape": FoldFigures(mean=13.25, std=0.5, folds=[12.75, 13.75]),
        "r2": FoldFigures(mean=float("nan"), std=float("nan"), folds=[float("nan")] * 2),
    }
    validated = CrossValidation(
        rows=320, metrics=figures, temperature=1.0, log_loss_uncalibrated=None, log_loss_calibrated=None
    )
    calibrated = validated.model_copy(
        update={"temperature": 1.75, "log_loss_uncalibrated": 0.31, "log_loss_calibrated": 0.22}
    )
    # when
    card, other = _card(evaluation=_evaluation(cross_validation=validated)), _card()
    # then
    rows = {line.split(" | ")[0].strip("| "): line for line in card.splitlines() if line.startswith("| ")}
    assert rows["metric"] == "| metric | value | interval | baseline | 2 folds | better is |"
    assert rows["wmape"].endswith("| 13.25 ± 0.5 % | lower |")
    assert rows["r2"].endswith("| undefined | higher |")
    assert rows["mae"].endswith("| undefined | lower |")
    assert "in 2 folds of 320 training rows" in card and "temperature" not in card
    assert "folds" not in other
    # and a temperature is told with what it did
    said = _card(evaluation=_evaluation(cross_validation=calibrated))
    assert "A temperature of 1.75 takes the out-of-fold log loss from 0.31 to 0.22." in said


def test_a_classification_has_its_figures_by_class() -> None:
    # given a label that is markup
    by_class = [
        ClassScore(label="a|b", precision=0.5, recall=0.25, f1=1 / 3, support=1234),
        ClassScore(label="c", precision=1.0, recall=1.0, f1=1.0, support=5),
    ]
    # when
    card = _card(evaluation=_evaluation(by_class=by_class))
    # then
    assert "| class | precision | recall | F1 | rows |" in card
    assert r"| a\|b | 0.5 | 0.25 | 0.3333 | 1,234 |" in card
    assert "| c | 1 | 1 | 1 | 5 |" in card
    assert "## By class" not in _card()
