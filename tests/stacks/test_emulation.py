"""The cloud on this machine: real processes, which are killed, started again and stopped."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from stacks import emulation
from stacks.programs import DetachedProgram, StartFailed
from tabular.errors import UserError
from tests.support.emulated_buckets import ask, download, kill, pids, upload
from tests.support.ports import free_port
from tests.support.project import ROOT, Project

UP = (sys.executable, "-m", "stacks.emulation", "up")
DOWN = (sys.executable, "-m", "stacks.emulation", "down")


def session(leader: int) -> list[int]:
    return [
        process.pid
        for process in psutil.process_iter()
        if process.status() != psutil.STATUS_ZOMBIE and os.getsid(process.pid) == leader
    ]


class Cloud:
    """A copy of the repository in which `up` has been called from the command line."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.folder = project.path / ".cache" / "cloud"
        self.gcs, self.mlflow = free_port(), free_port()
        self.variables = {
            "STACKHOUSE_GCS_PORT": str(self.gcs),
            "STACKHOUSE_MLFLOW_PORT": str(self.mlflow),
            "STACKHOUSE_EMULATED_BUCKET": "bucket",
        }
        self.printed = project.execute(*UP, env=self.variables)

    def up(self) -> list[str]:
        return emulation.up(self.folder, self.gcs, self.mlflow, "bucket")


@pytest.fixture(scope="module")
def cloud(new_project: Callable[[], Project]) -> Iterator[Cloud]:
    made = Cloud(new_project())
    yield made
    emulation.down(made.folder)


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[DetachedProgram]:
    """An emulator of the test's own, not started yet."""
    program = emulation.emulator(tmp_path / "cloud", free_port())
    yield program
    program.stop()


@pytest.mark.slow
def test_up_starts_both_and_says_what_to_type_next(cloud: Cloud) -> None:
    # then: what was printed
    assert cloud.printed.returncode == 0, cloud.printed.stderr
    assert cloud.printed.stdout.splitlines() == [
        f"gcs: started on http://127.0.0.1:{cloud.gcs}, bucket gs://bucket",
        f"mlflow: started on http://127.0.0.1:{cloud.mlflow}",
        "next: python run.py stacks apply gcs-emulated",
        "      zenml stack set gcs-emulated",
    ]

    # then: both work, and MLflow hands artifacts on to a folder
    upload(cloud.gcs, "file", b"content")
    assert download(cloud.gcs, "file") == b"content"
    status, _ = ask(
        cloud.mlflow,
        "POST",
        "/api/2.0/mlflow/experiments/create",
        json.dumps({"name": "first"}).encode(),
        **{"Content-Type": "application/json", "Origin": f"http://127.0.0.1:{cloud.mlflow}"},
    )
    assert status == 200
    assert ask(cloud.mlflow, "PUT", "/api/2.0/mlflow-artifacts/artifacts/note", b"a note")[0] == 200
    assert (cloud.folder / "mlflow-artifacts" / "note").read_bytes() == b"a note"
    assert (cloud.folder / "mlflow.db").is_file()
    assert {"gcs", "mlflow"} == set(pids(cloud.folder))


@pytest.mark.slow
def test_up_again_changes_nothing(cloud: Cloud) -> None:
    # given
    before = pids(cloud.folder)

    # when
    again = cloud.up()

    # then
    assert again == [
        f"gcs: already runs on http://127.0.0.1:{cloud.gcs}, bucket gs://bucket",
        f"mlflow: already runs on http://127.0.0.1:{cloud.mlflow}",
    ]
    assert pids(cloud.folder) == before


@pytest.mark.slow
def test_up_on_other_ports_than_those_in_use_is_refused(cloud: Cloud) -> None:
    # when
    refused = cloud.project.execute(*UP, env=cloud.variables | {"STACKHOUSE_GCS_PORT": str(free_port())})

    # then
    assert refused.returncode == 2
    assert refused.stderr == f"error: gcs already runs on port {cloud.gcs}; stop it first: make cloud-down\n"


@pytest.mark.slow
def test_up_starts_only_what_has_died(cloud: Cloud) -> None:
    # given
    upload(cloud.gcs, "kept", b"kept")
    before = pids(cloud.folder)
    kill(before["gcs"])
    assert set(pids(cloud.folder)) == {"mlflow"}

    # when
    lines = cloud.up()

    # then: with its objects
    after = pids(cloud.folder)
    assert "started" in lines[0]
    assert "already runs" in lines[1]
    assert after["mlflow"] == before["mlflow"]
    assert after["gcs"] != before["gcs"]
    assert download(cloud.gcs, "kept") == b"kept"


