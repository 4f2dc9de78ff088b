"""The files of the output, as Parquet."""

import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tabular.batch.chunks import Chunk
from tabular.batch.hashing import as_hex
from tabular.batch.rows import ScoredRows
from tabular.bundles.bundle import Bundle

CONSTANT: Final = ("model", "model_version", "scored_at")
"""Columns that have one value in a whole file."""


def columns_of(bundle: Bundle) -> tuple[str, ...]:
    """The columns of the output beside those that it repeats from the input."""
    return ("row", "row_hash", "prediction", *(f"probability_{label}" for label in bundle.classes), *CONSTANT)


def predictions(chunk: Chunk, scored: ScoredRows, bundle: Bundle, keep: Sequence[str], moment: datetime) -> bytes:
    """The file of a chunk's scored rows, which repeats the columns `keep` of the input; those of a CSV are text.

    Returns:
        A Parquet file: `row` int64, `row_hash` text, `prediction` float64 or text, `probability_<class>` float64,
        `model` and `model_version` text, `scored_at` timestamp in UTC, and the columns to repeat.
    """
    places = scored.ready.places
    at = chunk.positions[places]
    answers: NDArray[Any] = scored.output
    if bundle.task == "classification":  # the most probable class
        answers = np.array(bundle.classes, dtype=object)[answers.argmax(axis=1)]
    made: dict[str, Any] = {
        "row": pa.array(chunk.first + at, pa.int64()),
        "row_hash": as_hex(chunk.hashes[at]),
        "prediction": pa.array(answers, pa.float64() if bundle.task == "regression" else pa.string()),
    }
    for number, label in enumerate(bundle.classes):
        made[f"probability_{label}"] = pa.array(scored.output[:, number], pa.float64())
    made["model"] = pa.repeat(bundle.name, len(at))
    made["model_version"] = pa.repeat(bundle.version, len(at))
    made["scored_at"] = pa.repeat(pa.scalar(moment, pa.timestamp("us", "UTC")), len(at))
    kept = chunk.table.select(list(keep))
    if len(at) != len(kept):
        kept = kept.take(places)
    made |= dict(zip(kept.column_names, kept.columns, strict=True))
    return _parquet(pa.table(made))


def rejects(chunk: Chunk, scored: ScoredRows) -> bytes | None:
    """The file of a chunk's other rows: `row` int64, `row_hash`, `reason` and `raw` text; None where there are none."""
    if not scored.rejected:
        return None
    at = np.array(sorted(scored.rejected), dtype=np.int64)
    made = {
        "row": pa.array(chunk.first + at, pa.int64()),
        "row_hash": as_hex(chunk.hashes[at]),
        "reason": pa.array([scored.rejected[place] for place in at.tolist()], pa.string()),
        "raw": pa.array([chunk.raw(place) for place in at.tolist()], pa.string()),
    }
    return _parquet(pa.table(made))


def _parquet(table: pa.Table) -> bytes:
    made = io.BytesIO()
    # The schema of Arrow is left out: other readers do not know it.
    pq.write_table(table, made, use_dictionary=[*CONSTANT, "reason"], store_schema=False)
    return made.getvalue()
