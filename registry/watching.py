"""What the monitor has found, window by window, kept in the artifact store beside the release."""

from datetime import UTC, datetime, timedelta
from typing import Literal, TypeVar

from pydantic import ValidationError

from registry.store import Store
from tabular.config.base import explain
from tabular.errors import UserError
from tabular.reports.report import Report
from tabular.reports.verdicts import Verdict
from tabular.storage import places

WINDOWS = "monitoring/windows"
RETRAININGS = "monitoring/retrainings"
STAMP = "%Y%m%dT%H%M%S.%fZ"
OVERLAP = 0.1
"""By this share of its length a window may begin before the one before it ends."""
ABANDONED = timedelta(hours=24)
"""A retraining that was begun so long ago and never ended belongs to a process that is gone."""

Kept = TypeVar("Kept", bound=Report)


class Retraining(Report):
    """A training that the monitor has asked for."""

    number: int
    """Counts the trainings of a version, from 1."""
    version: str
    """That was watched."""
    window_end: str
    """Of the verdict that asked for it."""
    began: str
    """UTC, ISO 8601."""
    state: Literal["begun", "done", "failed"]
    run: str | None = None
    """The name of the training run."""
    outcome: str = ""
    """What became of it, in words."""


class Watch:
    """The verdicts on one registered model, and the trainings that they led to.

    Args:
        store: the model's folder in the artifact store.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def keep(self, verdict: Verdict) -> str:
        """Keep a verdict, in the place of an earlier one on the same window. Returns where it lies."""
        name = f"{WINDOWS}/{_name(verdict.end, verdict.version)}"
        self._store.write(name, verdict.model_dump_json(indent=1).encode() + b"\n")
        return places.join(self._store.location, name)

    def verdicts(self, version: str | None = None, last: int = 24) -> list[Verdict]:
        """The newest verdicts, the oldest of them first.

        Args:
            version: only those on this version.
            last: how many at most.

        Raises:
            UserError: a file is damaged.
        """
        names = [name for name in self._store.names(WINDOWS) if version is None or name.endswith(_of(version))]
        return [self._read(f"{WINDOWS}/{name}", Verdict) for name in names[-last:]]

    def before(self, start: str, end: str, version: str, count: int) -> list[Verdict]:
        """The verdicts on the windows before one, the newest first: on this version, since its last retraining.

        Of windows that overlap, such as those of a command that was repeated, one counts; and none without enough data.

        Args:
            start, end: of the window, ISO 8601.
            version: the version that is watched.
            count: how many at most.
        """
        done = [moment(one.window_end) for one in self.retrainings(version) if one.state == "done"]
        found: list[Verdict] = []
        latest = _latest(start, end)
        for name in reversed(self._store.names(WINDOWS)):
            if len(found) == count:
                break
            if not name.endswith(_of(version)) or (ended := _end(name)) > latest or (done and ended <= max(done)):
                continue
            verdict = self._read(f"{WINDOWS}/{name}", Verdict)
            if verdict.level != "not_enough_data":
                found.append(verdict)
                latest = _latest(verdict.start, verdict.end)
        return found

    def retrainings(self, version: str) -> list[Retraining]:
        """The trainings that were asked for because of a version, the oldest first."""
        names = [name for name in self._store.names(RETRAININGS) if name.endswith(_of(version))]
        return [self._read(f"{RETRAININGS}/{name}", Retraining) for name in names]

    def begin(self, verdict: Verdict, now: datetime) -> Retraining | str:
        """Note that a training begins, unless another one is under way; of several that try at once, one may.

        Returns:
            The note, or in words why none may begin.
        """
        known = self.retrainings(verdict.version)
        for one in known:
            if one.state == "begun" and now - moment(one.began) < ABANDONED:
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
        # Whoever counted at the same moment wants the same name, and one of them gets it.
        if not self._store.create(_retraining(note), _content(note)):
            return "somebody else has begun a retraining at this moment"
        return note

    def end(self, note: Retraining, state: Literal["done", "failed"], run: str | None, outcome: str) -> None:
        """Note how a training has ended; after a failed one the next window may ask again."""
        ended = note.model_copy(update={"state": state, "run": run, "outcome": outcome})
        self._store.write(_retraining(ended), _content(ended))

    def _read(self, name: str, model: type[Kept]) -> Kept:
        try:
            return model.model_validate_json(self._store.read(name))
        except ValidationError as error:
            where = places.join(self._store.location, name)
            raise UserError(f"{where}: {explain(error, model)}; delete the file") from None


def moment(text: str) -> datetime:
    """A moment from ISO 8601 with an offset."""
    return datetime.fromisoformat(text)


def _latest(start: str, end: str) -> datetime:
    """When the window before this one may end: schedulers are not punctual."""
    return moment(start) + OVERLAP * (moment(end) - moment(start))


def _name(end: str, version: str) -> str:
    """A file's name; names sort as the windows end."""
    return f"{moment(end).astimezone(UTC):{STAMP}}{_of(version)}"


def _end(name: str) -> datetime:
    """When the window of a file ends."""
    return datetime.strptime(name.partition("-v")[0], STAMP).replace(tzinfo=UTC)


def _of(version: str) -> str:
    return f"-v{version}.json"


def _retraining(note: Retraining) -> str:
    return f"{RETRAININGS}/{note.number:06d}{_of(note.version)}"


def _content(note: Retraining) -> bytes:
    return note.model_dump_json(indent=1).encode() + b"\n"
