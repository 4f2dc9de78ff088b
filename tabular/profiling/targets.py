"""Whether the target can be learned, and by which task."""

import pandas as pd

from tabular.config.stages import Task
from tabular.errors import UserError, nearest, told_apart
from tabular.profiling import tokens, units
from tabular.profiling.found import TableFound, TargetFound
from tabular.table import spelling

CODES = 10
"""The largest number of whole numbers, from 0 or 1 on without a gap, that are taken as classes."""
CLASSES = 100
"""The largest number of classes."""
FEWEST_ROWS = 30
"""The smallest number of rows that can be split, tuned in folds and tested."""
SHOWN = 5


def require(frame: pd.DataFrame, target: str, name: str) -> None:
    """Raise a UserError with the nearest name if the table does not have the target."""
    columns = [str(column) for column in frame.columns]
    if target in columns:
        return
    by_lower = {column.lower().strip(): column for column in columns}
    near = nearest(target.lower().strip(), by_lower)
    hint = f"; the nearest is '{by_lower[near]}'{told_apart(target, by_lower[near])}" if near else ""
    if any(_is_number(column) for column in columns):
        hint += "; the first line holds numbers: it must hold the names of the columns"
    raise UserError(f"--target: {name} has no column '{target}'{hint}")


def describe(column: pd.Series, task: Task | None, name: str, has_unit: bool = False) -> TargetFound:
    """Find the task and the classes of the target.

    Args:
        task: the task that the user asks for; None infers it.
        has_unit: whether a unit was taken away from its numbers, so that even two of them are no labels.

    Raises:
        UserError: the target has no value or only one value, is a date, or has too many classes.
    """
    known = column.dropna()
    shown = f"--target: '{column.name}' of {name}"
    if not len(column):
        raise UserError(f"{name} has a header and no rows; there is nothing to learn")
    if not len(known):
        raise UserError(f"{shown} has no value at all; there is nothing to learn")
    if known.nunique() == 1:
        only = str(known.iloc[0])[:40]
        raise UserError(f"{shown} has one value only, {only!r}; there is nothing to tell apart")
    if _is_dated(known):
        raise UserError(f"{shown} is a date; choose a number or a label, such as the days until then")
    if task is None and isinstance(known.dtype, pd.StringDtype):
        _refuse_units(known, shown)
    inferred, why = _task(known, has_unit)
    if task is not None:
        if task == "regression" and not _is_numeric(column):
            raise UserError(f"{shown} is not a number, and a regression needs one; leave --task out")
        inferred, why = task, "as --task says"
    is_regression = inferred == "regression"
    if not is_regression and known.nunique() > CLASSES:
        looks = f", such as {str(known.iloc[0])[:40]!r}"
        raise UserError(
            f"{shown} has {known.nunique():,} different values{looks}: too many for classes, of which {CLASSES} are "
            "the most; choose another target, or make it a number or a few labels"
        )
    return TargetFound(
        column=str(column.name),
        task=inferred,
        why=why,
        missing=len(column) - len(known),
        classes={} if is_regression else _classes(known),
        positive=is_regression and bool((known > 0).all()),
    )


def checked(aim: TargetFound, used: pd.Series, name: str) -> TargetFound:
    """Check the rows that are used, and count their classes.

    Raises:
        UserError: there are too few rows, or a class with a single row, which cannot be both learned and tested.
    """
    if len(used) < FEWEST_ROWS:
        raise UserError(
            f"{name} has {len(used)} rows to learn from; {FEWEST_ROWS} are the fewest that can be split and tested"
        )
    if aim.task == "regression":
        return aim
    classes = _classes(used)
    single = [label for label, rows in classes.items() if rows < 2]
    if single:
        more = f" and {len(single) - SHOWN} more" if len(single) > SHOWN else ""
        raise UserError(
            f"--target: '{aim.column}' of {name} has classes with a single row: "
            f"{', '.join(repr(label) for label in single[:SHOWN])}{more}; each needs 2, better 10: "
            "merge them with others, or take the rows out"
        )
    return aim.model_copy(update={"classes": classes})


def require_inputs(found: TableFound, name: str) -> None:
    """Raise a UserError if no column is left to learn from."""
    if not found.inputs:
        reasons = "; ".join(f"'{c.name}': {c.drop}" for c in found.columns if c.drop and c.name != found.target.column)
        raise UserError(f"{name} has no column to learn from ({reasons or 'it has only the target'})")


def _refuse_units(known: pd.Series, shown: str) -> None:
    unit = units.find(tokens.of(known))
    if unit is not None and (unit.is_mixed or unit.is_sure):
        raise UserError(
            f"{shown} looks like numbers with units ({unit.shown()}), too different to be read as one number; "
            "write all of them in one way, or give --task classification if they are labels"
        )


def _task(known: pd.Series, has_unit: bool) -> tuple[Task, str]:
    distinct = known.nunique()
    if has_unit:
        return "regression", "it is a number with a unit"
    if not _is_numeric(known):
        return "classification", f"it has {distinct} labels"
    if distinct == 2:
        return "classification", "it has two values"
    whole = bool((known % 1 == 0).all())
    first, last = known.min(), known.max()
    if whole and distinct <= CODES and first in (0, 1) and last - first == distinct - 1:
        return "classification", f"it has {distinct} codes, {first:g} to {last:g}; a count or a grade is a regression"
    return "regression", f"it is a number with {distinct:,} different values"


def _classes(known: pd.Series) -> dict[str, int]:
    counts = known.value_counts()
    # Holes turn whole numbers into floats; rows without a target are dropped, and ".0" must go with them.
    whole = pd.api.types.is_float_dtype(known.dtype) and bool((known % 1 == 0).all())
    pairs = ((str(int(label)) if whole else str(label), int(rows)) for label, rows in counts.items())
    return dict(sorted(pairs, key=lambda pair: (-pair[1], pair[0])))


def _is_numeric(column: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column.dtype) and column.dtype != bool)


def _is_dated(known: pd.Series) -> bool:
    if isinstance(known.dtype, pd.StringDtype):
        return spelling.dates(known.head(100), False) is not None and spelling.dates(known, False) is not None
    return bool(pd.api.types.is_datetime64_any_dtype(known.dtype))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
