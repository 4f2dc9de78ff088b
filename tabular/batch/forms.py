"""Finds how the dates of each column are written: in one way for a column, as in training, before any row is scored."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import pandas as pd
import pyarrow as pa

from tabular.arithmetic.cells import ISO, date_forms
from tabular.batch.chunks import START
from tabular.batch.reading import BatchInput
from tabular.batch.values import date_texts, is_text, plain
from tabular.config.reading import ReadingConfig
from tabular.table import spelling

EXAMPLES: Final = 500
"""Number of different values that are looked at to choose the forms to try."""


def forms_of(source: BatchInput, columns: Sequence[str], reading: ReadingConfig, rows: int) -> dict[str, str]:
    """The form in which most values of each column of text are dates, as `tabular.table.spelling.moments` takes it.

    The first rows mostly decide. Where they can be read with the day first and with the month first, more rows are
    read (`rows` at a time), if necessary all of them; where all can be read both ways, `day_first` decides.
    """
    counted: dict[str, Counter[str]] = {name: Counter() for name in columns if _is_written(source, name)}
    for chunk in source.chunks(START, rows, list(counted)) if counted else ():
        for name, counts in counted.items():
            texts = date_texts(plain(chunk.table[name]), chunk.notation)
            _count(pd.Series(texts.dropna().unique(), dtype="str"), reading.day_first, counts)
        if all(_is_decided(counts) for counts in counted.values()):
            break
    # Of several that read the most values, the first one.
    return {name: max(counts, key=counts.__getitem__) for name, counts in counted.items() if counts}


def _is_written(source: BatchInput, name: str) -> bool:
    """Whether the column is text or numbers in at least one file."""
    kinds = [layout.types.get(name) for layout in source.layouts]
    return any(kind is None or is_text(kind) or not pa.types.is_temporal(kind) for kind in kinds)


def _count(texts: pd.Series, day_first: bool, counts: Counter[str]) -> None:
    """Add the number of texts that each form can read; ISO 8601 comes before all others."""
    tried = dict.fromkeys([ISO, *counts])
    for example in texts.head(EXAMPLES):
        tried |= dict.fromkeys(date_forms(example, day_first))
    for form in tried:
        if found := int(spelling.moments(texts, form).notna().sum()):
            counts[form] += found


def _is_decided(counts: Counter[str]) -> bool:
    """Whether one form reads more values than each other one, or ISO 8601 as many as any."""
    best = [form for form, count in counts.items() if count == max(counts.values())]
    return len(best) == 1 or ISO in best
