"""The output of a command: tables and sentences for people, or one JSON document."""

import contextlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from tabular.reports.plain_json import json_text

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

WIDTH = 160
"""Width in characters of a table that is written to a file or a pipe."""


class Screen:
    """Where a command writes its answer.

    Args:
        is_json: write one JSON document instead of tables and sentences.
    """

    def __init__(self, is_json: bool) -> None:
        self.is_json = is_json
        self._stream = sys.stdout

    @property
    def is_terminal(self) -> bool:
        """Whether the answer goes to a terminal, which shows colours."""
        return not self.is_json and self._stream.isatty()

    @contextlib.contextmanager
    def kept_clean(self) -> Iterator[None]:
        """Redirect everything else that is printed meanwhile, by any library, to stderr."""
        with contextlib.redirect_stdout(sys.stderr):
            yield

    def answer(self, document: Any, shown: "Sequence[RenderableType]", next_: str = "") -> None:
        """Write the answer.

        Args:
            document: plain data for JSON; a number that is not finite becomes null.
            shown: tables and sentences for people; the markup of rich is not interpreted in a sentence.
            next_: the command that a person is likely to type next.
        """
        if self.is_json:
            click.echo(json_text(document), file=self._stream)
            return
        from rich.console import Console
        from rich.text import Text

        console = Console(file=self._stream, width=None if self._stream.isatty() else WIDTH, highlight=False)
        for one in shown:
            console.print(Text(one) if isinstance(one, str) else one, soft_wrap=isinstance(one, str))
        if next_:
            console.print(Text(f"next: {next_}"), soft_wrap=True)

    def text(self, text: str) -> None:
        """Write a text unchanged."""
        click.echo(text, file=self._stream, nl=False)


def table(
    columns: Sequence[str], rows: Iterable[Sequence[Any]], folded: Sequence[str] = (), title: str | None = None
) -> "Table":
    """A table for people. None becomes an empty cell, and the markup of rich is not interpreted.

    Args:
        columns: heads of the columns.
        rows: cells of each row: plain values, or rich's `Text` with a style.
        folded: columns whose long cells continue on further lines instead of being cut off.
        title: line above the table.
    """
    from rich.markup import escape
    from rich.table import Column, Table
    from rich.text import Text

    heads = [Column(name, overflow="fold" if name in folded else "ellipsis") for name in columns]
    made = Table(*heads, title=escape(title) if title else None)
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else escape("" if cell is None else str(cell)) for cell in row))
    return made


def moment(milliseconds: int | None) -> str | None:
    """A timestamp of MLflow, in milliseconds, as ISO 8601 in UTC."""
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")


def size_in_words(size: int) -> str:
    """A number of bytes with a unit that suits it."""
    for unit, step in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= step:
            return f"{size / step:.1f} {unit}"
    return f"{size} bytes"
