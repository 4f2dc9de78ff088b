"""`python run.py monitor status`: the verdicts on the last windows."""

import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from commands.common.answering import MODEL, ModelsCommand, answers
from commands.common.screen import WIDTH, Screen
from commands.common.session import Session, open_session

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

    from registry.watching import Retraining
    from tabular.reports.verdicts import Level, Verdict

LINES = 20
"""Number of lines that are shown unless the user asks for more."""
WATCH = "`python run.py --config configs/monitor.yaml`"
COLOURS = {"ok": "", "warn": "yellow", "alert": "bold red", "not_enough_data": "dim"}
WORDS = {"not_enough_data": "too few"}
SHARES = {"missing", "out_of_range", "unknown", "errors", "refused", "validation"}
"""Kinds of findings whose value is a share."""
BARS, GAP = "▁▂▃▄▅▆▇█", "\N{MIDDLE DOT}"
"""Characters of a sparkline: the bars from low to high, and the mark of a missing value."""
BESIDE = 52
"""Characters of a line that are not its sparkline, where the name has 20."""


def _count(_: click.Context, __: click.Parameter, value: str) -> int | None:
    """Parse a number of lines; None stands for `all`."""
    if value == "all":
        return None
    if not value.isdecimal() or int(value) == 0:
        raise click.BadParameter(f"'{value}' is neither a number above 0 nor 'all'")
    return int(value)


@dataclass(frozen=True)
class StatusLine:
    """One subject over the windows, the oldest first."""

    subject: str
    what: str
    """Kind of the findings, or `rows`."""
    values: list[float | None]
    levels: "list[Level | None]"
    """Levels of the findings; None in a window in which the subject was not judged."""
    low: float | None = None
    """Lower end of the sparkline's scale; None for the smallest value."""
    high: float | None = None
    """Upper end of the sparkline's scale; None for the largest value."""

    @property
    def level(self) -> "Level":
        """Level in the newest window."""
        return self.levels[-1] or "not_enough_data"


@click.group()
@click.option("--model", envvar="STACKHOUSE_MODEL", help="The registered model; the only one if left out.")
@click.pass_context
def monitor(context: click.Context, model: str | None) -> None:
    """Show what monitoring has found; `python run.py --config configs/monitor.yaml` runs it.

    \b
    python run.py monitor status
    python run.py monitor status --windows 48 --columns all
    """  # noqa: D301
    context.meta[MODEL] = model


@monitor.command()
@click.option("--windows", type=click.IntRange(1, 1000), default=24, show_default=True, help="Number of windows.")
@click.option("--version", metavar="V", help="A number, an alias, or newest; by default the version watched last.")
@click.option(
    "--columns", callback=_count, default=str(LINES), show_default=True, metavar="N|all", help="Number of lines."
)
@answers
def status(request: ModelsCommand, windows: int, version: str | None, columns: int | None) -> None:
    """Show each column, the predictions, the metric and the service over the last windows, the worst first."""
    from registry.watching import Watch

    session = open_session(request.root, request.model)
    watch = Watch(session.releases.store)
    wanted = None if version is None else str(session.version(version).version)
    newest = watch.verdicts(wanted, 1)
    if not newest:
        of = session.name if wanted is None else f"version {wanted} of {session.name}"
        none = f"no window of {of} has been judged yet"
        request.screen.answer(_document(session.name, wanted, [], []), [none], WATCH)
        return
    verdicts = watch.verdicts(newest[-1].version, windows)
    lines = status_lines(verdicts)
    document = _document(session.name, verdicts[-1].version, verdicts, lines)
    next_ = _next(session, verdicts[-1])
    shown = lines if columns is None else lines[:columns]
    table = status_table(shown, verdicts, request.screen)
    hidden = len(lines) - len(shown)
    more = [f"{hidden} more that are no worse than these; --columns all shows all"] if hidden else []
    reasons = [f"- {reason}" for reason in verdicts[-1].reasons]
    trained = watch.retrainings(verdicts[-1].version)
    said: list[RenderableType] = [_headline(verdicts[-1]), *(_training(one) for one in trained[-1:])]
    champion = session.base.aliases.get("champion")
    if champion not in (None, verdicts[-1].version):  # as between a promotion and the next window
        said.append(f"the champion is version {champion}; `--version {champion}` shows its windows")
    document |= {"retrainings": [one.model_dump(mode="json") for one in trained], "next": next_.strip("`")}
    request.screen.answer(document, [*said, table, *more, *reasons], next_)


