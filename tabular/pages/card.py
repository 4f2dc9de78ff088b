"""The model card: what a version is, how it was made, how good it is and where it should not be trusted."""

import json
import math
from collections.abc import Iterable

from tabular.config.stages import Task
from tabular.learning import metrics
from tabular.learning.metrics import as_text
from tabular.reports.training import (
    BestParameters,
    CrossValidation,
    Evaluation,
    FeatureReport,
    FoldFigures,
    GateDecision,
    ImputationReport,
    Leaderboard,
    Provenance,
    SearchReport,
    Slice,
)

_PERCENT = frozenset({"mape", "smape", "wmape", "median_ape", "within_10pct"})
_SHOWN_CANDIDATES = 5
_SHOWN_IMPORTANCES = 10
_MARKUP = str.maketrans(
    {"\\": "\\\\", "|": "\\|", "<": "&lt;", "*": "\\*", "`": "\\`", "[": "\\[", "]": "\\]", "\n": " ", "\r": " "}
)


def model_card(
    *,
    name: str,
    task: Task,
    target: str,
    provenance: Provenance,
    imputation: ImputationReport,
    features: FeatureReport,
    leaderboard: Leaderboard,
    search: SearchReport,
    best: BestParameters,
    evaluation: Evaluation,
    gate: GateDecision,
    seed: int,
    command: str = "python run.py --config configs/train.yaml",
) -> str:
    """A model card in Markdown, after Mitchell et al. 2019, from what the stages reported and nothing else.

    Args:
        name: the model's name in the registry.
        task: regression or classification.
        target: the predicted column.
        provenance, imputation, features, leaderboard, search, best, evaluation, gate: the reports of the stages.
        seed: the run's.
        command: what trains the model again.

    Returns:
        Text that ends with a newline. Characters with a meaning in Markdown are escaped wherever text is the data's.
    """
    sections = [
        [f"# {_escape(name)}", "", _purpose(task, target, evaluation, gate)],
        ["## Data", "", *_data(provenance, evaluation)],
        ["## How it was trained", "", *_training(imputation, features, leaderboard, search, best)],
        ["## How good it is", "", *_scores(evaluation)],
        *([["## By class", "", *_classes(evaluation)]] if evaluation.by_class else []),
        *([["## By part of the data", "", *_slices(evaluation)]] if evaluation.slices else []),
        *([["## What it relies on", "", *_importances(evaluation)]] if evaluation.importances else []),
        ["## Decision of the gate", "", *_items([f"**{gate.decision}**", *map(_escape, gate.reasons)])],
        ["## Limits and caveats", "", *_items(_caveats(provenance, imputation, evaluation))],
        ["## How to reproduce", "", *_reproduction(provenance, seed, command)],
    ]
    return "\n\n".join("\n".join(section) for section in sections) + "\n"


def _purpose(task: Task, target: str, evaluation: Evaluation, gate: GateDecision) -> str:
    kind = "a number" if task == "regression" else f"one of {len(evaluation.classes)} classes"
    value = _with_unit(evaluation.metric, evaluation.metrics[evaluation.metric].value)
    return (
        f"Predicts `{_code(target)}` ({kind}) from one raw row of the table. "
        f"On {evaluation.rows:,} held-out rows its {evaluation.metric} is {value}. Gate: {gate.decision}."
    )


def _data(provenance: Provenance, evaluation: Evaluation) -> list[str]:
    kinds = {"path": "a file", "url": "a download", "sample": "the built-in sample, made by a seeded generator"}
    facts = [
        f"Source: {kinds[provenance.data_source]}, {_escape(provenance.location)}",
        f"sha256: `{provenance.sha256}`",
        f"{provenance.rows:,} rows and {len(provenance.columns)} columns",
        f"{provenance.duplicates_dropped:,} duplicate rows dropped",
        f"{evaluation.rows:,} rows held out before anything was fitted",
    ]
    return [*_items(facts), "", f"Columns: {', '.join(map(_escape, provenance.columns))}."]


