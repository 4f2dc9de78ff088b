"""Two versions of a model side by side: how they were made, their scores, and whether these differ significantly."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from tabular.config.stages import Task
from tabular.learning import gate, metrics
from tabular.learning.answers import PairedAnswers
from tabular.learning.gate import PairedDifference
from tabular.learning.metrics import as_text
from tabular.learning.model_config import Input, ModelConfig, breaking_changes
from tabular.reports.report import Report
from tabular.reports.training import Interval

_BINS = 40
_HASH = 12


class Difference(Report):
    """A choice that differs between the versions."""

    name: str
    a: Any
    """None if the version has no such choice."""
    b: Any


class Scores(Report):
    """One metric of both versions, each on its own held-out rows; None if a version does not have it."""

    metric: str
    a: Interval | None
    b: Interval | None


class PairedTest(Report):
    """One metric of both versions on the same rows."""

    metric: str
    a: float
    b: float
    difference: Interval
    """Positive if B is better, for metrics of both directions."""
    words: str


class Bins(Report):
    """A histogram."""

    edges: list[float]
    """Edges of the bins, one more than there are counts."""
    counts: list[int]


class ClassShare(Report):
    """Share of the rows of one class that each version predicts correctly."""

    label: str
    rows: int
    a: float
    """Share of version A, 0 to 1."""
    b: float


class Comparison(Report):
    """The comparison of version B with version A."""

    a: str
    """Name of version A in sentences, such as `version 7`."""
    b: str
    task: Task
    """Task of version B."""
    metric: str
    """The metric that decides, taken from the gate of version B."""
    parameters: list[Difference]
    scores: list[Scores]
    data: list[str]
    """Sentences that say whether table and rows are the same."""
    inputs: list[str]
    """Sentences about inputs that only one version has, or that differ."""
    breaks: list[str]
    """Sentences that say why version B would refuse requests of clients of version A."""
    tests: list[PairedTest]
    """Empty if there was no fair comparison."""
    words: str
    """Result of the test of `metric`, or the reason why there is none."""
    compared_on: str
    """The rows of the tests in words; empty without tests."""
    tolerance: float
    """How much worse B may be in `metric` and still count as equally good."""
    resamples: int
    confidence: float
    drawn: Bins | None
    """Histogram of the difference in `metric` over the resamples; None without a test, or if all are equal."""
    errors_a: list[float]
    """Absolute error of version A on each row of the tests; empty for a classification."""
    errors_b: list[float]
    classes: list[ClassShare]
    """Empty for a regression."""


def compare(a: ModelConfig, b: ModelConfig, answers: PairedAnswers | str | None) -> Comparison:
    """Compare version B with version A, with the paired tests of the gate if both answered for the same rows.

    Args:
        a: the older version, most often the champion.
        b: the challenger; its gate gives metric, tolerance, number of resamples and confidence, and its seed draws
            the resamples.
        answers: the answers of A as the champion's and those of B as the challenger's; or a sentence that says why
            they cannot be compared; None if no comparison was asked for.

    Raises:
        ValueError: the number of answers differs from the number of rows.
    """
    config = b.gate.config
    old, new = _called(a, b), _called(b, a)
    if (a.task, a.target) != (b.task, b.target):
        answers = f"cannot tell: {old} predicts '{a.target}' ({a.task}), {new} '{b.target}' ({b.task})"
    pairs: dict[str, PairedDifference] = {}
    if isinstance(answers, PairedAnswers):
        names = metrics.names(b.task)
        pairs = gate.paired(names, b.task, answers, config.resamples, config.confidence, b.seed)
    tests = [
        PairedTest(
            metric=name,
            a=pair.champion,
            b=pair.challenger,
            difference=pair.difference,
            words=_sentence(name, pair, old, new, config.confidence),
        )
        for name, pair in pairs.items()
    ]
    said = {test.metric: test.words for test in tests}
    why_not = answers if isinstance(answers, str) else "their answers for the same rows were not compared"
    if isinstance(answers, PairedAnswers) and config.metric not in said:
        why_not = f"cannot tell: one of the two gives no probabilities, which {config.metric} needs"
    return Comparison(
        a=old,
        b=new,
        task=b.task,
        metric=config.metric,
        parameters=list(_differences(a, b)),
        scores=[
            Scores(metric=name, a=a.metrics.get(name), b=b.metrics.get(name))
            for name in dict([*b.metrics.items(), *a.metrics.items()])
        ],
        data=_data(a, b, old, new),
        inputs=list(_inputs(a, b, old, new)),
        breaks=breaking_changes(a.inputs, b.inputs),
        tests=tests,
        words=said.get(config.metric, why_not),
        compared_on=answers.rows if isinstance(answers, PairedAnswers) else "",
        tolerance=config.tolerance,
        resamples=config.resamples,
        confidence=config.confidence,
        drawn=_histogram(pairs[config.metric]) if config.metric in pairs else None,
        **_by_row(answers, b.task),
    )


def _called(one: ModelConfig, other: ModelConfig) -> str:
    return f"version {one.version}" if one.name == other.name else f"{one.name} version {one.version}"


def _sentence(name: str, pair: PairedDifference, a: str, b: str, confidence: float) -> str:
    _, low, high = value = (pair.difference.value, pair.difference.low, pair.difference.high)
    if any(math.isnan(end) for end in value):
        return f"cannot tell: {name} is undefined on these rows"
    if not any(value) and not np.nan_to_num(pair.drawn).any():
        return f"no difference in {name} in any resample: {b} is as good as the same model"
    # The sentence takes the side of the better version, so that the reader does not have to invert a sign.
    better, worse, sign = (b, a, 1) if value[0] >= 0 else (a, b, -1)
    ends = sorted((sign * low, sign * high))
    span = f"{as_text(100 * confidence)} % interval {as_text(ends[0])} to {as_text(ends[1])}"
    if ends[0] > 0:
        return f"{better} is better than {worse} by {as_text(sign * value[0])} in {name}, {span}"
    return f"too close to call: {better} is ahead of {worse} by {as_text(sign * value[0])} in {name}, {span}"


def _differences(a: ModelConfig, b: ModelConfig) -> Iterator[Difference]:
    """The choices that differ; each parameter of the estimator is one."""
    for name in ("task", "target", "algorithm", "target_transform", "imputer", "clusters", "seed"):
        if getattr(a, name) != getattr(b, name):
            yield Difference(name=name, a=getattr(a, name), b=getattr(b, name))
    for name in sorted({*a.parameters, *b.parameters}):
        if a.parameters.get(name) != b.parameters.get(name):
            yield Difference(name=f"parameters.{name}", a=a.parameters.get(name), b=b.parameters.get(name))


def _data(a: ModelConfig, b: ModelConfig, old: str, new: str) -> list[str]:
    one, two = a.data, b.data
    parts = [
        (
            "table",
            one.sha256,
            two.sha256,
            f"{one.rows:,} rows from {one.location}",
            f"{two.rows:,} from {two.location}",
        ),
        ("training rows", one.train_sha256, two.train_sha256, f"{one.train_rows:,}", f"{two.train_rows:,}"),
        ("held-out rows", one.held_out_sha256, two.held_out_sha256, f"{one.held_out_rows:,}", f"{two.held_out_rows:,}"),
    ]
    return [
        f"the same {part}: {first}"
        if mine == theirs
        else f"other {part}: {old} has {first} ({mine[:_HASH]}), {new} {second} ({theirs[:_HASH]})"
        for part, mine, theirs, first, second in parts
    ]


def _inputs(a: ModelConfig, b: ModelConfig, old: str, new: str) -> Iterator[str]:
    first, second = ({column.name: column for column in config.inputs} for config in (a, b))
    for name in [*first, *(name for name in second if name not in first)]:
        one, two = first.get(name), second.get(name)
        if one is None or two is None:
            yield f"'{name}' ({_kind(one or two)}) is an input of {new if one is None else old} only"
        elif one != two:
            yield f"'{name}' is {_kind(one)} for {old} and {_kind(two)} for {new}"


def _kind(column: Input | None) -> str:
    assert column is not None, "a name comes from one of the two"
    return f"{column.kind}, {column.dtype}{', required' if column.required else ''}"


def _histogram(pair: PairedDifference) -> Bins | None:
    defined = pair.drawn[~np.isnan(pair.drawn)]
    if not len(defined) or np.ptp(defined) == 0:
        return None
    counts, edges = np.histogram(defined, bins=_BINS)
    return Bins(edges=edges.tolist(), counts=counts.tolist())


def _by_row(answers: PairedAnswers | str | None, task: Task) -> dict[str, Any]:
    """The fields of the comparison with a value for each row or class, for the picture."""
    if not isinstance(answers, PairedAnswers):
        return {"errors_a": [], "errors_b": [], "classes": []}
    both = (answers.champion.predicted, answers.challenger.predicted)
    if task == "regression":
        errors = [np.abs(answers.actual - predicted).tolist() for predicted in both]
        return {"errors_a": errors[0], "errors_b": errors[1], "classes": []}
    hits = [answers.actual == predicted for predicted in both]
    shares = []
    for label in sorted(set(answers.actual)):
        chosen = answers.actual == label
        a, b = (float(hit[chosen].mean()) for hit in hits)
        shares.append(ClassShare(label=label, rows=int(chosen.sum()), a=a, b=b))
    return {"errors_a": [], "errors_b": [], "classes": shares}
