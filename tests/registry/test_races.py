"""Several people promote at once: the history stays one line, and nobody is told what is not so."""

import multiprocessing
import os
from pathlib import Path

import pytest

from registry import plans
from registry.history import ReleaseChange
from registry.release_checks import verify
from registry.releases import LostRace, Releases
from registry.store import LocalStore
from tests.support.released import Shop, settled

PROCESSES, TURNS = 8, 2
WON, LOST = 0, 3


def promotion(releases: Releases, version: str) -> ReleaseChange:
    plan = plans.promote(releases.settle(), version, "champion", None, None, force=False)
    assert plan is not None
    return plan


def test_of_eight_who_start_from_one_state_exactly_one_wins(shop: Shop) -> None:
    # given: eight processes that have all looked before any of them writes
    fork = multiprocessing.get_context("fork")
    barrier = fork.Barrier(PROCESSES)

    def promote(version: str) -> None:
        releases = shop.releases
        base = releases.settle()
        plan = promotion(releases, version)
        barrier.wait(60)
        try:
            releases.change(plan, f"by process {os.getpid()}", base)
        except LostRace as lost:
            assert "meanwhile; nothing of yours was done" in str(lost)
            os._exit(LOST)
        os._exit(WON)

    # when
    processes = [fork.Process(target=promote, args=(str(number % 3 + 1),)) for number in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)

    # then
    assert sorted(process.exitcode or 0 for process in processes) == [WON, *[LOST] * (PROCESSES - 1)]
    [entry] = shop.releases.history.read()
    winner = next(process for process in processes if process.exitcode == WON)
    assert entry.changed.why == f"by process {winner.pid}"
    assert settled(shop.releases).aliases == entry.change.aliases


def test_eight_who_promote_again_and_again_leave_one_line_without_a_gap(shop: Shop) -> None:
    # given: each looks, promotes, and does so again until two of its own are in the history
    fork = multiprocessing.get_context("fork")

    def promote(first: int) -> None:
        done = 0
        while done < TURNS:
            releases = shop.releases
            base = releases.settle()
            version = str((first + done) % 3 + 1)
            if base.aliases.get("champion") == version:
                version = str((first + done + 1) % 3 + 1)
            plan = plans.promote(base, version, "champion", None, None, force=False)
            try:
                if plan is not None:
                    releases.change(plan, f"process {first}", base)
                    done += 1
            except LostRace:
                continue
        os._exit(WON)

    # when
    processes = [fork.Process(target=promote, args=(number,)) for number in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(300)

    # then: every one that was told that it has won is there, and registry and manifest say what the last one says
    assert [process.exitcode for process in processes] == [WON] * PROCESSES
    entries = shop.releases.history.read()
    assert sorted(entry.changed.why for entry in entries) == sorted(
        f"process {n}" for n in range(PROCESSES) for _ in range(TURNS)
    )
    before = [None, *(entry.change.aliases["champion"] for entry in entries)]
    assert [entry.moved[0].before for entry in entries] == before[:-1]
    assert settled(shop.releases).aliases == {"champion": before[-1]}
    assert [finding for finding in verify(shop.releases) if not finding.ok] == []


def test_whoever_was_overtaken_while_writing_does_not_have_the_last_word(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: one who is slow: between its decision and its writes another promotes version 2
    releases, other = shop.releases, shop.releases
    base = releases.settle()
    plan = promotion(releases, "1")
    apply = Releases._apply

    def overtaken(self: Releases, *arguments: object) -> None:
        if self is releases and other.history.newest().revision == 1:
            monkeypatch.setattr(Releases, "_apply", apply)
            other.change(promotion(other, "2"), "the quick one", other.history.newest())
        apply(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Releases, "_apply", overtaken)

    # when: its writes come after those of the quick one
    releases.change(plan, "the slow one", base)

    # then
    assert [entry.changed.why for entry in releases.history.read()] == ["the slow one", "the quick one"]
    assert settled(shop.releases).aliases == {"champion": "2"}
    assert shop.releases.written_manifest().champion.version == "2"


def test_a_file_that_is_there_is_not_created_again(tmp_path: Path) -> None:
    # given
    store = LocalStore(tmp_path / "store")

    # when
    first, second = store.create("history/000001.json", b"first"), store.create("history/000001.json", b"second")

    # then
    assert (first, second) == (True, False)
    assert store.read("history/000001.json") == b"first" and store.names("history", ".*") == ["000001.json"]