def _document(
    model: str, version: str | None, verdicts: "Sequence[Verdict]", lines: Sequence[StatusLine]
) -> dict[str, Any]:
    newest = verdicts[-1] if verdicts else None
    return {
        "model": model,
        "version": version,
        "level": newest and newest.level,
        "retrain": newest.retrain if newest else False,
        "violations": newest.violations if newest else 0,
        "of_windows": newest.windows if newest else 0,
        "reasons": newest.reasons if newest else [],
        "windows": [one.model_dump(include={"start", "end", "rows", "level", "retrain"}) for one in verdicts],
        "lines": [
            {name: getattr(line, name) for name in ("subject", "what", "level", "values", "levels")}
            | {"value": line.values[-1]}
            for line in lines
        ],
    }


def _headline(verdict: "Verdict") -> "Text":
    from rich.text import Text

    level = verdict.level.replace("_", " ")
    text = Text(f"{verdict.model} version {verdict.version}: ")
    text.append(level, COLOURS[verdict.level])
    text.append(f" in the window {_minute(verdict.start)} to {_minute(verdict.end)} UTC, {verdict.rows:,} rows; ")
    if verdict.windows == 0:
        text.append("retraining was not judged")
    else:
        due = "is due" if verdict.retrain else "is not due"
        text.append(f"retraining {due} ({verdict.violations} of {verdict.windows} windows violate)")
    return text


def _training(note: "Retraining") -> str:
    """Say what became of the last training that monitoring asked for."""
    window = f"because of the window that ended {_minute(note.window_end)} UTC"
    if note.state == "begun":
        return f"a training began at {_minute(note.began)} UTC {window}, and has not ended"
    verb = "was retrained" if note.state == "done" else "could not be retrained"
    return f"the model {verb} {window}: {note.outcome}"


def _next(session: Session, verdict: "Verdict") -> str:
    from registry.labels import ARCHIVED
    from registry.mlflow_registry import versions

    if not verdict.retrain:
        return WATCH
    usable = [found for found in versions(session.client, session.name) if found.tags.get(ARCHIVED) != "true"]
    if usable and int(usable[0].version) > int(verdict.version):
        return f"`python run.py models compare {verdict.version} {usable[0].version}`"
    return "`python run.py --config configs/train.yaml`"


def status_lines(verdicts: "Sequence[Verdict]") -> list[StatusLine]:
    """Return a line for the rows of each window, and one for each subject that was ever judged, the worst first.

    Args:
        verdicts: verdicts on one version, the oldest first.
    """
    from tabular.pages.timeline import worst_by_subject
    from tabular.reports.verdicts import SEVERITY

    by_window = [worst_by_subject(verdict) for verdict in reversed(verdicts)]
    worst = {subject: finding for found in reversed(by_window) for subject, finding in found.items()}
    subjects = dict.fromkeys(subject for found in by_window for subject in found)
    kinds = [(worst[subject].kind, worst[subject].subject) for subject in subjects]
    if all(kind != "performance" for kind, _ in kinds):
        # With too few true values to judge, the figures are still shown.
        kinds += [("performance", one.performance.metric) for one in verdicts[::-1] if one.performance][:1]
    lines = [_line(kind, subject, verdicts) for kind, subject in kinds]
    # Lines of one level keep the order of the findings, which is by their size.
    lines.sort(key=lambda line: (-SEVERITY[line.level], -sum(SEVERITY[level or "ok"] for level in line.levels)))
    rows: list[float | None] = [float(verdict.rows) for verdict in verdicts]
    return [StatusLine("the window", "rows", rows, [verdict.level for verdict in verdicts], low=0.0), *lines]


