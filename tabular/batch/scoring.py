"""Scores a table of any length in chunks, in constant memory; after a kill, the next run continues where it ended."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

import pandas as pd
import pyarrow as pa

from tabular.batch import contract, writing
from tabular.batch.chunks import START, Chunk, ChunkPosition, empty_chunk
from tabular.batch.forms import forms_of
from tabular.batch.inputs import files_of
from tabular.batch.ledger import BatchIdentity, FinishedBatch, FinishedChunk, Ledger, OutputPart, part
from tabular.batch.reading import BatchInput
from tabular.batch.report import BatchReport, BrokenRules, broken_of, observed_of
from tabular.batch.rows import answer
from tabular.batch.sample import NOTHING, RowSample
from tabular.batch.values import misfit
from tabular.bundles.bundle import Bundle
from tabular.bundles.encoding import Encoder
from tabular.bundles.predictor import Predictor
from tabular.bundles.reference import Reference
from tabular.config.batch import BatchConfig
from tabular.errors import UserError, nearest_hint
from tabular.monitoring.tally import Tally
from tabular.storage.addresses import public
from tabular.table.parsing import NAMES as SEPARATORS
from tabular.table.rules import broken_columns

SAMPLE_ROWS: Final = 5_000


class BatchProgress(NamedTuple):
    """The progress of a batch."""

    rows: int
    """Number of rows that were scored or rejected, by earlier runs too."""
    fresh: int
    """Number of rows that this run scored or rejected."""
    rejected: int
    done: int
    """Number of bytes of the input that were read."""
    size: int
    """Number of bytes of the input."""


Watch = Callable[[BatchProgress], None]


class BatchModel(NamedTuple):
    """The model that scores."""

    bundle: Bundle
    reference: Reference
    sha256: str
    """Hash of the bundle's `bundle.json`, in hex."""
    predictor: Predictor


def score(
    config: BatchConfig, model: BatchModel, watch: Watch = lambda reached: None
) -> tuple[BatchReport, pd.DataFrame]:
    """Score the rows that were not scored before; each row ends in one file of the predictions or of the rejects.

    After each chunk, `watch` receives the progress.

    Returns:
        The report, and at most 5,000 scored rows, see `tabular.batch.sample.RowSample.frame`.

    Raises:
        UserError: before any work, there is no input, it lacks a column that the model needs, or the output folder
            belongs to another batch. Later, a file is damaged, or a store does not answer; finished chunks stay.
    """
    files = files_of(config.input, config.output)
    source = BatchInput(files, config.reading)
    keep = _ensure_columns(source, config, model.bundle)
    book = Ledger(config.output)
    with book.locked():
        wanted = BatchIdentity.of(config, files, model.bundle, model.sha256)
        begun = book.identity(wanted)
        done = book.success() if begun else None
        if done is not None:
            sample = RowSample(SAMPLE_ROWS, config.seed)
            sample.add(done.sample)
            found = {"resumed": done.report.chunks, "seconds": 0.0, "rows_per_second": 0.0}
            return done.report.model_copy(update=found), sample.frame(model.bundle)
        if begun is None:
            dates = {column.name for column in model.bundle.columns if column.kind == "date"}
            dates |= {name for name, rules in config.validation.columns.items() if rules.kind == "date"}
            begun = wanted.model_copy(
                update={"forms": forms_of(source, sorted(dates & {*source.common}), config.reading, config.chunk_rows)}
            )
            book.begin(begun)
        return _BatchRun(config, model, source, keep, begun.forms, book, watch).run()


