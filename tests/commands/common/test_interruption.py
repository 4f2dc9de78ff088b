"""Ctrl-C and SIGTERM: one line, the exit code that shells know, within seconds, whatever the process does."""

import signal
import subprocess
import sys
import textwrap
import time

import pytest

from tests.support.project import ROOT

PROGRAM = """
import atexit, hashlib, threading, time
from commands.common import interruption

interruption.SECONDS = 0.5
interruption.install()

def work():
    print("working", flush=True)
{work}

try:
    work()
except (Exception, KeyboardInterrupt):
    interruption.end()
"""

WORK = {
    "python": "while True: pass",
    "sleep": "time.sleep(60)",
    "a library that swallows it": """
        while True:
            try:
                time.sleep(60)
            except KeyboardInterrupt:
                pass
    """,
    "a library that makes an error of it": """
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            raise RuntimeError("no trial was completed")
    """,
    "C code": "hashlib.pbkdf2_hmac('sha256', b'', b'', 10**9)",
    "a library that is slow to go": """
        atexit.register(time.sleep, 60)
        time.sleep(60)
    """,
    "a thread that does not end": """
        threading.Thread(target=time.sleep, args=(60,)).start()
        time.sleep(60)
    """,
}


def ended(process: subprocess.Popen[str], number: signal.Signals) -> tuple[int, list[str], float]:
    """Send a signal. Returns the exit code, the lines that followed on stderr, and the seconds until the end."""
    began = time.monotonic()
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    return process.returncode, errors.strip().splitlines(), time.monotonic() - began


@pytest.mark.parametrize("what", WORK)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_whatever_it_does_it_ends_in_one_line(number: signal.Signals, what: str) -> None:
    # given
    work = textwrap.indent(textwrap.dedent(WORK[what]), "    ")
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(work=work)], cwd=ROOT, stdout=-1, stderr=-1, text=True
    )
    assert process.stdout and process.stdout.readline() == "working\n"
    # when
    code, lines, seconds = ended(process, number)
    # then
    assert code == 128 + number
    assert len(lines) == 1 and "type the same command to go on" in lines[0]
    assert seconds < 5
