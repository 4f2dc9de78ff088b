"""A worker ends, whatever its threads and its parent do."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from service.ending import Ending
from tests.support.bundles import eventually
from tests.support.project import ROOT

WORKER = """
import os, sys, threading, time
from pathlib import Path
from service.ending import Ending
threading.Thread(target=time.sleep, args=(60,)).start()
Ending(lambda: Path(sys.argv[1], "finished").touch(), seconds=0.2).start()
Path(sys.argv[1], "begun").write_text(str(os.getpid()))
"""
PARENT = """
import subprocess, sys, time
subprocess.Popen([sys.executable, *sys.argv[1:]])
time.sleep(60)
"""


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{process}/stat").read_text().split()[2] != "Z"


def test_a_busy_thread_does_not_keep_a_worker_that_was_told_to_end(tmp_path: Path) -> None:
    # given: a thread that goes on for a minute
    worker = subprocess.Popen([sys.executable, "-c", WORKER, str(tmp_path)], cwd=ROOT)
    assert eventually(lambda: (tmp_path / "begun").exists())

    # when
    worker.send_signal(signal.SIGTERM)

    # then
    assert worker.wait(timeout=30) == 1
    assert (tmp_path / "finished").exists()


def test_a_worker_does_not_outlive_its_parent(tmp_path: Path) -> None:
    # given
    parent = subprocess.Popen([sys.executable, "-c", PARENT, "-c", WORKER, str(tmp_path)], cwd=ROOT)
    begun = tmp_path / "begun"
    assert eventually(lambda: begun.exists() and begun.read_text() != "")
    worker = int(begun.read_text())

    # when: the parent has no time to tell it
    parent.kill()
    parent.wait(timeout=30)

    # then
    assert eventually(lambda: not is_alive(worker))
    assert (tmp_path / "finished").exists()


def test_a_worker_that_is_stopped_leaves_the_signals_as_they_were() -> None:
    # given
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    ending = Ending(lambda: None)
    ending.start()

    # when
    ending.stop()

    # then
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before
