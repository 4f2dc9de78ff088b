"""Finds the source of the table before any work starts, and reads it for the first step."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pandas as pd
import yaml
from pydantic import ValidationError

from tabular.config.base import StrictModel, explain
from tabular.config.reading import ReadingConfig
from tabular.config.stages import MAX_BYTES, ColumnConfig, DataConfig
from tabular.errors import UserError, nearest_hint, one_line
from tabular.reports.training import Provenance
from tabular.storage import places
from tabular.storage.addresses import is_remote, public
from tabular.storage.atomic import write_atomically
from tabular.storage.repository import ROOT
from tabular.table.parsing import parse
from tabular.table.sample import SampleSpec, make_sample


class TableSource(StrictModel):
    """The source of a table, small enough to be a step's parameter; from its JSON it is restored unchanged."""

    kind: Literal["path", "url", "sample"]
    location: str
    """An absolute path or an address; for a sample, the file that describes it."""
    sha256: str | None = None
    """The hash that the bytes must have when they are read; None where it is not known beforehand."""
    fingerprint: str
    """A text that changes when the bytes change; it is part of the cache key of the step that reads."""
    cache: str | None = None
    """The folder that holds the download under the name of its sha256."""
    sample: SampleSpec | None = None
    """The description of a sample; None for another source."""
    reading: ReadingConfig = ReadingConfig()
    """The way in which the file is written; ignored for a sample."""
    max_bytes: int = MAX_BYTES
    """The most bytes that a compressed file may hold once it is unpacked."""
    kinds: dict[str, Literal["text", "date"]] = {}
    """The columns that the rules of the validation declare categories or dates, whatever their values look like."""
    why: str
    """The reason why this source was chosen, in words."""


def locate(
    data: DataConfig,
    cache: Path = ROOT / ".cache" / "data",
    root: Path = ROOT,
    columns: Mapping[str, ColumnConfig] | None = None,
) -> TableSource:
    """Find the table: `path` if it is set, otherwise the download of `url`, otherwise the sample.

    Args:
        data: the configuration. A file with a `sha256` is read once here, wherever it lies, and compared.
        cache: the folder of downloads; created when needed.
        root: the repository, which `data.sample` is relative to.
        columns: the rules of the validation, which declare some columns categories or dates.

    Raises:
        UserError: a missing file, a wrong sha256, an address that cannot be read, or no network and no sample.
    """
    kinds: dict[str, str] = {
        name: "date" if rules.kind == "date" else "text"
        for name, rules in (columns or {}).items()
        if rules.kind != "number" and name not in data.drop_columns
    }
    known = {"reading": data.reading, "kinds": kinds, "max_bytes": data.max_bytes}
    return _found(data, cache, root).model_copy(update=known)


def _found(data: DataConfig, cache: Path, root: Path) -> TableSource:
    if data.path is not None:
        return _at_path(data.path, data.sha256)
    if data.url is not None and data.url_sha256 is not None:
        try:
            _download(data.url, data.url_sha256, cache)
        except places.Unreachable as error:
            if not data.offline_sample or data.sample is None:
                raise UserError(
                    f"data.url: {error.what}; set data.path to a local copy, or data.offline_sample: true "
                    "and data.sample to train on the built-in sample"
                ) from None
            return _sample(data.sample, root, f"no network: {error.what}")
        except places.StoreError as error:
            raise UserError(f"data.url: {error}") from None
        return TableSource(
            kind="url",
            location=data.url,
            sha256=data.url_sha256,
            fingerprint=data.url_sha256,
            cache=str(cache.absolute()),
            why="data.path is not set, data.url is",
        )
    if data.sample is None:
        raise UserError("no data: set data.path, data.url or data.sample")
    return _sample(data.sample, root, "data.path and data.url are not set, data.sample is")


def read_table(
    source: TableSource, target: str, drop_duplicates: bool, seed: int, drop_columns: Sequence[str] = ()
) -> tuple[pd.DataFrame, Provenance]:
    """Read the table, or generate the sample, and check that it can be learned from.

    Args:
        source: from `locate`, perhaps on another machine; a download that is not here is fetched again.
        target: a column that must exist.
        drop_duplicates: whether rows that repeat an earlier row in every column are dropped.
        drop_columns: columns that are removed after repeated rows are dropped.

    Returns:
        The rows (all columns, index 0 to n-1) and their provenance, whose sha256 is that of the file's bytes, or of
        the sample as CSV. For the dtypes, see `tabular.table.parsing.parse`.

    Raises:
        UserError: unreadable or changed bytes, no target column, fewer than two rows, or a column with no value.
    """
    name = public(source.location)
    if source.sample is not None:
        frame = make_sample(source.sample, seed)
        content = frame.to_csv(index=False).encode()
    else:
        content = _content(source)
        key = "data.url_sha256" if source.kind == "url" else "data.sha256"
        _check_hash(hashlib.sha256(content).hexdigest(), source.sha256, source.location, key)
        # The labels of the target are not changed, so that 1 is predicted as 1.
        kinds = {column: kind for column, kind in source.kinds.items() if column != target}
        frame = parse(content, name, source.reading, kinds, source.max_bytes, drop_columns)
    if target not in frame.columns:
        hint = nearest_hint(target, frame.columns)
        raise UserError(f"target.column: {name} has no column '{target}'{hint}")
    read = len(frame)
    frame, without_target = with_target(frame, target, source.reading, name)
    if drop_duplicates:
        frame = frame.drop_duplicates(ignore_index=True)
    for column in drop_columns:
        if column not in frame.columns:
            raise UserError(f"data.drop_columns: {name} has no column '{column}'; it has {', '.join(frame.columns)}")
    frame = frame.drop(columns=list(drop_columns))
    if len(frame) < 2:
        raise UserError(f"{name} has {len(frame)} row(s); a table needs at least 2 rows")
    empty = [f"'{column}'" for column in frame.columns if frame[column].isna().all()]
    if empty:
        raise UserError(f"{name} has no value at all in {', '.join(empty)}; drop the column or mend the export")
    provenance = Provenance(
        data_source=source.kind,
        location=name,
        sha256=hashlib.sha256(content).hexdigest(),
        rows=len(frame),
        columns=[str(column) for column in frame.columns],
        duplicates_dropped=read - without_target - len(frame),
        without_target_dropped=without_target,
    )
    return frame, provenance