@dataclass
class _BatchRun:
    """One run. Reading, scoring and writing happen at the same time, each at most one chunk ahead of the next."""

    _config: BatchConfig
    _model: BatchModel
    _source: BatchInput
    _keep: list[str]
    _forms: dict[str, str]
    _book: Ledger
    _watch: Watch

    def __post_init__(self) -> None:
        config, bundle = self._config, self._model.bundle
        self._encoder = Encoder(bundle.columns)
        self._sample = RowSample(SAMPLE_ROWS, config.seed)
        self._next: dict[int, ChunkPosition] = {}
        self._predictions: dict[int, OutputPart] = {}
        self._rejects: dict[int, OutputPart] = {}
        self._rows = self._rejected = 0
        self._reasons: Counter[str] = Counter()
        self._observed = Tally(bundle, self._model.reference).observed()
        self._broken = BrokenRules(checks=[], missing={})
        rules = [name for name in config.validation.columns if name in self._source.common]
        self._columns = list(dict.fromkeys([*(c.name for c in bundle.columns), *self._keep, *rules]))

    def run(self) -> tuple[BatchReport, pd.DataFrame]:
        began, started = time.perf_counter(), datetime.now(UTC)
        for found in self._book.finished():
            self._sample.add(found.sample)
            self._note(found)
        resumed, before = len(self._next), self._rows
        with ThreadPoolExecutor(1) as writer:
            last: Future[None] | None = None
            for number, chunk in self._missing():
                made = self._score(number, chunk)
                if last is not None:
                    last.result()
                last = writer.submit(self._book.finish, *made)
                self._note(made[0])
                fresh = self._rows - before
                self._watch(BatchProgress(self._rows, fresh, self._rejected, chunk.done, self._source.size))
            if last is not None:
                last.result()
        if files_of(self._config.input, self._config.output) != self._source.files:
            raise UserError(
                f"{public(self._config.input)} was changed while it was scored; delete the output, and repeat"
            )
        report = self._report(started, began, resumed, self._rows - before)
        success = FinishedBatch(
            report=report,
            predictions=[part for _, part in sorted(self._predictions.items())],
            rejects=[part for _, part in sorted(self._rejects.items())],
            sample=self._sample.drawn,
        )
        self._book.succeed(success)
        return report, self._sample.frame(self._model.bundle)

    def _note(self, found: FinishedChunk) -> None:
        self._next[found.chunk] = found.next
        self._predictions[found.chunk] = found.predictions
        if found.rejects:
            self._rejects[found.chunk] = found.rejects
            self._rejected += found.rejects.rows
        self._rows += found.rows
        self._reasons.update(found.reasons)
        self._observed = observed_of([self._observed, found.observed])
        self._broken = broken_of(self._broken, found.broken)

    def _missing(self) -> Iterator[tuple[int, Chunk]]:
        """The chunks that are not finished, with their numbers; one empty chunk for an input without rows."""
        known = dict(self._next)
        number, position = 0, START
        is_over = False
        while not is_over:
            while number in known:
                number, position = number + 1, known[number]
            is_over = True
            for chunk in self._ahead(position):
                yield number, chunk
                number, position = number + 1, chunk.next
                if number in known:
                    is_over = False
                    break
        if number == 0:
            yield 0, empty_chunk(self._columns)

    def _ahead(self, position: ChunkPosition) -> Iterator[Chunk]:
        """The chunks from a position on; the next one is read while the current one is scored."""
        chunks = self._source.chunks(position, self._config.chunk_rows, self._columns)
        with ThreadPoolExecutor(1) as reader:
            coming = reader.submit(next, chunks, None)
            while (chunk := coming.result()) is not None:
                coming = reader.submit(next, chunks, None)
                yield chunk

    def _score(self, number: int, chunk: Chunk) -> tuple[FinishedChunk, bytes, bytes | None]:
        bundle, config = self._model.bundle, self._config
        scored = answer(chunk, self._forms, bundle, self._encoder, self._model.predictor)
        ready = scored.ready
        tally = Tally(bundle, self._model.reference)
        classes = bundle.task == "classification"
        at = chunk.first + chunk.positions[ready.places]
        drawn = NOTHING
        if scored.rows is not None:
            predicted = scored.output.argmax(axis=1) if classes else scored.output
            tally.add(scored.rows, scored.notes, predicted)
            drawn = self._sample.draw(at, scored.rows, predicted)
        content = writing.predictions(chunk, scored, bundle, self._keep, datetime.now(UTC))
        rejected = writing.rejects(chunk, scored)
        finished = FinishedChunk(
            chunk=number,
            rows=chunk.rows,
            predictions=part("predictions", number, len(at), content),
            rejects=None if rejected is None else part("rejects", number, len(scored.rejected), rejected),
            reasons=dict(Counter(scored.rejected.values())),
            observed=tally.observed(),
            broken=contract.of_rows(chunk, ready, bundle.columns, config.validation, self._forms),
            sample=drawn,
            next=chunk.next,
        )
        return finished, content, rejected

    def _report(self, started: datetime, began: float, resumed: int, fresh: int) -> BatchReport:
        config, bundle = self._config, self._model.bundle
        scored = self._rows - self._rejected
        seconds = time.perf_counter() - began
        broken = [
            *broken_columns(config.validation.columns, self._source.common, config.validation.other_columns),
            *self._broken.checks,
            *contract.of_shares(self._broken.missing, scored, config.validation),
        ]
        return BatchReport(
            model=bundle.name,
            version=bundle.version,
            input=public(config.input),
            output=public(config.output),
            rows=self._rows,
            scored=scored,
            rejected=self._rejected,
            reasons=dict(self._reasons.most_common()),
            broken=broken,
            observed=self._observed,
            chunks=len(self._next),
            resumed=resumed,
            started=started.isoformat(timespec="milliseconds"),
            ended=datetime.now(UTC).isoformat(timespec="milliseconds"),
            seconds=seconds,
            rows_per_second=fresh / seconds,
        )


def _ensure_columns(source: BatchInput, config: BatchConfig, bundle: Bundle) -> list[str]:
    """Refuse files that lack a column the model needs; return the columns that the output repeats."""
    names = source.layouts[0].names
    keep = list(names) if config.keep == "all" else list(dict.fromkeys(config.keep))
    taken = [name for name in keep if name in writing.columns_of(bundle)]
    if taken:
        raise UserError(f"batch.keep: the output has a column '{taken[0]}' of its own; leave it out, or rename it")
    for file, layout in zip(source.files, source.layouts, strict=True):
        for column in bundle.columns:
            if column.name not in layout.names:
                hint = nearest_hint(column.name, layout.names)
                if len(layout.names) == 1:  # which most often means another separator
                    separator = SEPARATORS[config.reading.separator]
                    hint += f" (its header is one column, separated by {separator}: set batch.reading.separator)"
                needed = f"'{column.name}', which {bundle.name} version {bundle.version} needs"
                raise UserError(f"{file.name} has no column {needed}{hint}")
            problem = misfit(layout.types[column.name], column.kind) if layout.types else ""
            if problem:
                raise UserError(f"{file.name}: column '{column.name}' {problem}; export it as that")
        if config.keep == "all" and set(layout.names) - set(keep):
            extra = next(name for name in layout.names if name not in keep)
            raise UserError(
                f"batch.keep: {file.name} has a column '{extra}' and {source.files[0].name} does not; list them"
            )
        for name in keep:
            if name not in layout.names:
                hint = nearest_hint(name, layout.names)
                raise UserError(f"batch.keep: {file.name} has no column '{name}'{hint}")
            if layout.types and pa.types.is_nested(layout.types[name]):
                raise UserError(f"batch.keep: column '{name}' of {file.name} holds lists or records; leave it out")
    return keep
