"""The pictures of a verdict on a window or a batch."""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tabular.pages import words
from tabular.pages.pictures import style
from tabular.reports.training import Interval
from tabular.reports.verdicts import Kind, MonitoringFinding, Verdict

MOST = 25
"""Findings in one picture, the worst first."""
COLOURS = {"ok": style.QUIET, "warn": style.LINES[4], "alert": style.WARNING}
_COLUMNS = 4


class _Scale(NamedTuple):
    """What the findings of some kinds are measured in."""

    label: str
    unit: float = 1.0
    """What a value is multiplied by."""


_DISTANCE = _Scale("share of rows that would have to be others to be as in training (%)", 100)
_STRANGE = _Scale("share of values that training never had (%)", 100)
_FAR = 30
"""A threshold so many times as large as the longest bar would squeeze all bars to nothing."""
_LEVELS = ("alert", "warn", "ok")
SCALES: dict[Kind, _Scale] = {
    "distribution": _DISTANCE,
    "prediction": _DISTANCE,
    "missing": _Scale("change of the share of missing values (percentage points)", 100),
    "out_of_range": _STRANGE,
    "unknown": _STRANGE,
    "performance": _Scale("worse than held out by (%), at the better end of the interval", 100),
    "latency": _Scale("latency (ms)"),
    "errors": _Scale("requests that the service failed (%)", 100),
    "refused": _Scale("requests that the service refused (%)", 100),
    "validation": _Scale("share of rows that break a rule (%)", 100),
}


def draw(verdict: Verdict) -> dict[str, Figure]:
    """`drift`: every finding against its thresholds; `performance`: the metrics of now against the held-out ones."""
    return {**_drift(verdict), **_performance(verdict)}


def _drift(verdict: Verdict) -> dict[str, Figure]:
    """One panel for each scale, that with the worst finding first; what is fine and nought is left out."""
    worth_drawing = [
        finding
        for finding in verdict.findings
        if math.isfinite(finding.value) and (finding.value != 0 or finding.level != "ok")
    ]
    findings = worth_drawing[:MOST]
    if not findings:
        return {}
    scales = list(dict.fromkeys(SCALES.values()))
    panels: dict[_Scale, list[MonitoringFinding]] = {}
    for finding in sorted(findings, key=lambda it: (_LEVELS.index(it.level), scales.index(SCALES[it.kind]))):
        panels.setdefault(SCALES[finding.kind], []).append(finding)
    heights = [0.75 + 0.32 * len(panel) for panel in panels.values()]
    figure = style.figure(sum(heights) + 1.2, width=9.0)
    axes = figure.subplots(len(panels), 1, height_ratios=heights, squeeze=False)[:, 0]
    for place, (scale, panel) in enumerate(panels.items()):
        _panel(axes[place], scale, panel)
    # One panel's legend stands for all: thresholds look the same everywhere.
    drawn = max(axes, key=lambda one: len(one.get_legend_handles_labels()[1]))
    if drawn.get_legend_handles_labels()[1]:
        style.legend(figure, drawn)
    style.headline(figure, _counted(verdict, len(worth_drawing) - len(findings)))
    return {"drift": figure}


def _counted(verdict: Verdict, more: int) -> str:
    alerts, warnings = (
        f"{count} {name}{'' if count == 1 else 's'}"
        for count, name in (
            (sum(finding.level == "alert" for finding in verdict.findings), "alert"),
            (sum(finding.level == "warn" for finding in verdict.findings), "warning"),
        )
    )
    beside = f" (and {more} smaller findings)" if more else ""
    return f"{verdict.model} version {verdict.version}, {verdict.rows:,} rows: {alerts}, {warnings}{beside}"


def _panel(axes: Axes, scale: _Scale, findings: Sequence[MonitoringFinding]) -> None:
    style.tidy(axes, scale.label, "", grid="x")
    values = [scale.unit * finding.value for finding in findings]
    notes = [
        f"{words.plain(value)}{'' if finding.level == 'ok' else f'  {finding.level}'}"
        for value, finding in zip(values, findings, strict=True)
    ]
    style.bars(axes, [_label(finding) for finding in findings], values, notes)
    for bar, finding in zip(axes.containers[0], findings, strict=True):
        bar.set_color(COLOURS[finding.level])
    largest = max(map(abs, values))
    thresholds: tuple[tuple[str, Literal["dotted", "dashed"], str], ...] = (
        ("warn", "dotted", "a warning from here on"),
        ("alert", "dashed", "an alert from here on"),
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


def _label(finding: MonitoringFinding) -> str:
    return finding.subject if finding.kind != "unknown" else f"{words.short(finding.subject, 24)} (unknown)"


def _performance(verdict: Verdict) -> dict[str, Figure]:
    performance = verdict.performance
    if performance is None:
        return {}
    metrics = {name: found for name, found in performance.metrics.items() if math.isfinite(found.value)}
    if not metrics:
        return {}
    lines = math.ceil(len(metrics) / _COLUMNS)
    figure = style.figure(1.35 * lines + 1.0, width=11.0)
    for place, (name, found) in enumerate(metrics.items()):
        axes = figure.add_subplot(lines, min(_COLUMNS, len(metrics)), place + 1)
        _metric(axes, name, found, performance.held_out.get(name), name == performance.metric)
        if place % _COLUMNS:
            axes.set_yticklabels(["", ""])
    main = metrics.get(performance.metric)
    said = "" if main is None else f": {_main(performance.metric, main, performance.held_out)}"
    style.headline(figure, f"{performance.rows:,} predictions whose true value is known{said}")
    return {"performance": figure}


def _main(name: str, found: Interval, held_out: dict[str, float]) -> str:
    before = f", {words.value(name, held_out[name])} held out" if name in held_out else ""
    return f"{words.metric(name).label} {words.value(name, found.value)}{before}"


def _metric(axes: Axes, name: str, found: Interval, before: float | None, is_main: bool) -> None:
    """One metric on a scale of its own: held out above, now with its interval below."""
    style.tidy(axes, "", "", grid="x")
    axes.xaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 2.5, 5, 10]))
    arrow = "\N{RIGHTWARDS ARROW}" if words.better(name).startswith("larger") else "\N{LEFTWARDS ARROW}"
    label, kind, _ = words.metric(name)
    axes.set_title(
        style.text(f"{label}{' (%)' if kind == '%' and '%' not in label else ''}, better {arrow}"),
        loc="left",
        fontsize=style.NORMAL,
        color=style.ACCENT if is_main else style.INK,
        fontweight="bold" if is_main else "normal",
    )
    ends = [[max(found.value - found.low, 0.0)], [max(found.high - found.value, 0.0)]]
    spread = ends if all(math.isfinite(end[0]) for end in ends) else None
    axes.errorbar([found.value], [1], xerr=spread, fmt="o", color=style.ACCENT, markersize=6, elinewidth=2, capsize=3)
    points = [(found.value, 1)]
    if before is not None and math.isfinite(before):
        axes.plot([before], [0], "s", color=style.MUTED, markersize=6)
        axes.axvline(before, color=style.MUTED, linestyle="--", linewidth=1)
        points.append((before, 0))
    for value, place in points:
        axes.annotate(
            words.plain(value, 4),
            (value, place),
            xytext=(0, 6),
            textcoords="offset points",
            ha="center",
            fontsize=style.SMALL,
            color=style.INK,
        )
    axes.set_yticks([0, 1], ["held out", "now"])
    axes.tick_params(axis="y", labelcolor=style.INK)
    axes.set_ylim(1.6, -0.9)
    axes.margins(x=0.25)
    axes.spines["left"].set_visible(False)
