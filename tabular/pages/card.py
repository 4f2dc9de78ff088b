"""The model card: what a version is, how it was made, how good it is and where it should not be trusted."""

import math

from tabular.config.stages import HIGHER_IS_BETTER, Task
from tabular.learning.metrics import as_text, goal
from tabular.pages import rendering, words
from tabular.reports.training import TrainingFindings


def model_card(*, name: str, task: Task, target: str, findings: TrainingFindings, seed: int) -> str:
    """Return a model card in Markdown (Mitchell et al. 2019) from the reports of the stages and nothing else.

    It ends with a newline. Characters with a meaning in Markdown are escaped wherever text is the data's.
    """
    evaluation, metric = findings.evaluation, findings.evaluation.metric
    known = [part for part in evaluation.slices if not math.isnan(part.metrics.get(metric, math.nan))]
    worst = min if metric in HIGHER_IS_BETTER else max
    validated = evaluation.cross_validation

    def over_folds(score: str) -> str:
        figures = validated.metrics.get(score) if validated else None
        if figures is None or math.isnan(figures.mean):
            return "undefined"
        return f"{_number(figures.mean)} ± {_with_unit(score, figures.std)}"

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
        metric=metric,
        validated=validated,
        folds=max(len(figures.folds) for figures in validated.metrics.values()) if validated else 0,
        worst=worst(known, key=lambda part: part.metrics[metric], default=None),
        gate=findings.gate_decision,
        seed=seed,
        goal=goal,
        number=_number,
        over_folds=over_folds,
        with_unit=_with_unit,
    )


def _with_unit(metric: str, value: float) -> str:
    has_unit = words.metric(metric).unit == "%" and not math.isnan(value)
    return f"{_number(value)} %" if has_unit else _number(value)


def _number(value: float) -> str:
    return "undefined" if math.isnan(value) else as_text(value)