def with_target(frame: pd.DataFrame, target: str, reading: ReadingConfig, name: str) -> tuple[pd.DataFrame, int]:
    """The rows that have a target and the number of those that have none; all rows unless `target_missing` is `drop`.

    Raises:
        UserError: rows without a target are to be dropped, and no row has one.
    """
    holes = frame[target].isna()
    if reading.target_missing == "refuse" or not holes.any():
        return frame, 0
    if holes.all():
        raise UserError(f"target.column: {name} has no value at all in '{target}'; there is nothing to learn")
    kept = frame[~holes].reset_index(drop=True)
    values = kept[target]
    if pd.api.types.is_float_dtype(values.dtype) and bool((values % 1 == 0).all()) and values.abs().max() < 2**53:
        kept[target] = values.astype("int64")  # only the holes had made them 1.0
    elif values.dtype == object:
        kept[target] = values.astype(bool)  # likewise: true, false and nothing
    return kept, int(holes.sum())


def _at_path(path: str, sha256: str | None) -> TableSource:
    if is_remote(path):
        if sha256 is None:
            with _named("data.path"):
                found = places.fingerprint(path)
        else:
            found = hashlib.sha256(content_at(path, "data.path")).hexdigest()
        location, expected = path, sha256
    else:
        file = _local(path, "data.path")
        found = _hash(file)
        location, expected = str(file), found
    if sha256 is not None:
        _check_hash(found, sha256, location, "data.sha256")
    return TableSource(kind="path", location=location, sha256=expected, fingerprint=found, why="data.path is set")


def _sample(file: str, root: Path, why: str) -> TableSource:
    path = root / file
    try:
        spec = SampleSpec.model_validate(yaml.safe_load(path.read_bytes()))
    except OSError as error:
        raise UserError(f"data.sample: cannot read {path}: {error.strerror}; correct the path") from error
    except yaml.YAMLError as error:
        raise UserError(f"data.sample: {path} is not YAML: {one_line(error)}") from error
    except ValidationError as error:
        raise UserError(f"data.sample: {path}: {explain(error, SampleSpec)}") from error
    print_of_spec = hashlib.sha256(spec.model_dump_json().encode()).hexdigest()
    return TableSource(kind="sample", location=file, fingerprint=print_of_spec, sample=spec, why=why)


def _download(url: str, sha256: str, cache: Path) -> None:
    """Put the file into the cache unless it is there; a file with its final name is always complete and correct."""
    kept = cache / sha256
    if kept.is_file() and _hash(kept) == sha256:
        return
    if not url.startswith(("http://", "https://")):
        raise UserError(f"data.url: {public(url)} does not start with http:// or https://; for others use data.path")
    content = places.read(url, None)
    _check_hash(hashlib.sha256(content).hexdigest(), sha256, url, "data.url_sha256")
    try:
        write_atomically(kept, content)
    except OSError as error:
        raise UserError(f"cannot write to the cache {cache}: {error.strerror}; make it writable") from error


def _content(source: TableSource) -> bytes:
    """The bytes of the source, from the cache of this machine where it has them."""
    if source.kind == "url":
        kept = Path(source.cache or "") / str(source.sha256)
        if source.cache and kept.is_file() and _hash(kept) == source.sha256:
            return kept.read_bytes()
        return content_at(source.location, "data.url")
    return content_at(source.location, "data.path")


def _hash(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"cannot read {file}: {error.strerror}") from error


def _check_hash(found: str, expected: str | None, location: str, key: str) -> None:
    if expected is not None and found != expected:
        raise UserError(
            f"wrong sha256 of {public(location)}: expected {expected}, got {found}; "
            f"the file is damaged or has changed: fetch it again, or correct {key}"
        )


def content_at(location: str, key: str) -> bytes:
    """The bytes of a file on this machine or at an address.

    Errors begin with the key or option under which the user wrote the location, such as `--data`.

    Raises:
        UserError: there is no such file, or it cannot be read.
    """
    with _named(key):
        return places.read(location if is_remote(location) else str(_local(location, key)), None)


@contextmanager
def _named(key: str) -> Iterator[None]:
    """Begin each error of a store with the key under which the user wrote the location."""
    try:
        yield
    except places.Unreachable as error:
        raise UserError(f"{key}: {error}, or set data.path to a local copy") from None
    except places.StoreError as error:
        raise UserError(f"{key}: {error}") from None


def _local(path: str, key: str) -> Path:
    file = Path(os.path.abspath(Path(path.removeprefix("file://")).expanduser()))
    if not file.is_file():
        what = "is a folder, not a file" if file.is_dir() else "does not exist"
        raise UserError(f"{key}: {file} {what}; name a CSV, Parquet or .tgz file")
    return file
