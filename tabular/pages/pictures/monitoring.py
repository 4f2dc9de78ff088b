"""The pictures of a verdict on a window or a batch."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Literal, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tabular.pages import words
from tabular.pages.pictures import panels, style
from tabular.reports.training import Interval
from tabular.reports.verdicts import Kind, MonitoringFinding, Verdict

MOST = 25
"""Largest number of findings in one picture, the worst first."""
COLOURS = {"ok": style.QUIET, "warn": style.LINES[4], "alert": style.WARNING}


class _FindingScale(NamedTuple):
    """What the findings of some kinds are measured in."""

    label: str
    unit: float = 100.0
    """The factor from a value to what is drawn; 100 for percent."""


_DISTANCE = _FindingScale("share of rows that would have to change for the column to be as in training (%)")
_STRANGE = _FindingScale("share of values that did not occur in training (%)")
_FAR = 30
"""A threshold that is so many times as large as the longest bar would make all bars too short to see."""
_LEVELS = ("alert", "warn", "ok")
_MARKS = {"alert": "  alert", "warn": "  warning", "ok": ""}
SCALES: dict[Kind, _FindingScale] = {
    "distribution": _DISTANCE,
    "prediction": _DISTANCE,
    "missing": _FindingScale("change of the share of missing values (percentage points)"),
    "out_of_range": _STRANGE,
    "unknown": _STRANGE,
    "performance": _FindingScale("how much worse than on the held-out rows (%), at the better end of the interval"),
    "latency": _FindingScale("latency (ms)", 1.0),
    "errors": _FindingScale("requests that failed (%)"),
    "refused": _FindingScale("requests that were refused (%)"),
    "validation": _FindingScale("share of rows that break a rule (%)"),
}


def draw(verdict: Verdict) -> dict[str, Figure]:
    """`drift`: each finding with its thresholds; `performance`: the present metrics beside the held-out ones."""
    return {**_drift(verdict), **_performance(verdict)}


def _drift(verdict: Verdict) -> dict[str, Figure]:
    """One panel for each scale, the one with the worst finding first; findings that are fine and 0 are left out."""
    worth_drawing = [
        finding
        for finding in verdict.findings
        if math.isfinite(finding.value) and (finding.value != 0 or finding.level != "ok")
    ]
    findings = worth_drawing[:MOST]
    if not findings:
        return {}
    scales = list(dict.fromkeys(SCALES.values()))
    by_scale: dict[_FindingScale, list[MonitoringFinding]] = {}
    for finding in sorted(findings, key=lambda it: (_LEVELS.index(it.level), scales.index(SCALES[it.kind]))):
        by_scale.setdefault(SCALES[finding.kind], []).append(finding)
    heights = [0.75 + 0.32 * len(panel) for panel in by_scale.values()]
    figure = style.figure(sum(heights) + 1.2, width=9.0)
    axes = figure.subplots(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    for place, (scale, panel) in enumerate(by_scale.items()):
        _panel(axes[place], scale, panel)
    # One panel's legend stands for all: thresholds look the same everywhere.
    drawn = max(axes, key=lambda one: len(one.get_legend_handles_labels()[1]))
    if drawn.get_legend_handles_labels()[1]:
        style.legend(figure, drawn)
    levels = Counter[str](finding.level for finding in verdict.findings)
    counted = [
        f"{levels[level]} {name}{'' if levels[level] == 1 else 's'}"
        for level, name in (("alert", "alert"), ("warn", "warning"))
    ]
    more = len(worth_drawing) - len(findings)
    beside = f" (and {more} smaller findings)" if more else ""
    rows = f"{verdict.model} version {verdict.version}, {verdict.rows:,} rows"
    style.headline(figure, f"{rows}: {', '.join(counted)}{beside}")
    return {"drift": figure}


def _panel(axes: Axes, scale: _FindingScale, findings: Sequence[MonitoringFinding]) -> None:
    style.tidy(axes, scale.label, "", grid="x")
    values = [scale.unit * finding.value for finding in findings]
    notes = [words.plain(value) + _MARKS[finding.level] for value, finding in zip(values, findings, strict=True)]
    labels = [
        finding.subject if finding.kind != "unknown" else f"{words.short(finding.subject, 24)} (unknown)"
        for finding in findings
    ]
    style.bars(axes, labels, values, notes)
    for bar, finding in zip(axes.containers[0], findings, strict=True):
        bar.set_color(COLOURS[finding.level])
    largest = max(map(abs, values))
    thresholds: tuple[tuple[str, Literal["dotted", "dashed"], str], ...] = (
        ("warn", "dotted", "warning threshold"),
        ("alert", "dashed", "alert threshold"),
    )
    for name, line, label in thresholds:
        limits = [getattr(finding, name) for finding in findings]
        drawn = [(scale.unit * limit, place) for place, limit in enumerate(limits) if limit is not None]
        near = [(limit, place) for limit, place in drawn if limit < max(_FAR * largest, 100)]
        if near:
            across, places = (list(column) for column in zip(*near, strict=True))
            above, below = ([place + end for place in places] for end in (-0.47, 0.47))
            axes.vlines(across, above, below, colors=style.INK, linestyles=line, linewidth=1.3, label=label, zorder=2.5)
    axes.margins(x=0.14)
    axes.set_ylim(len(findings) - 0.35, -0.65)


def _performance(verdict: Verdict) -> dict[str, Figure]:
    performance = verdict.performance
    if performance is None:
        return {}
    metrics = {name: found for name, found in performance.metrics.items() if math.isfinite(found.value)}
    if not metrics:
        return {}
    figure = style.figure(panels.height(len(metrics)) + 1.0, width=11.0)
    held_out = {
        name: Interval(value=value, low=value, high=value)
        for name, value in performance.held_out.items()
        if math.isfinite(value)
    }
    pairs = {name: (held_out.get(name), found) for name, found in metrics.items()}
    panels.metric_panels(figure, pairs, ("held out", "now"), performance.metric)
    said, name = f"{performance.rows:,} predictions whose true value is known", performance.metric
    if name in metrics:
        before = f", {words.value(name, held_out[name].value)} on the held-out rows" if name in held_out else ""
        said += f": {words.metric(name).label} {words.value(name, metrics[name].value)}{before}"
    style.headline(figure, said)
    return {"performance": figure}
