"""How far a batch is: a bar on a terminal, a line now and then elsewhere."""

import time
from typing import Final

from rich import progress

from tabular.batch.scoring import Reached
from trackers.terminal_bar import TerminalBar

QUIET_SECONDS: Final = 15.0
"""Between two lines where there is no terminal."""


class ScoringProgress(TerminalBar):
    """Shows rows, rows a second, and the share of the input's bytes that are read."""

    def __init__(self) -> None:
        super().__init__("score", progress.TaskProgressColumn(), None)
        self._began = self._said = time.monotonic()

    def __call__(self, reached: Reached) -> None:
        """Show how far it is."""
        now = time.monotonic()
        text = f"{reached.rows:,} rows, {reached.fresh / (now - self._began):,.0f} rows/s"
        if reached.rejected:
            text += f", {reached.rejected:,} rejected"
        self._bar.update(self._task, completed=reached.done, total=reached.size, description=text)
        if not self._bar.console.is_terminal and now - self._said > QUIET_SECONDS:
            self._said = now
            self._bar.console.print(f"score: {text}, {100 * reached.done / max(reached.size, 1):.0f}% of the input")
