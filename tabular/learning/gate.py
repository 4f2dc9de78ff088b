"""Whether a new model may replace the champion: absolute limits first, then a paired bootstrap on the same rows."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tabular.config.stages import GateConfig, Task
from tabular.errors import UserError
from tabular.learning import metrics
from tabular.learning.answers import PairedAnswers
from tabular.learning.metrics import as_text
from tabular.reports.training import GateDecision, Interval

Verdict = Literal["promote", "keep", "reject"]


class PairedDifference(NamedTuple):
    """One metric of both models on the same rows, with the paired bootstrap of the difference."""

    champion: float
    challenger: float
    difference: Interval
    """Positive if the challenger is better, for metrics of both directions."""
    drawn: NDArray[np.float64]
    """The difference in each resample (resamples,); nan if the metric is undefined on the drawn rows."""


def absolute(scores: Mapping[str, Interval], task: Task, config: GateConfig) -> dict[str, float]:
    """The metrics that are worse than their limit, with their value; an undefined value (nan) breaks every limit.

    Raises:
        UserError: a limit is set for a name that is not a metric of the task.
    """
    values = {name: _value(scores, task, name, f"gate.limits.{name}") for name in config.limits}
    return {
        name: value
        for name, value in values.items()
        if math.isnan(value) or metrics.is_better(name, config.limits[name], value)
    }


def decide(
    scores: Mapping[str, Interval],
    task: Task,
    config: GateConfig,
    seed: int,
    obstacles: Sequence[str],
    answers: PairedAnswers | str | None,
) -> GateDecision:
    """Promote, keep or reject a model, the challenger.

    The first rule that applies decides: a broken limit rejects the model; an obstacle keeps it as challenger; without
    a fair comparison it is kept. Then a paired bootstrap of the difference in `config.metric` decides: the model is
    promoted if the interval lies above -tolerance, rejected if the interval lies below, and kept otherwise. A model
    without any difference in any resample, such as the champion itself, is kept. A first model is compared with the
    baseline: it is promoted if the interval lies above 0, and kept otherwise.

    Args:
        scores: the challenger's metrics on its own held-out rows, which the limits are compared with.
        obstacles: sentences that say why the model must not become champion, whatever its scores.
        answers: the answers of both models, or of the model and the baseline, for the same rows, or a sentence that
            says why they cannot be compared; None if there is no champion, and no rows to compare with the baseline.

    Raises:
        UserError: the deciding metric, or the name of a limit, is not a metric of the task.
        ValueError: the number of answers differs from the number of rows.
    """
    own = _value(scores, task, config.metric, "gate.metric")
    broken = absolute(scores, task, config)
    pair = None
    decision: Verdict
    reasons: list[str]
    if broken:
        decision, reasons = "reject", [_broken_limit(name, value, config) for name, value in broken.items()]
    elif obstacles:
        decision, reasons = "keep", []
    elif answers is None:
        decision, reasons = "promote", [f"there is no champion yet; {config.metric} is {as_text(own)}"]
    elif isinstance(answers, str):
        decision, reasons = "keep", [answers]
    elif answers.champion_version is None:
        decision, reasons = _beside_baseline(answers, task, config, seed)
    else:
        decision, reasons, pair = _compare(answers, task, config, seed)
    reasons += [f"not promotable: {obstacle}" for obstacle in obstacles]
    for name, limit in config.limits.items() if not broken else ():
        reasons.append(f"{name} is {as_text(scores[name].value)}, within its limit of {as_text(limit)}")
    return GateDecision(
        decision=decision,
        reasons=reasons,
        metric=config.metric,
        challenger=pair.challenger if pair else own,
        champion=pair.champion if pair else None,
        champion_version=answers.champion_version if isinstance(answers, PairedAnswers) else None,
        compared_on=answers.rows if pair and isinstance(answers, PairedAnswers) else "",
        difference=pair.difference if pair else None,
        tolerance=config.tolerance,
        resamples=config.resamples,
        broken_limits=broken,
        obstacles=list(obstacles),
    )


def paired(
    names: Iterable[str], task: Task, answers: PairedAnswers, resamples: int, confidence: float, seed: int
) -> dict[str, PairedDifference]:
    """A paired bootstrap of the difference in each metric (Efron & Tibshirani 1993, chapter 8).

    Both models are scored on the same drawn rows, the same for every metric. A metric that needs probabilities is
    left out if one of the models has none.

    Each resample draws as many rows as there are, with replacement; `confidence`, the coverage of the intervals, lies
    between 0 and 1.

    Raises:
        UserError: a name is not a metric of the task.
        ValueError: the number of answers differs from the number of rows.
    """
    has_probabilities = answers.champion.probabilities is not None and answers.challenger.probabilities is not None
    wanted = [name for name in names if has_probabilities or name not in metrics.NEEDS_PROBABILITIES]
    if not wanted:
        return {}
    both = (answers.champion, answers.challenger)
    values = [{name: metrics.metric(name, task, answers.actual, *one) for name in wanted} for one in both]
    drawn = [metrics.resampled(wanted, task, answers.actual, *one, resamples, seed) for one in both]
    found = {}
    for name in wanted:
        sign = 1 if metrics.goal(name) == "minimize" else -1
        champion, challenger = (one[name] for one in values)
        differences = sign * (drawn[0][name] - drawn[1][name])
        interval = metrics.percentile_interval(sign * (champion - challenger), differences, confidence)
        found[name] = PairedDifference(champion, challenger, interval, differences)
    return found


def verdict(pair: PairedDifference, tolerance: float) -> tuple[Verdict, str]:
    """The decision and its reason in a few words; `tolerance` is how much worse still counts as equally good."""
    difference = pair.difference
    if math.isnan(difference.value) or math.isnan(difference.low):
        return "keep", "undefined on these rows"
    if difference.value == 0 and not np.nan_to_num(pair.drawn).any():
        return "keep", "no difference in any resample: as good as the same model"
    if difference.low > -tolerance:
        return "promote", "clearly better" if difference.low > 0 else "as good, within the tolerance"
    if difference.high < -tolerance:
        return "reject", "clearly worse"
    return "keep", "too close to call"


def _beside_baseline(answers: PairedAnswers, task: Task, config: GateConfig, seed: int) -> tuple[Verdict, list[str]]:
    """Whether a first model is better than the baseline by more than the error of the difference."""
    name = config.metric
    pair = paired([name], task, answers, config.resamples, config.confidence, seed)[name]
    difference = pair.difference
    if math.isnan(difference.value) or math.isnan(difference.low):
        return "keep", [f"there is no champion yet, and {name} is undefined on {answers.rows}"]
    scores = f"{name} is {as_text(pair.challenger)} against {as_text(pair.champion)} of the baseline"
    if difference.low > 0:
        return "promote", [f"there is no champion yet; on {answers.rows} {scores}"]
    ends = f"{as_text(100 * config.confidence)} % interval {as_text(difference.low)} to {as_text(difference.high)}"
    said = f"no better than an answer without a model: on {answers.rows} {scores}"
    return "keep", [f"{said} (difference {as_text(difference.value)}, {ends})"]


def _compare(
    answers: PairedAnswers, task: Task, config: GateConfig, seed: int
) -> tuple[Verdict, list[str], PairedDifference | None]:
    champion = f"champion version {answers.champion_version}"
    pair = paired([config.metric], task, answers, config.resamples, config.confidence, seed).get(config.metric)
    if pair is None:
        without = "the challenger" if answers.challenger.probabilities is None else champion
        return "keep", [f"cannot tell: {without} gives no probabilities, which {config.metric} needs"], None
    if math.isnan(pair.difference.value) or math.isnan(pair.difference.low):
        return "keep", [f"cannot tell: {config.metric} is undefined on {answers.rows}"], None
    decision, word = verdict(pair, config.tolerance)
    scores = (
        f"{word}: on {answers.rows} {config.metric} is {as_text(pair.challenger)} against "
        f"{as_text(pair.champion)} of {champion}"
    )
    numbers = (
        f"difference in favour of the challenger {as_text(pair.difference.value)}, "
        f"{as_text(100 * config.confidence)} % interval {as_text(pair.difference.low)} to "
        f"{as_text(pair.difference.high)} from {config.resamples:,} paired resamples; promoted where it lies above "
        f"{as_text(0 - config.tolerance)}, rejected where it lies below"
    )
    return decision, [scores, numbers], pair


def _broken_limit(name: str, value: float, config: GateConfig) -> str:
    bound = "at least" if metrics.goal(name) == "maximize" else "at most"
    found = "undefined on these rows" if math.isnan(value) else as_text(value)
    return f"{name} is {found}; the limit is {bound} {as_text(config.limits[name])}"


def _value(scores: Mapping[str, Interval], task: Task, name: str, key: str) -> float:
    if name not in scores:
        raise UserError(f"{key}: '{name}' is not a metric of a {task}; choose one of {', '.join(scores)}")
    return scores[name].value
