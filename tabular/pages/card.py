"""The model card: what a version is, how it was made, how good it is and where it should not be trusted."""

import math

from tabular.config.stages import Task
from tabular.learning.metrics import as_text, goal, is_better
from tabular.pages import rendering, words
from tabular.reports.training import Evaluation, Slice, TrainingFindings


def model_card(
    *,
    name: str,
    task: Task,
    target: str,
    findings: TrainingFindings,
    seed: int,
    command: str = "python run.py --config configs/train.yaml",
) -> str:
    """A model card in Markdown, after Mitchell et al. 2019, from what the stages reported and nothing else.

    Args:
        name: the model's name in the registry.
        task: regression or classification.
        target: the predicted column.
        findings: the reports of the stages.
        seed: the seed of the run.
        command: the command that trains the model again.

    Returns:
        Text that ends with a newline. Characters with a meaning in Markdown are escaped wherever text is the data's.
    """
    evaluation = findings.evaluation
    validated = evaluation.cross_validation

    def over_folds(metric: str) -> str:
        figures = validated.metrics.get(metric) if validated else None
        if figures is None or math.isnan(figures.mean):
            return "undefined"
        return f"{_number(figures.mean)} ± {_with_unit(metric, figures.std)}"

    return rendering.markdown(
        "card.md",
        name=name,
        task=task,
        target=target,
        provenance=findings.provenance,
        imputation=findings.imputation_report,
        features=findings.feature_report,
        leaderboard=findings.leaderboard,
        search=findings.search_report,
        best=findings.best_parameters,
        evaluation=evaluation,
        metric=evaluation.metric,
        validated=validated,
        folds=max(len(figures.folds) for figures in validated.metrics.values()) if validated else 0,
        worst=_worst_slice(evaluation),
        gate=findings.gate_decision,
        seed=seed,
        command=command,
        goal=goal,
        number=_number,
        over_folds=over_folds,
        with_unit=_with_unit,
    )


def _worst_slice(evaluation: Evaluation) -> Slice | None:
    metric = evaluation.metric
    worst: Slice | None = None
    for part in evaluation.slices:
        value = part.metrics.get(metric, math.nan)
        if not math.isnan(value) and (worst is None or is_better(metric, worst.metrics[metric], value)):
            worst = part
    return worst


def _with_unit(metric: str, value: float) -> str:
    has_unit = words.metric(metric).unit == "%" and not math.isnan(value)
    return f"{_number(value)} %" if has_unit else _number(value)


def _number(value: float) -> str:
    return "undefined" if math.isnan(value) else as_text(value)