def _line(kind: str, subject: str, verdicts: "Sequence[Verdict]") -> StatusLine:
    """Return the line of one kind of finding on one subject."""
    found = [
        next((one for one in verdict.findings if (one.kind, one.subject) == (kind, subject)), None)
        for verdict in verdicts
    ]
    levels: list[Level | None] = [None if one is None else one.level for one in found]
    if kind == "performance":  # the metric itself says more than how much worse it has become
        metrics = [verdict.performance.metrics if verdict.performance else {} for verdict in verdicts]
        return StatusLine(subject, kind, [one[subject].value if subject in one else None for one in metrics], levels)
    values = [None if one is None else one.value for one in found]
    thresholds = [one.alert for one in found if one is not None]
    highest = max((value for value in values if value is not None and math.isfinite(value)), default=0.0)
    return StatusLine(subject, kind, values, levels, 0.0, max(highest, thresholds[-1] or 0.0) or None)


def status_table(lines: Sequence[StatusLine], verdicts: "Sequence[Verdict]", screen: Screen) -> "Table":
    """Return the lines as a table that fits the screen, with the newest windows."""
    from rich import box
    from rich.table import Column, Table
    from rich.text import Text

    width = shutil.get_terminal_size().columns if screen.is_terminal else WIDTH
    fit = max(width - BESIDE, 8)
    newest = verdicts[-fit:]
    table = Table(
        "level",
        Column("where", overflow="fold", min_width=12),
        Column("what", no_wrap=True),
        Column("newest", justify="right", no_wrap=True),
        Column(f"{len(newest)} windows" if len(newest) > 8 else "", no_wrap=True),
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    for line in lines:
        spark = sparkline(line.values, line.low, line.high)[-fit:]
        drawn = Text()
        for bar, level in zip(spark, line.levels[-fit:], strict=True):
            drawn.append(bar, COLOURS[level or "ok"])
        is_judged = line.levels[-1] is not None
        said = Text(WORDS.get(line.level, line.level) if is_judged else "-", COLOURS[line.level])
        table.add_row(said, Text(line.subject), line.what.replace("_", " "), _value(line), drawn)
    return table


def _value(line: StatusLine) -> str:
    value = line.values[-1]
    if value is None or not math.isfinite(value):
        return "-"
    if line.what in SHARES:
        return f"{100 * value:.3g} %"
    written = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{written} ms" if line.what == "latency" else written


def _minute(moment: str) -> str:
    return moment[:16].replace("T", " ")


def sparkline(values: Sequence[float | None], low: float | None = None, high: float | None = None) -> str:
    """Draw one character for each value, higher for larger values, and a dot for a missing one.

    Args:
        values: the numbers; None, or a number that is not finite, is a missing value.
        low: value of the lowest bar, which also stands for all smaller values; the smallest value by default.
        high: value of the highest bar, which also stands for all larger values; the largest value by default.
    """
    known = [value for value in values if value is not None and math.isfinite(value)]
    if not known:
        return GAP * len(values)
    bottom, top = (min(known) if low is None else low), (max(known) if high is None else high)
    return "".join(_bar(value, bottom, top) for value in values)


def _bar(value: float | None, low: float, high: float) -> str:
    if value is None or not math.isfinite(value):
        return GAP
    if high <= low:
        return BARS[0] if value <= low else BARS[-1]
    # Halved first, because the difference of two large numbers may exceed the range of a float.
    share = (value / 2 - low / 2) / (high / 2 - low / 2)
    return BARS[min(max(int(share * len(BARS)), 0), len(BARS) - 1)]