def _training(
    imputation: ImputationReport,
    features: FeatureReport,
    leaderboard: Leaderboard,
    search: SearchReport,
    best: BestParameters,
) -> list[str]:
    errors = ", ".join(f"{name} {as_text(error)}" for name, error in imputation.mean_nrmse.items())
    compared = f"; mean error in standard deviations: {errors}" if errors else "; no numeric column had holes"
    clusters = "no clusters" if features.clusters is None else f"{features.clusters} clusters"
    reached = [as_text(trial.value) for trial in search.trials if trial.number == search.best]
    found = f"; the best, number {search.best}, reached {reached[0]} in cross-validation" if reached else ""
    pruned = sum(trial.state == "pruned" for trial in search.trials)
    facts = [
        f"Imputation: {imputation.best}{compared}",
        f"Features: {len(features.columns)} columns, {clusters}",
        f"Selection: {_escape(leaderboard.why)}",
        f"Search: {len(search.trials)} trials of {search.algorithm} ({pruned} stopped early) by {search.metric}{found}",
        f"Algorithm: {best.algorithm}, target transform {best.target_transform}",
    ]
    shown = leaderboard.candidates[:_SHOWN_CANDIDATES]
    rows = [
        [c.algorithm, json.dumps(c.parameters, sort_keys=True), c.target_transform, as_text(c.mean), as_text(c.std)]
        for c in shown
    ]
    header = ["algorithm", "parameters", "target transform", f"{leaderboard.metric} (mean)", "std"]
    parameters = json.dumps(best.parameters, indent=2, sort_keys=True)
    return [
        *_items(facts),
        "",
        f"The best {len(shown)} of {len(leaderboard.candidates)} candidates, cross-validated on the training rows:",
        "",
        *_table(header, rows),
        "",
        "Parameters of the fitted estimator:",
        "",
        "```json",
        parameters,
        "```",
    ]


def _scores(evaluation: Evaluation) -> list[str]:
    baseline = "the training median" if evaluation.task == "regression" else "the training rows' class shares"
    validated = evaluation.cross_validation
    rows = [
        [
            name,
            _with_unit(name, interval.value),
            f"{_number(interval.low)} to {_number(interval.high)}",
            _with_unit(name, evaluation.baseline[name]),
            *([] if validated is None else [_over_folds(name, validated.metrics.get(name))]),
            "higher" if metrics.goal(name) == "maximize" else "lower",
        ]
        for name, interval in evaluation.metrics.items()
    ]
    folds = [] if validated is None else [f"{_folds(validated)} folds"]
    return [
        f"On {evaluation.rows:,} held-out rows, scored once, with bootstrap intervals. The baseline is {baseline}.",
        *([] if validated is None else _of_folds(validated)),
        "",
        *_table(["metric", "value", "interval", "baseline", *folds, "better is"], rows),
    ]


def _of_folds(validated: CrossValidation) -> list[str]:
    """What the figures of the folds are, and what calibration did."""
    said = [
        f"The same algorithm in {_folds(validated)} folds of {validated.rows:,} training rows, everything fitted anew "
        "in each: mean ± standard deviation."
    ]
    before, after = validated.log_loss_uncalibrated, validated.log_loss_calibrated
    if before is not None and after is not None and validated.temperature != 1.0:
        said.append(
            f"A temperature of {validated.temperature:.3g} takes the log loss out of fold from {as_text(before)} to "
            f"{as_text(after)}."
        )
    return said


def _folds(validated: CrossValidation) -> int:
    return max(len(figures.folds) for figures in validated.metrics.values())


def _over_folds(name: str, figures: FoldFigures | None) -> str:
    if figures is None or math.isnan(figures.mean):
        return "undefined"
    return f"{_number(figures.mean)} ± {_with_unit(name, figures.std)}"


def _classes(evaluation: Evaluation) -> list[str]:
    rows = [
        [one.label, *(as_text(share) for share in (one.precision, one.recall, one.f1)), f"{one.support:,}"]
        for one in evaluation.by_class
    ]
    return [
        "On the held-out rows. Precision: of the rows given the label, the share that has it. Recall: of its rows, the "
        "share found.",
        "",
        *_table(["class", "precision", "recall", "F1", "rows"], rows),
    ]


