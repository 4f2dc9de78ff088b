"""The progress of long work: a bar on a terminal, elsewhere a line now and then."""

import time
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from rich import progress

if TYPE_CHECKING:
    from tabular.batch.scoring import BatchProgress

QUIET_SECONDS: Final = 15.0
"""Seconds between two lines if there is no terminal."""


class TerminalBar:
    """A progress bar that is drawn on a terminal only; the subclasses print lines elsewhere.

    Args:
        name: name of the work.
        reached: the column that shows how much of it is done.
        total: amount of all work; None if it is not known yet.
    """

    def __init__(self, name: str, reached: progress.ProgressColumn, total: float | None) -> None:
        self._bar = progress.Progress(
            progress.TextColumn(name),
            progress.BarColumn(),
            reached,
            progress.TimeRemainingColumn(),
            progress.TextColumn("{task.description}"),
        )
        self._task = self._bar.add_task("", total=total)

    def __enter__(self) -> Self:
        if self._bar.console.is_terminal:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar.console.is_terminal:
            self._bar.stop()


class SearchProgress(TerminalBar):
    """A progress bar of the trials on a terminal, a line every ten trials elsewhere.

    Args:
        trials: number of all trials.
    """

    def __init__(self, trials: int) -> None:
        super().__init__("search", progress.MofNCompleteColumn(), trials)

    def __call__(self, finished: int, trials: int, best: float | None) -> None:
        """Show the number of finished trials and the best value so far."""
        text = "" if best is None else f"best {best:.4g}"
        self._bar.update(self._task, completed=finished, description=text)
        if not self._bar.console.is_terminal and (finished % 10 == 0 or finished == trials):
            self._bar.console.print(f"search: {finished} of {trials} trials, {text}")


class ScoringProgress(TerminalBar):
    """A progress bar with rows, rows per second, and the share of the input's bytes that were read."""

    def __init__(self) -> None:
        super().__init__("score", progress.TaskProgressColumn(), None)
        self._began = self._said = time.monotonic()

    def __call__(self, reached: "BatchProgress") -> None:
        """Show the progress."""
        now = time.monotonic()
        text = f"{reached.rows:,} rows, {reached.fresh / (now - self._began):,.0f} rows/s"
        if reached.rejected:
            text += f", {reached.rejected:,} rejected"
        self._bar.update(self._task, completed=reached.done, total=reached.size, description=text)
        if not self._bar.console.is_terminal and now - self._said > QUIET_SECONDS:
            self._said = now
            self._bar.console.print(f"score: {text}, {100 * reached.done / max(reached.size, 1):.0f}% of the input")
