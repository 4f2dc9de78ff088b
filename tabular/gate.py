"""Whether a new model may take the champion's place: absolute limits, then a paired bootstrap on the same rows."""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tabular import metrics
from tabular.config.stages import GateConfig
from tabular.errors import UserError
from tabular.metrics import as_text
from tabular.reports import Evaluation, GateDecision, Interval

Verdict = Literal["promote", "keep", "reject"]


class Rival(NamedTuple):
    """The champion's answers for the very rows that the challenger was evaluated on."""

    version: str
    predicted: Sequence[float] | Sequence[str]
    """In the order of `Evaluation.actual`."""
    probabilities: Sequence[Sequence[float]] | None = None
    """Columns in the order of `Evaluation.classes`; None for a regression, or where the champion gives none."""


Challenged: TypeAlias = Rival | str
"""The champion's answers, or in words why no fair comparison is possible."""


class _Outcome(NamedTuple):
    verdict: Verdict
    reasons: list[str]
    champion: float | None = None
    difference: Interval | None = None


def absolute(evaluation: Evaluation, config: GateConfig) -> dict[str, float]:
    """The metrics that are worse than their limit, with their value; an undefined one (nan) is worse than any limit.

    Raises:
        UserError: a limit for something that is no metric of the task.
    """
    values = {name: _value(evaluation, name, f"gate.limits.{name}") for name in config.limits}
    return {
        name: value
        for name, value in values.items()
        if math.isnan(value) or metrics.is_better(name, config.limits[name], value)
    }


def decide(
    evaluation: Evaluation,
    config: GateConfig,
    seed: int,
    promotable: bool,
    why_not: str | None,
    champion: Challenged | None,
) -> GateDecision:
    """Promote, keep or reject the evaluated model, the challenger.

    In this order: a broken limit rejects; a model that is not promotable is kept as challenger; without a champion it
    is promoted; without a fair comparison it is kept. Then a paired bootstrap (Efron & Tibshirani 1993, chapter 8)
    of the difference in `config.metric` decides, both models scored on the same drawn rows: promoted if the interval
    lies above -tolerance, rejected if it lies below, kept otherwise. A model that makes no difference at all in any
    resample, such as the champion itself, is kept.

    Args:
        evaluation: the challenger's.
        config: metric, limits, tolerance in units of the metric, resamples and confidence.
        seed: of the bootstrap.
        promotable: False for a model that must not become champion whatever it scores.
        why_not: the reason for that, in words.
        champion: its answers for the same rows, or why they cannot be had; None where there is no champion.

    Raises:
        UserError: the metric, or that of a limit, is not one of the task.
        ValueError: the champion's answers do not fit the held-out rows.
    """
    challenger = _value(evaluation, config.metric, "gate.metric")
    broken = absolute(evaluation, config)
    rival = champion if isinstance(champion, Rival) else None
    if broken:
        outcome = _Outcome("reject", [_broken_limit(name, value, config) for name, value in broken.items()])
    elif not promotable:
        outcome = _Outcome("keep", [f"not promotable: {why_not or 'no reason given'}"])
    elif champion is None:
        outcome = _Outcome("promote", [f"there is no champion yet; {config.metric} is {as_text(challenger)}"])
    elif rival is None:
        outcome = _Outcome("keep", [f"no fair comparison with the champion: {champion}"])
    else:
        outcome = _compare(evaluation, config, seed, challenger, rival)
    return GateDecision(
        decision=outcome.verdict,
        reasons=[*outcome.reasons, *([] if broken else _kept_limits(evaluation, config))],
        metric=config.metric,
        challenger=challenger,
        champion=outcome.champion,
        champion_version=rival.version if rival else None,
        difference=outcome.difference,
        tolerance=config.tolerance,
        resamples=config.resamples,
        broken_limits=broken,
    )


def _compare(evaluation: Evaluation, config: GateConfig, seed: int, challenger: float, rival: Rival) -> _Outcome:
    metric, task = config.metric, evaluation.task
    if metric in metrics.NEEDS_PROBABILITIES and rival.probabilities is None:
        return _Outcome("keep", [f"no fair comparison: champion version {rival.version} gives no probabilities"])
    predicted = metrics.outcomes(rival.predicted, task)
    champion = metrics.metric(metric, task, evaluation.actual, predicted, rival.probabilities, evaluation.classes)
    drawn = _resampled(evaluation, config, seed, rival)
    sign = 1 if metrics.goal(metric) == "minimize" else -1
    differences = sign * (drawn[0] - drawn[1])
    difference = metrics.percentile_interval(sign * (champion - challenger), differences, config.confidence)
    if math.isnan(difference.value) or math.isnan(difference.low):
        return _Outcome("keep", [f"{metric} is undefined on these rows: cannot tell which model is better"])
    verdict, word = _verdict(difference, differences, config.tolerance)
    return _Outcome(
        verdict, _reasons(word, evaluation, config, challenger, champion, rival, difference), champion, difference
    )


def _resampled(
    evaluation: Evaluation, config: GateConfig, seed: int, rival: Rival
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The metric of champion and challenger on the same resamples: equal seeds draw equal rows."""
    champion, challenger = (
        metrics.resampled(
            [config.metric],
            evaluation.task,
            evaluation.actual,
            predicted,
            probabilities,
            evaluation.classes,
            config.resamples,
            seed,
        )[config.metric]
        for predicted, probabilities in (
            (metrics.outcomes(rival.predicted, evaluation.task), rival.probabilities),
            (evaluation.predicted, evaluation.probabilities),
        )
    )
    return champion, challenger


def _verdict(difference: Interval, differences: NDArray[np.float64], tolerance: float) -> tuple[Verdict, str]:
    if difference.value == 0 and not np.nan_to_num(differences).any():
        return "keep", "no difference in any resample: as good as the same model"
    if difference.low > -tolerance:
        return "promote", "clearly better" if difference.low > 0 else "as good, within the tolerance"
    if difference.high < -tolerance:
        return "reject", "clearly worse"
    return "keep", "too close to call"


def _reasons(
    word: str,
    evaluation: Evaluation,
    config: GateConfig,
    challenger: float,
    champion: float,
    rival: Rival,
    difference: Interval,
) -> list[str]:
    scores = (
        f"{word}: on {evaluation.rows:,} held-out rows {config.metric} is {as_text(challenger)} against "
        f"{as_text(champion)} of champion version {rival.version}"
    )
    numbers = (
        f"difference in favour of the challenger {as_text(difference.value)}, "
        f"{as_text(100 * config.confidence)} % interval {as_text(difference.low)} to {as_text(difference.high)} "
        f"from {config.resamples:,} paired resamples; promoted where it lies above {as_text(0 - config.tolerance)}, "
        "rejected where it lies below"
    )
    return [scores, numbers]


def _broken_limit(name: str, value: float, config: GateConfig) -> str:
    bound = "at least" if metrics.goal(name) == "maximize" else "at most"
    found = "undefined on these rows" if math.isnan(value) else as_text(value)
    return f"{name} is {found}; the limit is {bound} {as_text(config.limits[name])}"


def _kept_limits(evaluation: Evaluation, config: GateConfig) -> list[str]:
    return [
        f"{name} is {as_text(evaluation.metrics[name].value)}, within its limit of {as_text(limit)}"
        for name, limit in config.limits.items()
    ]


def _value(evaluation: Evaluation, name: str, key: str) -> float:
    if name not in evaluation.metrics:
        known = ", ".join(evaluation.metrics)
        raise UserError(f"{key}: '{name}' is no metric of a {evaluation.task}; choose one of {known}")
    return evaluation.metrics[name].value
