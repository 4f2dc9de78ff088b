"""One process does the work, and the next one waits for it, also where the first one is killed."""

import subprocess
import sys
import threading
from pathlib import Path

from tabular.storage.locks import one_at_a_time

HOLDER = """
import sys, time
from pathlib import Path
from tabular.storage.locks import one_at_a_time
with one_at_a_time(Path(sys.argv[1]), lambda: None):
    print("holds it", flush=True)
    time.sleep(60)
"""


def test_the_second_says_that_it_waits_and_follows_the_first(tmp_path: Path) -> None:
    # given
    file, told, entered = tmp_path / "new" / "a.lock", threading.Event(), threading.Event()

    def second() -> None:
        with one_at_a_time(file, told.set):
            entered.set()

    with one_at_a_time(file, lambda: None):
        # when
        thread = threading.Thread(target=second)
        thread.start()
        # then
        assert told.wait(20) and not entered.is_set()
    thread.join(20)
    assert entered.is_set()


def test_nobody_waits_for_a_process_that_was_killed(tmp_path: Path) -> None:
    # given
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "a.lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "holds it\n"
        # when
        holder.kill()
    waited: list[int] = []
    # then
    with one_at_a_time(tmp_path / "a.lock", lambda: waited.append(1)):
        assert waited == []
