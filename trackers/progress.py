"""The progress of long work: a bar on a terminal, elsewhere a line now and then."""

import time
from typing import TYPE_CHECKING, Final

from rich import get_console, progress

if TYPE_CHECKING:
    from tabular.batch.scoring import BatchProgress

QUIET_SECONDS: Final = 15.0
"""Seconds between two lines if there is no terminal."""


class TerminalBar(progress.Progress):
    """A progress bar that is drawn on a terminal only; the subclasses print lines elsewhere.

    Args:
        name: name of the work.
        reached: the column that shows how much of it is done.
        total: amount of all work; None if it is not known yet.
    """

    def __init__(self, name: str, reached: progress.ProgressColumn, total: float | None) -> None:
        super().__init__(
            progress.TextColumn(name),
            progress.BarColumn(),
            reached,
            progress.TimeRemainingColumn(),
            progress.TextColumn("{task.description}"),
            disable=not get_console().is_terminal,
        )
        self._bar = self.add_task("", total=total)


class SearchProgress(TerminalBar):
    """A progress bar of the trials on a terminal, a line every ten trials elsewhere."""

    def __init__(self, trials: int) -> None:
        super().__init__("search", progress.MofNCompleteColumn(), trials)

    def __call__(self, finished: int, trials: int, best: float | None) -> None:
        """Show the number of finished trials and the best value so far."""
        text = "" if best is None else f"best {best:.4g}"
        self.update(self._bar, completed=finished, description=text)
        if self.disable and (finished % 10 == 0 or finished == trials):
            self.console.print(f"search: {finished} of {trials} trials, {text}")


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
        self.update(self._bar, completed=reached.done, total=reached.size, description=text)
        if self.disable and now - self._said > QUIET_SECONDS:
            self._said = now
            self.console.print(f"score: {text}, {100 * reached.done / max(reached.size, 1):.0f}% of the input")
