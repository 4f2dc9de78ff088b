"""Pictures of the table and of what was derived from it."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from tabular.pages import words
from tabular.pages.pictures import style
from tabular.reports.training import FeatureReport, ImputationReport, ValidationReport

_MOST_COLUMNS = 25
_WIDE_RANGE = 8
_MOST_TICKS = 10


def missing(report: ValidationReport) -> dict[str, Figure]:
    """`missing`: the share of missing values of each column that has any, the worst first."""
    holes = sorted((column for column in report.columns if column.missing), key=lambda it: (-it.missing, it.name))
    if not holes:
        return {}
    shown = holes[:_MOST_COLUMNS]
    shares = [100 * column.missing / report.rows for column in shown]
    worst = "" if len(shown) == len(holes) else f"; these are the worst {len(shown)}"
    figure = style.bar_picture(
        f"{len(holes):,} of {len(report.columns):,} columns have missing values{worst}",
        f"missing values (% of {report.rows:,} rows)",
        [column.name for column in shown],
        shares,
        [f"{words.plain(share)} % ({c.missing:,})" for c, share in zip(shown, shares, strict=True)],
    )
    return {"missing": figure}


def imputation(report: ImputationReport) -> dict[str, Figure]:
    """`imputation`: the error of each strategy on masked known values, with the winner highlighted."""
    if not report.scores:
        return {}
    names = sorted(report.mean_nrmse, key=lambda name: report.mean_nrmse[name])
    columns = list(dict.fromkeys(score.column for score in report.scores))
    rmse = {score.strategy: score.rmse for score in report.scores}
    notes = [words.plain(report.mean_nrmse[name]) for name in names]
    if len(columns) == 1:
        notes = [f"{note}  (RMSE {words.plain(rmse[name])})" for name, note in zip(names, notes, strict=True)]
    where = words.short(columns[0]) if len(columns) == 1 else f"{len(columns)} columns"
    masked = sum(score.masked for score in report.scores if score.strategy == report.best)
    figure = style.bar_picture(
        f"'{report.best}' fills in missing values best: tried on {masked:,} masked values of {where}",
        "error on masked values, in standard deviations of the column; smaller is better",
        names,
        [report.mean_nrmse[name] for name in names],
        notes,
        highlighted=names.index(report.best),
    )
    return {"imputation": figure}


def clusters(report: FeatureReport) -> dict[str, Figure]:
    """`clusters`: the model's error by number of clusters, with silhouette, Davies-Bouldin and inertia."""
    if not report.scores:
        return {}
    scores = sorted(report.scores, key=lambda score: score.count)
    counts = [score.count for score in scores]
    figure = style.figure(5.6)
    grid = figure.subplots(2, 2, sharex=True)
    panels = [
        (words.with_unit(report.metric), words.better(report.metric), [score.error for score in scores]),
        ("silhouette", "larger is better", [score.silhouette for score in scores]),
        ("Davies-Bouldin", "smaller is better", [score.davies_bouldin for score in scores]),
        ("inertia", "look for the elbow", [score.inertia for score in scores]),
    ]
    for axes, (name, advice, values) in zip(grid.flat, panels, strict=True):
        lower = axes in grid[1]
        style.tidy(axes, "number of clusters" if lower else "", "")
        style.subtitle(axes, f"{name}: {advice}")
        axes.plot(counts, values, color=style.QUIET, marker="o", markersize=4, zorder=2)
        if (chosen := report.clusters) in counts:
            axes.axvline(chosen, color=style.ACCENT, linewidth=1, alpha=0.5, zorder=1)
            look: dict[str, Any] = {"color": style.ACCENT, "markersize": 9, "zorder": 3, "linestyle": "none"}
            axes.plot([chosen], [values[counts.index(chosen)]], "o", label="chosen", **look)
    errors = grid[0, 0]
    _scale_counts(errors, counts)
    deviations = [score.error_std for score in scores]
    errors.errorbar(counts, panels[0][2], yerr=deviations, fmt="none", ecolor=style.MUTED, capsize=2.5, zorder=1)
    if report.error_without is not None:
        errors.axhline(report.error_without, color=style.WARNING, linestyle="--", label="error without clusters")
    style.legend(figure, errors)
    style.headline(figure, _cluster_words(report))
    return {"clusters": figure}


def _scale_counts(axes: Axes, counts: list[int]) -> None:
    """Put ticks at the numbers that were tried; the axis is logarithmic where they spread far."""
    if counts[-1] >= _WIDE_RANGE * counts[0]:
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
    chosen = np.unique(np.linspace(0, len(counts) - 1, min(len(counts), _MOST_TICKS)).round().astype(int))
    axes.set_xticks([counts[place] for place in chosen], [f"{counts[place]:,}" for place in chosen])


def _cluster_words(report: FeatureReport) -> str:
    metric = words.metric(report.metric).label
    if report.clusters is None:
        without = "" if report.error_without is None else f" is {words.value(report.metric, report.error_without)}"
        return f"No clusters were chosen: without them the cross-validated {metric}{without}"
    without = "" if report.error_without is None else f" ({words.value(report.metric, report.error_without)} without)"
    error = next((score.error for score in report.scores if score.count == report.clusters), None)
    reached = "" if error is None else f": cross-validated {metric} {words.value(report.metric, error)}{without}"
    return f"{report.clusters:,} clusters were chosen{reached}"
