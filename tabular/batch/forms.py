"""Finds how the dates of each column are written: in one way for a column, as in training, before any row is scored."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import pandas as pd
import pyarrow as pa

from tabular.arithmetic.cells import ISO, date_forms
from tabular.batch.chunks import START
from tabular.batch.reading import BatchInput
from tabular.batch.values import CellNotation, date_texts, is_text, plain
from tabular.config.reading import ReadingConfig
from tabular.table import spelling

EXAMPLES: Final = 500
"""Number of different values that are looked at to choose the forms to try."""


def forms_of(source: BatchInput, columns: Sequence[str], reading: ReadingConfig, rows: int) -> dict[str, str]:
    """The form in which most values of each column of text are dates, as `tabular.table.spelling.moments` takes it.

    The first rows mostly decide. Where they can be read with the day first and with the month first, more rows are
    read, if necessary all of them; where all can be read both ways, `day_first` decides.

    Args:
        source: the input.
        columns: the columns of dates.
        reading: which texts are holes, and whether the day comes first.
        rows: number of rows to read at a time.
    """
    counted = {name: _Forms(reading.day_first) for name in columns if _is_written(source, name)}
    if counted:
        for chunk in source.chunks(START, rows, list(counted)):
            notation = CellNotation.of(reading, chunk.text)
            for name, forms in counted.items():
                forms.add(date_texts(plain(chunk.table[name]), notation))
            if all(forms.is_decided for forms in counted.values()):
                break
    return {name: form for name, forms in counted.items() if (form := forms.best)}


def _is_written(source: BatchInput, name: str) -> bool:
    """Whether the column is text or numbers in at least one file."""
    kinds = [layout.types.get(name) for layout in source.layouts]
    return any(kind is None or is_text(kind) or not pa.types.is_temporal(kind) for kind in kinds)


class _Forms:
    """The number of values of a column that each form can read."""

    def __init__(self, day_first: bool) -> None:
        self._day_first = day_first
        self._counts: Counter[str] = Counter()

    def add(self, texts: pd.Series) -> None:
        different = pd.Series(texts.dropna().unique(), dtype="str")
        examples = different.head(EXAMPLES)
        tried = dict.fromkeys([ISO, *self._counts])
        for example in examples:
            tried |= dict.fromkeys(date_forms(example, self._day_first))
        for form in tried:
            found = int(spelling.moments(different, form).notna().sum()) if len(different) else 0
            if found or form in self._counts:
                self._counts[form] += found

    @property
    def best(self) -> str | None:
        """The form that reads the most values, the first of several; ISO 8601 comes before all others."""
        return max(self._counts, key=lambda form: self._counts[form]) if self._counts else None

    @property
    def is_decided(self) -> bool:
        """Whether one form reads more values than each other one, or ISO 8601 as many as any."""
        most = max(self._counts.values(), default=0)
        equal = [form for form, count in self._counts.items() if count == most and most]
        return len(equal) == 1 or ISO in equal
