import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tabular.prediction_log.files import LocalFolder
from tabular.prediction_log.writer import PredictionLog
from tabular.storage import places
from tests.support.bundles import eventually
from tests.support.logs import add, add_batch, fill_disk, found_at, ids
from tests.support.project import ROOT

WRITER = """
import sys, time
from tabular.prediction_log.records import Prediction, now
from tabular.prediction_log.writer import PredictionLog
log = PredictionLog(sys.argv[1])
log.start()
number = 0
while number < int(sys.argv[2]):
    inputs = {"rooms": 1.5, "number": number}
    log.add(Prediction(f"{sys.argv[3]}-{number}", None, now(), "houses", "3", 0.5, inputs, 1.0))
    print(number, time.time(), flush=True)
    number += 1
    time.sleep(0.0005)
log.stop()
"""


def start_writer(folder: Path, count: int, name: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(folder), str(count), name]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


class TestLimits:
    def test_nothing_is_dropped_before_the_bound_and_all_after_it_counted(self, tmp_path: Path) -> None:
        # given: a destination that takes nothing
        (tmp_path / "log").write_text("a file in the place of the folder")
        log = PredictionLog(str(tmp_path / "log"), bound=1000, flush_seconds=0.02)
        log.start()

        # when
        for number in range(900):
            add(log, f"r{number}")
        add_batch(log, "batch", [{}] * 100, [1.0] * 100)
        for number in range(7):
            add(log, f"dropped-{number}")
        add_batch(log, "dropped", [{}] * 100, [1.0] * 100)

        # then
        assert (log.pending, log.dropped) == (1000, 107)
        assert eventually(lambda: log.warning is not None)
        assert log.warning is not None
        assert "cannot write it (not a directory); make room" in log.warning

        # when: the destination is mended
        (tmp_path / "log").unlink()

        # then
        assert eventually(lambda: log.written == 1000)
        log.stop()
        assert sorted(ids(log)) == sorted([*(f"r{number}" for number in range(900)), *["batch"] * 100])
        assert (log.pending, log.dropped) == (0, 107)

    def test_the_bytes_that_wait_are_bounded_too(self, tmp_path: Path) -> None:
        # given: a destination that takes nothing, and room for 1000 bytes
        (tmp_path / "log").write_text("a file in the place of the folder")
        log = PredictionLog(str(tmp_path / "log"), flush_seconds=0.02, bound_bytes=1000)

        # when: the third one is too much, a smaller one is not
        for size in (600, 300, 101, 100):
            add(log, f"r{size}", size=size)
        log.start()
        assert eventually(lambda: log.warning is not None)
        add(log, "r1", size=1)

        # then: what is encoded still waits
        assert (log.pending, log.dropped) == (3, 2)

        # when: the destination is mended
        (tmp_path / "log").unlink()
        assert eventually(lambda: log.pending == 0)

        # then
        log.stop()
        assert ids(log) == ["r600", "r300", "r100"]

    def test_what_is_larger_than_the_bound_is_taken_alone(self, tmp_path: Path) -> None:
        # given
        log = PredictionLog(str(tmp_path / "log"), bound_bytes=1000)

        # when
        add(log, "r2000", size=2000)
        add(log, "r1", size=1)

        # then
        assert (log.pending, log.dropped) == (1, 1)

    def test_what_is_left_at_the_end_is_counted(self, tmp_path: Path) -> None:
        # given
        (tmp_path / "log").write_text("a file in the place of the folder")
        log = PredictionLog(str(tmp_path / "log"))
        log.start()
        add(log, "r")

        # when
        log.stop()

        # then
        assert (log.pending, log.dropped, log.written) == (0, 1, 0)

    def test_a_part_of_a_batch_on_a_full_disk_is_taken_back(
        self, log: PredictionLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # given: the disk takes ten bytes, and then none
        add(log, "r0")
        assert eventually(lambda: log.written == 1)
        write = fill_disk(monkeypatch)
        add(log, "r1")
        assert eventually(lambda: log.warning is not None)
        assert "no space left on device" in str(log.warning)

        # when
        monkeypatch.setattr(os, "write", write)
        log.stop()

        # then
        assert ids(log) == ["r0", "r1"]
        written = b"".join(file.read_bytes() for file in sorted((tmp_path / "log").rglob("*.jsonl")))
        assert len(written.splitlines()) == 2

    def test_a_destination_that_hangs_holds_up_no_request(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # given
        is_over = threading.Event()

        def hang(*_: object) -> None:
            is_over.wait(30)
            raise places.Unreachable("it is down")

        log = PredictionLog(str(tmp_path), flush_seconds=0.01)
        monkeypatch.setattr(LocalFolder, "write", hang)
        log.start()

        # when: every call returns while the destination hangs
        for number in range(5000):
            add(log, f"r{number}")

        # then
        assert (log.pending, log.written) == (5000, 0)
        is_over.set()
        log.stop()

    def test_threads_that_add_at_once_lose_nothing(self, log: PredictionLog) -> None:
        # when
        def work(name: int) -> None:
            for number in range(500):
                add(log, f"{name}-{number}")

        threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        log.stop()

        # then
        assert sorted(ids(log)) == sorted(f"{name}-{number}" for name in range(4) for number in range(500))


class TestProcesses:
    def test_a_killed_process_has_lost_at_most_the_last_second(self, tmp_path: Path) -> None:
        # given: a process that logs without end
        process = start_writer(tmp_path, 10**9, "w")
        added: list[tuple[int, float]] = []
        assert process.stdout
        for line in process.stdout:
            number, moment = line.split()
            added.append((int(number), float(moment)))
            if len(added) == 3000:
                process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)

        # then
        kept = [record["inputs"]["number"] for record in found_at(str(tmp_path))]
        last = added[-1][1]
        assert kept == list(range(len(kept)))
        assert len(kept) >= sum(moment < last - 1 for _, moment in added) > 500

    def test_workers_share_a_folder(self, tmp_path: Path) -> None:
        # when
        processes = [start_writer(tmp_path, 200, name) for name in ("a", "b")]
        for process in processes:
            process.communicate(timeout=60)

        # then
        found = sorted(record["request_id"] for record in found_at(str(tmp_path)))
        assert found == sorted(f"{name}-{number}" for name in ("a", "b") for number in range(200))
        assert len(list(tmp_path.rglob("*.jsonl"))) == 2
