"""Pictures of how a model was chosen: the leaderboard, the search and the gate."""

import math
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from tabular.pages import words
from tabular.pages.pictures import style
from tabular.reports.training import GateDecision, Leaderboard, SearchReport, Trial

_MOST_BARS = 20
_MOST_AXES = 9
_LOG_FROM = 100
_VERDICTS = {
    "promote": ("The challenger becomes champion", style.ACCENT),
    "keep": ("The champion stays", style.MUTED),
    "reject": ("The challenger is rejected", style.WARNING),
}


def leaderboard(report: Leaderboard) -> dict[str, Figure]:
    """`leaderboard`: the best candidate of each algorithm with the spread between folds, the winner highlighted."""
    best = list({candidate.algorithm: candidate for candidate in reversed(report.candidates)}.values())[::-1]
    best.sort(key=report.candidates.index)
    metric = f"cross-validated {words.with_unit(report.metric)}"
    figure = style.bar_picture(
        f"'{report.winner.algorithm}' wins the selection, best of {len(report.candidates):,} candidates",
        f"{metric}, ± spread between folds; {words.better(report.metric)}",
        [it.algorithm + (" (log target)" if it.target_transform == "log" else "") for it in best],
        [it.mean for it in best],
        [_with_spread(report.metric, it.mean, it.std) for it in best],
        highlighted=0,
        deviations=[it.std for it in best],
    )
    return {"leaderboard": figure}


def _with_spread(metric: str, mean: float, std: float) -> str:
    if math.isnan(mean):
        return words.value(metric, mean)
    percent = " %" if words.metric(metric).unit == "%" else ""
    middle = words.plain(mean, 4)
    decimals = len(middle.partition(".")[2])
    return f"{middle} ± {std:,.{decimals}f}{percent}"


def search(report: SearchReport) -> dict[str, Figure]:
    """`search_history`, `search_importances` and `search_parallel`, as far as there is something to draw."""
    figures = {"search_history": _history(report)} if report.trials else {}
    if report.importances:
        figures["search_importances"] = _parameter_importances(report)
    complete = [trial for trial in report.trials if trial.state == "complete"]
    varying = _varying(complete, report.importances)
    if len(complete) > 1 and len(varying) > 1:
        figures["search_parallel"] = _parallel(report, complete, varying)
    return figures


def _history(report: SearchReport) -> Figure:
    """Trials by number; those far worse than most lie at the edge, so that the good ones can be told apart."""
    sign = 1 if report.goal == "minimize" else -1
    values = np.array([trial.value for trial in report.trials])
    numbers = np.array([trial.number for trial in report.trials])
    complete = np.array([trial.state == "complete" for trial in report.trials])
    # Drawn to scale up to a loss twice as far from the best one as nine in ten complete trials are.
    lowest, reach = np.quantile(sign * values[complete], [0, 0.9])
    edge = lowest + 2 * (reach - lowest) if reach > lowest else (sign * values).max()
    shown = sign * np.minimum(sign * values, edge)
    beyond = sign * values > edge
    figure = style.figure(4.4)
    axes = figure.add_subplot()
    style.tidy(axes, "trial", f"{words.with_unit(report.metric)}; {words.better(report.metric)}")
    axes.xaxis.set_major_locator(MaxNLocator(10, integer=True, steps=[1, 2, 5, 10]))
    for kind, label in ((complete, "complete"), (~complete, "pruned")):
        face = style.QUIET if kind is complete else "none"
        look: dict[str, Any] = {"s": 26, "facecolors": face, "edgecolors": style.MUTED, "linewidths": 0.9}
        if (kind & ~beyond).any():
            axes.scatter(numbers[kind & ~beyond], shown[kind & ~beyond], label=label, **look)
        if (kind & beyond).any():
            look["marker"] = "^" if sign == 1 else "v"
            axes.scatter(
                numbers[kind & beyond], shown[kind & beyond], label=f"{label}, far worse (not to scale)", **look
            )
    best = sign * np.minimum.accumulate(sign * values[complete])
    ends = np.append(numbers[complete], numbers.max())
    axes.step(ends, np.append(best, best[-1]), where="post", color=style.ACCENT, label="best so far")
    winner = next(trial for trial in report.trials if trial.number == report.best)
    axes.scatter([winner.number], [winner.value], s=90, color=style.ACCENT, zorder=3, label="best trial")
    style.legend(figure, axes, columns=3)
    pruned = f", {int((~complete).sum()):,} stopped early" if (~complete).any() else ""
    reached = f"{words.metric(report.metric).label} {words.value(report.metric, winner.value)}"
    style.headline(
        figure, f"{len(values):,} trials of '{report.algorithm}'{pruned}; trial {report.best} is best: {reached}"
    )
    return figure


def _parameter_importances(report: SearchReport) -> Figure:
    names = list(report.importances)[:_MOST_BARS]
    shares = [100 * report.importances[name] for name in names]
    return style.bar_picture(
        f"'{words.short(names[0])}' mattered most in the search of '{report.algorithm}'",
        f"share of the differences in {words.metric(report.metric).label} (%, fANOVA)",
        names,
        shares,
        [f"{words.plain(share, 2)} %" for share in shares],
        highlighted=0,
    )


