"""The verdicts of monitoring and the trainings that followed, kept in the artifact store beside the release."""

import re
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeVar

from pydantic import ValidationError

from registry.releases import open_releases
from registry.store import Store
from tabular.config.base import explain
from tabular.errors import UserError
from tabular.reports.report import Report
from tabular.reports.verdicts import Verdict
from tabular.storage import places

WINDOWS = "monitoring/windows"
RETRAININGS = "monitoring/retrainings"
TABLES = "monitoring/data"
STAMP = "%Y%m%dT%H%M%S.%fZ"
OVERLAP = 0.1
"""Share of its length by which a window may overlap the one before it."""
ABANDONED = timedelta(hours=24)
"""A retraining that has not ended after this time belongs to a process that is gone."""

Kept = TypeVar("Kept", bound=Report)


class Retraining(Report):
    """A training that monitoring has asked for."""

    number: int
    """Number of this training among those of the version, from 1."""
    version: str
    """The version that was watched."""
    window_end: str
    """End of the window whose verdict asked for the training."""
    began: str
    """When the training began, in UTC, ISO 8601."""
    state: Literal["begun", "done", "failed"]
    run: str | None = None
    """Name of the training run."""
    outcome: str = ""
    """Result of the training, in words."""


class Watch:
    """The verdicts on one registered model, and the trainings that they led to, in its folder of the artifact store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def keep(self, verdict: Verdict) -> str:
        """Store a verdict, and replace an earlier one on the same window. Returns its location."""
        # Names sort by the end of the window.
        name = f"{WINDOWS}/{datetime.fromisoformat(verdict.end).astimezone(UTC):{STAMP}}{_of(verdict.version)}"
        self._store.write(name, _content(verdict))
        return places.join(self._store.location, name)

    def verdicts(self, version: str | None = None, last: int = 24) -> list[Verdict]:
        """Return the `last` newest verdicts on one version, or on all, the oldest of them first.

        Raises:
            UserError: a file is damaged.
        """
        names = [name for name in self._windows() if version is None or name.endswith(_of(version))]
        return [self._read(f"{WINDOWS}/{name}", Verdict) for name in names[-last:]]

    def before(self, start: str, end: str, version: str, count: int) -> list[Verdict]:
        """Return the verdicts on the windows before one, the newest first: on one version, since its last retraining.

        Of windows that overlap, such as those of a repeated command, only the newest counts. Windows without enough
        data do not count.

        Args:
            start, end: first moment of the window, and the moment after it; ISO 8601.
            version: the version that is watched.
            count: largest number of verdicts.
        """
        done = [datetime.fromisoformat(one.window_end) for one in self.retrainings(version) if one.state == "done"]
        found: list[Verdict] = []
        latest = _latest(start, end)
        for name in reversed(self._windows()):
            if len(found) == count:
                break
            if not name.endswith(_of(version)):
                continue
            ended = datetime.strptime(name.partition("-v")[0], STAMP).replace(tzinfo=UTC)
            if ended > latest or (done and ended <= max(done)):
                continue
            verdict = self._read(f"{WINDOWS}/{name}", Verdict)
            if verdict.level != "not_enough_data":
                found.append(verdict)
                latest = _latest(verdict.start, verdict.end)
        return found

    def retrainings(self, version: str) -> list[Retraining]:
        """Return the trainings that verdicts on a version have asked for, the oldest first."""
        names = self._store.names(RETRAININGS, r"\d{6,}" + re.escape(_of(version)))
        return [self._read(f"{RETRAININGS}/{name}", Retraining) for name in names]

    def begin(self, verdict: Verdict, now: datetime) -> Retraining | str:
        """Note that a training begins, unless another one is under way; of several attempts at once, one succeeds.

        Returns:
            The note, or in words why no training may begin.
        """
        known = self.retrainings(verdict.version)
        for one in known:
            if one.state == "begun" and now - datetime.fromisoformat(one.began) < ABANDONED:
                return f"a retraining for the window that ended {one.window_end} is under way since {one.began}"
            if one.state == "done" and one.window_end == verdict.end:
                return f"this window was already followed by a retraining: {one.outcome}"
        note = Retraining(
            number=len(known) + 1,
            version=verdict.version,
            window_end=verdict.end,
            began=now.astimezone(UTC).isoformat(timespec="seconds"),
            state="begun",
        )
        # A process that counts at the same moment wants the same name, and only one of them gets it.
        if not self._store.create(_retraining(note), _content(note)):
            return "somebody else has begun a retraining at this moment"
        return note

    def end(self, note: Retraining, state: Literal["done", "failed"], run: str | None, outcome: str) -> None:
        """Note how a training has ended; after a failed one the next window may ask for another."""
        ended = note.model_copy(update={"state": state, "run": run, "outcome": outcome})
        self._store.write(_retraining(ended), _content(ended))

    def keep_table(self, content: bytes, sha256: str) -> str:
        """Store a Parquet file for a training under its sha256. Returns its location."""
        name = f"{TABLES}/{sha256}.parquet"
        self._store.write(name, content)
        return places.join(self._store.location, name)

    def _windows(self) -> list[str]:
        return self._store.names(WINDOWS, r"\d{8}T\d{6}\.\d{6}Z-v.+\.json")

    def _read(self, name: str, model: type[Kept]) -> Kept:
        try:
            return model.model_validate_json(self._store.read(name))
        except ValidationError as error:
            where = places.join(self._store.location, name)
            raise UserError(f"{where}: {explain(error, model)}; delete the file") from None


def open_watch(model: str) -> Watch:
    """Return the verdicts on a registered model, on the active stack.

    Raises:
        UserError: the stack has no MLflow registry, or its artifact store cannot hold releases.
    """
    return Watch(open_releases(model).store)


def _latest(start: str, end: str) -> datetime:
    """Return when the window before this one may end at the latest: schedulers are not punctual."""
    return datetime.fromisoformat(start) + OVERLAP * (datetime.fromisoformat(end) - datetime.fromisoformat(start))


def _of(version: str) -> str:
    return f"-v{version}.json"


def _retraining(note: Retraining) -> str:
    return f"{RETRAININGS}/{note.number:06d}{_of(note.version)}"


def _content(report: Report) -> bytes:
    return report.model_dump_json(indent=1).encode() + b"\n"
