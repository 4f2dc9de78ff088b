"""A verdict at the end of a command: printed, and kept as files in `reports/`."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from zenml.models import PipelineRunResponse

from commands.common import summary
from tabular import names
from tabular.pages.html_pages import verdict_page
from tabular.pages.pictures import png_files
from tabular.reports.verdicts import Verdict
from tabular.storage import places

ALERT = 3
"""Exit code of an alert, for schedulers."""
COLOURS = {"ok": "green", "warn": "yellow", "alert": "red", "not_enough_data": "dim"}
SHOWN = 10
"""Number of reasons that are printed."""


def show(verdict: Verdict, console: Console) -> None:
    """Print the level, the reasons, and whether the model is due for another training."""
    colour = COLOURS[verdict.level]
    level = verdict.level.replace("_", " ")
    rows = f"{verdict.rows:,} rows, {verdict.start[:16]} to {verdict.end[:16]} UTC"
    console.print(
        f"[bold {colour}]{level}[/bold {colour}]: {escape(verdict.model)} version {verdict.version}, {rows}",
        soft_wrap=True,
    )
    for reason in verdict.reasons[:SHOWN]:
        console.print(f"  {escape(reason)}", soft_wrap=True)
    if len(verdict.reasons) > SHOWN:
        console.print(f"  and {len(verdict.reasons) - SHOWN} more")
    if verdict.rows == 0 and verdict.source == "log":
        console.print("  does the service have the same folder or address as STACKHOUSE_PREDICTION_LOG?")
    if verdict.windows:
        due = "the model is due for a training" if verdict.retrain else "no training is due"
        console.print(f"windows that violate: {verdict.violations} of the last {verdict.windows}; {due}")


def keep(
    finished: PipelineRunResponse, verdict: Verdict, stack: str, root: Path, earlier: Sequence[Verdict] = ()
) -> str:
    """Write `summary.json`, `verdict.html` and `drift_report.html` to `reports/<run>` and `reports/latest`.

    There is no `drift_report.html` where only a part of the pipeline was run. `earlier` has the verdicts on the
    windows before this one, the oldest first. Returns in words where the pages lie.
    """
    made = summary.artifacts_of(finished)
    drift_page = str(made[names.DRIFT_PAGE].load()) if names.DRIFT_PAGE in made else None
    report = {
        "pipeline": finished.pipeline.name if finished.pipeline else None,
        "run": finished.name,
        "stack": stack,
        "verdict": verdict.model_dump(mode="json"),
    }
    latest = summary.write(report, root / "reports", finished.name)
    own = latest.parent / finished.name
    pages = {"verdict.html": verdict_page(verdict, png_files(verdict), earlier), "drift_report.html": drift_page}
    for folder in (latest, own):
        for name, html in pages.items():
            if html is not None:
                places.write(str(folder / name), html.encode())
    more = ", drift_report.html" if drift_page else ""
    return f"report: {own.relative_to(root) / 'verdict.html'}{more}"