def _slices(evaluation: Evaluation) -> list[str]:
    names = list(evaluation.metrics)
    rows = [
        [part.column, part.part, f"{part.rows:,}", *(_number(part.metrics.get(name, math.nan)) for name in names)]
        for part in evaluation.slices
    ]
    return _table(["column", "part", "rows", *names], rows)


def _importances(evaluation: Evaluation) -> list[str]:
    shown = evaluation.importances[:_SHOWN_IMPORTANCES]
    rows = [[one.column, as_text(one.permutation), as_text(one.std)] for one in shown]
    return [
        f"Loss of {evaluation.metric} when a raw column is shuffled: what the model uses, not what causes the target.",
        "",
        *_table(["column", f"loss of {evaluation.metric}", "std"], rows),
    ]


def _caveats(provenance: Provenance, imputation: ImputationReport, evaluation: Evaluation) -> list[str]:
    caveats = [
        "Held-out and training rows come from one table: the figures say nothing of rows gathered elsewhere or later.",
        "The intervals cover which rows were held out, not how the model would turn out if it were trained again.",
    ]
    if provenance.data_source == "sample":
        caveats.insert(
            0,
            "Trained on the built-in sample, not on real data: fit for trying out the pipeline, not for any decision "
            "about the real world. Such a model is never promoted.",
        )
    holes = {column: count for column, count in imputation.missing.items() if count}
    if holes:
        listed = ", ".join(f"{_escape(column)} ({count:,})" for column, count in holes.items())
        caveats.append(f"Holes of the training rows were filled with estimates: {listed}.")
    zeros = sum(value == 0 for value in evaluation.actual) if evaluation.task == "regression" else 0
    if zeros:
        caveats.append(
            "mape, median_ape and within_10pct leave out the held-out rows whose actual is 0: "
            f"{zeros:,} of {evaluation.rows:,}."
        )
    worst = _worst_slice(evaluation)
    if worst is not None:
        value, overall = worst.metrics[evaluation.metric], evaluation.metrics[evaluation.metric].value
        caveats.append(
            f"Weakest where {_escape(worst.column)} is {_escape(worst.part)}: {evaluation.metric} "
            f"{_with_unit(evaluation.metric, value)} on {worst.rows:,} rows, {_with_unit(evaluation.metric, overall)} "
            "on all."
        )
    return caveats


def _worst_slice(evaluation: Evaluation) -> Slice | None:
    worst: Slice | None = None
    for part in evaluation.slices:
        value = part.metrics.get(evaluation.metric, math.nan)
        if not math.isnan(value) and (
            worst is None or metrics.is_better(evaluation.metric, worst.metrics[evaluation.metric], value)
        ):
            worst = part
    return worst


def _reproduction(provenance: Provenance, seed: int, command: str) -> list[str]:
    return [
        "```",
        _code(command),
        "```",
        "",
        f"with seed {seed} on the data with sha256 `{provenance.sha256}`.",
        "Equal data, configuration, package versions and seed give an equal model.",
    ]


def _with_unit(metric: str, value: float) -> str:
    return f"{_number(value)} %" if metric in _PERCENT and not math.isnan(value) else _number(value)


def _number(value: float) -> str:
    return "undefined" if math.isnan(value) else as_text(value)


def _items(lines: Iterable[str]) -> list[str]:
    return [f"- {line}" for line in lines]


def _table(header: list[str], rows: list[list[str]]) -> list[str]:
    """A table in GitHub's Markdown; every cell is escaped here."""
    lines = [header, *rows]
    shown = ["| " + " | ".join(map(_escape, line)) + " |" for line in lines]
    return [shown[0], "|" + " --- |" * len(header), *shown[1:]]


def _escape(text: str) -> str:
    return text.translate(_MARKUP)


def _code(text: str) -> str:
    return text.replace("`", "'").replace("\n", " ")
