"""Pictures of the reports: one look, no global state, the same bytes for the same report."""

import io
import warnings
from collections.abc import Callable
from typing import Any

from matplotlib.figure import Figure

from tabular.learning.comparison import Comparison
from tabular.pages.pictures import classification, comparison, data, explanation, models, monitoring, regression, style
from tabular.reports.report import Report
from tabular.reports.training import (
    Evaluation,
    FeatureReport,
    GateDecision,
    ImputationReport,
    Leaderboard,
    SearchReport,
    ValidationReport,
)
from tabular.reports.verdicts import Verdict


def _evaluation(report: Evaluation) -> dict[str, Figure]:
    task = regression if report.task == "regression" else classification
    return {
        **task.draw(report),
        **explanation.importances(report),
        **explanation.shap_summary(report),
        **explanation.slices(report),
    }


_DRAW: dict[type[Report], Callable[[Any], dict[str, Figure]]] = {
    ValidationReport: data.missing,
    ImputationReport: data.imputation,
    FeatureReport: data.clusters,
    Leaderboard: models.leaderboard,
    SearchReport: models.search,
    Evaluation: _evaluation,
    GateDecision: models.gate,
    Comparison: comparison.draw,
    Verdict: monitoring.draw,
}


def draw(report: Report) -> dict[str, Figure]:
    """Return the pictures of a report by name, without an extension; empty where there is nothing to draw.

    Times are not drawn, so that equal inputs give equal pictures.
    """
    drawing = _DRAW.get(type(report))
    return drawing(report) if drawing else {}


def png_files(report: Report) -> dict[str, bytes]:
    """Return the pictures of a report as PNG files, by the names of `draw`."""
    return {name: png(figure) for name, figure in draw(report).items()}


def png(figure: Figure) -> bytes:
    """Return the figure as PNG at 110 dpi, without a date or a software version in it.

    The first call fixes the layout, because each further pass of the layout engine would move things a little.
    """
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # Characters that the font does not have are drawn as boxes.
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font", UserWarning)
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        figure.savefig(buffer, format="png", dpi=style.DPI, metadata={"Software": None})
    return buffer.getvalue()