def _varying(trials: list[Trial], importances: dict[str, float]) -> list[str]:
    """Parameters with more than one value, the most important first."""
    everywhere = [
        name for name in (trials[0].parameters if trials else {}) if all(name in t.parameters for t in trials)
    ]
    varying = [name for name in everywhere if len({repr(trial.parameters[name]) for trial in trials}) > 1]
    return sorted(varying, key=lambda name: -importances.get(name, 0.0))[:_MOST_AXES]


def _parallel(report: SearchReport, trials: list[Trial], names: list[str]) -> Figure:
    """One line for each trial across the parameters; each axis runs from the smallest to the largest value tried."""
    sign = 1 if report.goal == "minimize" else -1
    order = sorted(trials, key=lambda trial: -sign * trial.value)
    scales = [_scale([trial.parameters[name] for trial in order]) for name in names]
    heights = np.column_stack([places for places, _ in scales])
    good = len(order) - max(1, len(order) // 5)
    figure = style.figure(4.6, width=max(8.0, 1.25 * len(names)))
    axes = figure.add_subplot()
    style.tidy(axes, "", "", grid="x")
    places = np.arange(len(names))
    for number, (trial, line) in enumerate(zip(order, heights, strict=True)):
        if trial.number == report.best:
            axes.plot(places, line, color=style.ACCENT, linewidth=3, zorder=3, label="best trial")
        elif number >= good:
            axes.plot(places, line, color=style.LINES[5], linewidth=1.3, zorder=2, label="best fifth")
        else:
            axes.plot(
                places, line, color=style.QUIET, linewidth=0.8, alpha=0.6, zorder=1, label="other complete trials"
            )
    for place, (_, ticks) in enumerate(scales):
        for height, label in ticks:
            style.note(axes, label, (place, height), (4, 0), va="center", fontsize=style.SMALL - 1, zorder=4)
    labels = [style.text(words.short(name, 20)).replace("_", "_\n", 1) for name in names]
    axes.set_xticks(places, labels, color=style.INK, fontsize=style.SMALL)
    axes.set_yticks([])
    axes.spines[["left", "bottom"]].set_visible(False)
    style.legend(figure, axes)
    style.headline(
        figure, f"Parameters of {len(order):,} complete trials of '{report.algorithm}': where the good ones lie"
    )
    return figure


def _scale(values: list[Any]) -> tuple[NDArray[np.float64], list[tuple[float, str]]]:
    """Heights from 0 to 1, and labels at some of them: at both ends of numbers, at each of several categories."""
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        numbers = np.array(values, dtype=np.float64)
        low, high = float(numbers.min()), float(numbers.max())
        spaced = np.log(numbers) if low > 0 and high / low >= _LOG_FROM else numbers
        ends = (f"{low:,.0f}", f"{high:,.0f}") if (numbers % 1 == 0).all() else (words.plain(low), words.plain(high))
        return (spaced - spaced.min()) / (np.ptp(spaced) or 1.0), list(zip((0.0, 1.0), ends, strict=True))
    names = sorted({str(value) for value in values})
    places = {name: place / max(len(names) - 1, 1) for place, name in enumerate(names)}
    return np.array([places[str(value)] for value in values]), [(places[name], words.short(name, 14)) for name in names]


def gate(report: GateDecision) -> dict[str, Figure]:
    """`gate`: the difference between the two models with its interval, against no difference and the tolerance."""
    difference = report.difference
    if difference is None or not all(math.isfinite(end) for end in (difference.low, difference.value, difference.high)):
        return {}
    verdict, colour = _VERDICTS[report.decision]
    figure = style.figure(2.6)
    axes = figure.add_subplot()
    label = f"gain in {words.metric(report.metric).label}{words.unit_of_change(report.metric)}"
    style.tidy(axes, f"{label}: to the right of 0 the challenger is better", "", grid="x")
    style.gain_lines(axes, report.tolerance)
    label = f"difference with its interval ({report.resamples:,} resamples)"
    style.whisker(axes, difference, 0, fmt="o", color=colour, markersize=9, elinewidth=3, capsize=6, label=label)
    for end in (difference.low, difference.value, difference.high):
        style.note(axes, words.plain(end), (end, 0), (0, 11), ha="center", fontsize=style.NORMAL)
    axes.set_yticks([])
    axes.set_ylim(-1, 1)
    axes.margins(x=0.08)
    axes.spines["left"].set_visible(False)
    style.legend(figure, axes)
    champion = "" if report.champion is None else f" against {words.value(report.metric, report.champion)}"
    scores = f"{words.metric(report.metric).label} {words.value(report.metric, report.challenger)}{champion}"
    version = "" if report.champion_version is None else f" of version {report.champion_version}"
    style.headline(figure, f"{verdict}: {scores}{version}")
    return {"gate": figure}
