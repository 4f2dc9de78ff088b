"""The content of an offline run of W&B, read with W&B's own reader, as `wandb sync` would send it.

The process that wrote it has ended or called `wandb.teardown()`: `wandb.finish()` does not wait for the last lines.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wandb.proto.wandb_internal_pb2 import Record
from wandb.sdk.internal.datastore import DataStore


@dataclass
class OfflineRun:
    """One `offline-run-*` folder."""

    files: Path
    """The folder of what is uploaded beside the figures."""
    name: str = ""
    group: str = ""
    job_type: str = ""
    tags: tuple[str, ...] = ()
    config: dict[str, Any] = field(default_factory=dict)
    """Without W&B's own `_wandb`."""
    charts: dict[str, Any] = field(default_factory=dict)
    """Charts that W&B draws by itself: the name of the preset by key."""
    summary: dict[str, Any] = field(default_factory=dict)
    """The newest value of each name, media included; without names that begin with `_`."""
    history: list[dict[str, Any]] = field(default_factory=list)
    """The logged steps; without names that begin with `_`."""
    axes: dict[str, str] = field(default_factory=dict)
    """Name of the x axis of each line, by the name of the line."""
    saved: set[str] = field(default_factory=set)
    """The paths, relative to `files`, that are uploaded."""
    exit_code: int | None = None
    """Exit code; None for a run that never ended."""

    def file(self, key: str) -> Path:
        """The file of a picture, page or table; its hash in the name is left to W&B."""
        path: str = self.summary[key]["path"]
        assert path in self.saved, f"{path} is not uploaded"
        return self.files / path

    def table(self, key: str) -> list[dict[str, Any]]:
        """The rows of a table by column; fails on values that JSON does not have, such as NaN."""
        content = json.loads(self.file(key).read_text(), parse_constant=_refuse)
        return [dict(zip(content["columns"], row, strict=True)) for row in content["data"]]


def read_run(folder: Path) -> OfflineRun:
    """The run in a folder such as `wandb/offline-run-20260101_120000-abcdefgh`."""
    run = OfflineRun(folder / "files")
    [log] = folder.glob("run-*.wandb")
    for record in _records(log):
        match record.WhichOneof("record_type"):
            case "run":
                run.name, run.group, run.job_type = (
                    record.run.display_name,
                    record.run.run_group,
                    record.run.job_type,
                )
                run.tags = tuple(record.run.tags)
                _merge(run.config, record.run.config.update)
            case "config":
                _merge(run.config, record.config.update)
            case "summary":
                _merge(run.summary, record.summary.update)
            case "history":
                run.history.append(_public(_merge({}, record.history.item)))
            case "metric":
                run.axes |= {record.metric.name: record.metric.step_metric} if record.metric.step_metric else {}
            case "files":
                run.saved |= {item.path for item in record.files.files}
            case "exit":
                run.exit_code = record.exit.exit_code
    drawn = run.config.pop("_wandb").get("visualize", {})
    run.charts = {key: chart["panel_config"]["panelDefId"] for key, chart in drawn.items()}
    run.summary = _public(run.summary)
    return run


def read_runs(folder: Path) -> list[OfflineRun]:
    """All runs in the folder `wandb`, by name."""
    return sorted((read_run(path) for path in folder.glob("offline-run-*")), key=lambda run: run.name)


def _records(log: Path) -> Iterator[Record]:
    store = DataStore()
    store.open_for_scan(str(log))
    try:
        while (data := store.scan_data()) is not None:
            record = Record()
            record.ParseFromString(data)
            yield record
    finally:
        store._fp.close()  # type: ignore[union-attr]


def _merge(known: dict[str, Any], items: Iterable[Any]) -> dict[str, Any]:
    for item in items:
        *folders, last = item.nested_key or [item.key]
        inner = known
        for folder in folders:
            inner = inner.setdefault(folder, {})
        inner[last] = json.loads(item.value_json)
    return known


def _public(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if not name.startswith("_")}


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")
