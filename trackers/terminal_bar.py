"""A progress bar where there is a terminal."""

from types import TracebackType
from typing import Self

from rich import progress


class TerminalBar:
    """A bar that is drawn on a terminal alone; elsewhere whoever uses it prints lines.

    Args:
        name: what is done.
        reached: the column that says how much of it is.
        total: of all; None where that is not known yet.
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
