"""What `init` has found out about a table, as plain data."""

from typing import Literal

from tabular.config.reading import ReadingConfig
from tabular.config.stages import Task
from tabular.reports.report import Report

Kind = Literal["number", "boolean", "category", "date", "text", "identifier", "constant", "empty", "unreadable"]


class TableFinding(Report):
    """Something that a person should know before they trust a model of this table."""

    level: Literal["loud", "warning", "note"]
    """`loud`: it makes a model worthless, or takes a column away; `warning`: a person should look at it; `note`: it is
    good to know."""
    column: str | None
    """The column that it is about; None for the whole table."""
    text: str
    """What was found, and what the configuration does about it."""


class ColumnFound(Report):
    """One column: its kind, the reason for the kind, and whether the model may see it."""

    name: str
    kind: Kind
    why: str
    """The reason for the kind, in a few words."""
    missing: int
    """Number of rows without a value."""
    known: int
    """Number of rows with a value."""
    distinct: int
    """Number of different values."""
    low: float | None = None
    """The smallest finite number."""
    high: float | None = None
    """The largest finite number."""
    first: str | None = None
    """The earliest day, ISO 8601."""
    last: str | None = None
    """The latest day, ISO 8601."""
    levels: tuple[str, ...] = ()
    """All categories, sorted, if there are few."""
    drop: str | None = None
    """The reason why the model must not see the column; None if it may."""


class TargetFound(Report):
    """The column to predict."""

    column: str
    task: Task
    why: str
    """The reason for the task."""
    missing: int
    """Number of rows without a target."""
    classes: dict[str, int]
    """Number of rows by class, the most frequent class first; empty for a regression."""
    positive: bool
    """Whether every value of a regression's target is above zero."""


class TableFound(Report):
    """Everything that the run configuration is written from."""

    rows: int
    """Number of rows in the file."""
    used: int
    """Number of rows that are trained on: they have a target, and are not dropped as duplicates."""
    duplicates: int
    """Number of rows in the file that repeat an earlier one."""
    drop_duplicates: bool
    """Whether the configuration drops them."""
    duplicate_share: float
    """Share of the used rows that repeat an earlier one in the columns that the model sees, 0 to 1."""
    reading: ReadingConfig
    is_csv: bool
    target: TargetFound
    columns: tuple[ColumnFound, ...]
    """All columns in the order of the table, including the target."""
    places: tuple[str, str] | None
    """The columns of longitude and latitude."""
    findings: tuple[TableFinding, ...]

    @property
    def inputs(self) -> tuple[ColumnFound, ...]:
        """The columns that the model sees."""
        return tuple(c for c in self.columns if c.drop is None and c.name != self.target.column)


def loud(column: str | None, text: str) -> TableFinding:
    """A finding of the level `loud`."""
    return TableFinding(level="loud", column=column, text=text)


def warning(column: str | None, text: str) -> TableFinding:
    """A finding of the level `warning`."""
    return TableFinding(level="warning", column=column, text=text)


def note(column: str | None, text: str) -> TableFinding:
    """A finding of the level `note`."""
    return TableFinding(level="note", column=column, text=text)