@pytest.mark.slow
def test_down_stops_both_and_their_children(cloud: Cloud) -> None:
    # given: whatever the other tests have left
    cloud.up()
    leaders = pids(cloud.folder)
    running = [pid for leader in leaders.values() for pid in session(leader)]
    assert len(running) > 2

    # when
    first, second = (cloud.project.execute(*DOWN) for _ in range(2))

    # then
    assert first.stdout.splitlines() == ["gcs: stopped", "mlflow: stopped"]
    assert second.stdout.splitlines() == ["nothing runs"]
    assert first.returncode == second.returncode == 0
    assert [pid for leader in leaders.values() for pid in session(leader)] == []
    assert pids(cloud.folder) == {}
    assert (cloud.folder / "mlflow.db").is_file()


@pytest.mark.parametrize("taken", ["gcs", "mlflow"])
def test_a_port_that_somebody_else_uses_is_named(taken: str, tmp_path: Path) -> None:
    # given
    ports = {"gcs": free_port(), "mlflow": free_port()}

    # when
    with socket.create_server(("127.0.0.1", ports[taken])), pytest.raises(UserError) as caught:
        emulation.up(tmp_path, ports["gcs"], ports["mlflow"], "bucket")

    # then: nothing was started
    said = str(caught.value)
    assert f"port {ports[taken]} cannot be used for {taken} (address already in use)" in said
    assert f"set STACKHOUSE_{taken.upper()}_PORT to another one" in said
    assert "\n" not in said
    assert pids(tmp_path) == {}


@pytest.mark.parametrize("value", ["http", "0", "65536", "-1"])
def test_a_port_that_is_none_is_a_users_mistake(value: str) -> None:
    # when
    environment = dict(os.environ) | {"STACKHOUSE_GCS_PORT": value}
    done = subprocess.run(UP, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)

    # then
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        f"error: STACKHOUSE_GCS_PORT: {value!r} is not a port; set it to a number from 1 to 65535"
    ]


def test_nothing_heavy_is_imported() -> None:
    # when
    code = "import sys, stacks.emulation; print([name for name in ('zenml', 'gcsfs', 'mlflow') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)

    # then
    assert done.stdout.strip() == "[]", done.stderr


def test_a_program_of_another_folder_is_left_alone(emulator: DetachedProgram, tmp_path: Path) -> None:
    # given
    other = emulation.emulator(tmp_path / "cloud2", free_port())
    other.start()
    before = other.running()

    # then
    try:
        assert before and before[1] == other.port
        assert emulator.running() is None
        assert not emulator.stop()
        emulator.start()
        assert emulator.running() not in (None, before)
        assert other.running() == before
    finally:
        assert other.stop()


def test_children_that_a_killed_process_left_are_ended(tmp_path: Path) -> None:
    # given: a program whose child holds the port, as MLflow's does; its first process is killed
    port = free_port()
    serve = f"{sys.executable} -m http.server --bind 127.0.0.1 {port}"
    program = DetachedProgram("two", tmp_path, port, "PORT", ("sh", "-c", f"{serve}; true"), health="/")
    program.start()
    running = program.running()
    assert running
    leader, _ = running
    kill(leader)
    assert program.running() is None
    assert ask(port, "GET", "/")[0] == 200

    # when
    program.start()

    # then
    assert session(leader) == []
    assert program.running() not in (None, running)
    assert ask(port, "GET", "/")[0] == 200
    assert program.stop()


def test_a_program_that_ignores_sigterm_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    monkeypatch.setattr("stacks.programs.SECONDS_TO_STOP", 0.5)
    port = free_port()
    serve = f"exec {sys.executable} -m http.server --bind 127.0.0.1 {port}"
    program = DetachedProgram("deaf", tmp_path, port, "PORT", ("sh", "-c", f"trap '' TERM; {serve}"), health="/")
    program.start()
    running = program.running()
    assert running

    # then
    assert program.stop()
    assert session(running[0]) == []


def test_a_program_that_does_not_come_up_shows_the_end_of_its_log(emulator: DetachedProgram) -> None:
    # given: a store that was damaged by hand, and the log of an earlier start
    objects = emulator.folder / "objects" / ".cloudstorage"
    objects.mkdir(parents=True)
    (objects / ".meta").write_text("{")
    (emulator.folder / "gcs.log").write_text("of an earlier start\n")

    # when
    with pytest.raises(StartFailed) as caught:
        emulator.start()

    # then
    first, *lines = str(caught.value).splitlines()
    assert first == f"gcs: it ended with exit code 1 before it answered; the end of {emulator.folder / 'gcs.log'}:"
    assert "JSONDecodeError" in lines[-1]
    assert "of an earlier start" not in lines
    assert emulator.running() is None


def test_a_program_that_never_answers_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    monkeypatch.setattr("stacks.programs.SECONDS_TO_START", 1.0)
    port = free_port()
    program = DetachedProgram("mute", tmp_path, port, "PORT", ("sh", "-c", "echo begun $$; sleep 60"), health="/")

    # when
    with pytest.raises(StartFailed, match="did not answer within 1 seconds") as caught:
        program.start()

    # then
    begun = str(caught.value).splitlines()[-1]
    assert session(int(begun.removeprefix("begun "))) == []
    assert program.running() is None
