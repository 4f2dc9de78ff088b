"""What is kept of the monitor's verdicts, and who may train because of them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from registry.store import LocalStore
from registry.watching import WINDOWS, Retraining, Watch
from tabular.errors import UserError
from tabular.reports.verdicts import Verdict
from tests.support.strays import strew

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    return Watch(LocalStore(tmp_path / "releases" / "homes"))


def verdict(hour: int, version: str = "1", rows: int = 500) -> Verdict:
    end = NOW + timedelta(hours=hour)
    return Verdict(
        source="log",
        model="homes",
        version=version,
        start=(end - timedelta(hours=1)).isoformat(timespec="milliseconds"),
        end=end.isoformat(timespec="milliseconds"),
        rows=rows,
        level="ok",
        reasons=[],
        findings=[],
    )


def test_the_newest_verdicts_come_back_the_oldest_first(watch: Watch) -> None:
    # given kept in any order, of two versions
    for hour in (3, 1, 11, 2):
        watch.keep(verdict(hour))
    watch.keep(verdict(4, version="11"))

    # when / then
    assert watch.verdicts("1", last=3) == [verdict(2), verdict(3), verdict(11)]
    assert watch.verdicts("11") == [verdict(4, version="11")]
    assert [one.version for one in watch.verdicts()] == ["1", "1", "1", "11", "1"]


def test_a_second_verdict_on_a_window_replaces_the_first(watch: Watch) -> None:
    # when
    watch.keep(verdict(1, rows=10))
    watch.keep(verdict(1, rows=900))

    # then
    assert [one.rows for one in watch.verdicts("1")] == [900]


def before(watch: Watch, newest: Verdict, count: int = 9) -> list[Verdict]:
    """The verdicts that count beside the newest one."""
    return watch.before(newest.start, newest.end, newest.version, count)


@pytest.mark.parametrize(("minutes", "counts"), [(0, False), (-30, False), (-53, False), (-55, True), (-500, True)])
def test_windows_that_overlap_count_once(watch: Watch, minutes: int, counts: bool) -> None:
    # given a window that began so many minutes before this one, which is as long
    newest = verdict(1)
    start, end = (datetime.fromisoformat(text) + timedelta(minutes=minutes) for text in (newest.start, newest.end))
    other = newest.model_copy(update={"start": start.isoformat(), "end": end.isoformat()})
    watch.keep(other)

    # when / then
    assert before(watch, newest) == ([other] if counts else [])


def test_the_windows_before_come_newest_first_without_those_that_tell_nothing(watch: Watch) -> None:
    # given
    empty = verdict(2).model_copy(update={"level": "not_enough_data"})
    for one in (verdict(1), empty, verdict(3), verdict(4), verdict(3, version="11"), verdict(6)):
        watch.keep(one)

    # when / then
    assert before(watch, verdict(5)) == [verdict(4), verdict(3), verdict(1)]
    assert before(watch, verdict(5), count=1) == [verdict(4)]
    assert before(watch, verdict(5), count=0) == []


def test_only_windows_after_a_completed_retraining_count(watch: Watch) -> None:
    # given
    for hour in (1, 2, 3):
        watch.keep(verdict(hour))
    begun = watch.begin(verdict(2), NOW)
    assert isinstance(begun, Retraining)

    # then one that is under way, or failed, changes nothing
    assert len(before(watch, verdict(4))) == 3
    watch.end(begun, "failed", None, "the cloud was down")
    assert len(before(watch, verdict(4))) == 3

    # when
    again = watch.begin(verdict(2), NOW)
    assert isinstance(again, Retraining)
    watch.end(again, "done", "training-1", "version 2 as champion")

    # then
    assert before(watch, verdict(4)) == [verdict(3)]
    assert [(one.state, one.run) for one in watch.retrainings("1")] == [("failed", None), ("done", "training-1")]
    assert watch.retrainings("2") == []


def test_nobody_trains_while_somebody_does_or_twice_for_a_window(watch: Watch) -> None:
    # given
    begun = watch.begin(verdict(1), NOW)
    assert isinstance(begun, Retraining)

    # then
    assert "is under way since" in str(watch.begin(verdict(2), NOW + timedelta(hours=2)))
    assert isinstance(watch.begin(verdict(2), NOW + timedelta(hours=25)), Retraining), "its process is gone"

    # when
    watch.end(begun, "done", "training-1", "version 2 as champion")

    # then
    assert "already followed by a retraining" in str(watch.begin(verdict(1), NOW + timedelta(hours=60)))


def test_of_two_who_begin_at_once_one_may(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    # given both have seen that nobody trains
    monkeypatch.setattr(watch, "retrainings", lambda version: [])

    # when
    answers = [watch.begin(verdict(hour), NOW) for hour in (1, 2)]

    # then
    assert isinstance(answers[0], Retraining)
    assert answers[1] == "somebody else has begun a retraining at this moment"


def test_a_damaged_file_is_named(watch: Watch, tmp_path: Path) -> None:
    # given
    kept = Path(watch.keep(verdict(1)))
    kept.write_text('{"source": "log"}')

    # when / then
    with pytest.raises(UserError, match=f"{WINDOWS}/.*-v1.json: .*delete the file"):
        watch.verdicts("1")


def test_what_a_desktop_leaves_in_the_folders_is_passed_over(watch: Watch, tmp_path: Path) -> None:
    # given
    watch.keep(verdict(1))
    assert isinstance(watch.begin(verdict(1), NOW), Retraining)
    for folder in ("windows", "retrainings"):
        strew(tmp_path / "releases" / "homes" / "monitoring" / folder)
        (tmp_path / "releases" / "homes" / "monitoring" / folder / "backup of x-v1.json").write_text("{")

    # when / then
    assert watch.verdicts() == watch.verdicts("1") == before(watch, verdict(2)) == [verdict(1)]
    assert [one.number for one in watch.retrainings("1")] == [1]
