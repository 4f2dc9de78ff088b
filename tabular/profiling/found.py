"""What was found out about a table, as plain data."""

from typing import Literal

from tabular.config.reading import ReadingConfig
from tabular.config.stages import Task
from tabular.reports.report import Report

Kind = Literal["number", "boolean", "category", "date", "text", "identifier", "constant", "empty"]


class Finding(Report):
    """Something that a person should know before they trust a model of this table."""

    level: Literal["loud", "warning", "note"]
    """`loud`: it makes a model worthless or takes a column away; `warning`: look at it; `note`: so that it is known."""
    column: str | None
    text: str
    """What is so, and what the config does about it."""


class ColumnFound(Report):
    """One column: what it holds, why that is thought, and what becomes of it."""

    name: str
    kind: Kind
    why: str
    """The reason for the kind, in a few words."""
    missing: int
    known: int
    distinct: int
    low: float | None = None
    """The smallest finite number."""
    high: float | None = None
    first: str | None = None
    """The earliest day, ISO 8601."""
    last: str | None = None
    levels: tuple[str, ...] = ()
    """All categories, sorted, where they are few."""
    drop: str | None = None
    """Why the model must not see it; None where it may."""


class TargetFound(Report):
    """What is to be predicted."""

    column: str
    task: Task
    why: str
    """The reason for the task."""
    missing: int
    """Rows without a target."""
    classes: dict[str, int]
    """Rows of each class, the most frequent first; empty for a regression."""
    positive: bool
    """Whether every value of a regression's target is above zero."""


class TableFound(Report):
    """Everything that the run configuration is written from."""

    rows: int
    """In the file."""
    used: int
    """Of these, the rows that are trained on: with a target, and none of them twice where duplicates are dropped."""
    duplicates: int
    """Rows of the file that repeat an earlier one."""
    drop_duplicates: bool
    duplicate_share: float
    """The share of the used rows that repeat an earlier one in the columns that the model sees, 0 to 1."""
    reading: ReadingConfig
    is_csv: bool
    target: TargetFound
    columns: tuple[ColumnFound, ...]
    """In the table's order, the target among them."""
    places: tuple[str, str] | None
    """The columns of longitude and latitude."""
    findings: tuple[Finding, ...]

    @property
    def inputs(self) -> tuple[ColumnFound, ...]:
        """The columns that the model sees."""
        return tuple(c for c in self.columns if c.drop is None and c.name != self.target.column)
