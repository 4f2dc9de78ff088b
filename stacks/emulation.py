"""A cloud on this machine: a bucket (gcp-storage-emulator) and an MLflow server, both on loopback, both kept on disk.

`python -m stacks.emulation up` starts what does not run yet, `python -m stacks.emulation down` ends it.
"""

import os
import sys
from pathlib import Path

import click
from dotenv import load_dotenv

from stacks.programs import HOST, Program, StartFailed, noted_in, request, running, stop
from tabular.errors import UserError
from tabular.storage.repository import ROOT

FOLDER = ROOT / ".cache" / "cloud"
GCS_PORT = ("STACKHOUSE_GCS_PORT", 9024)
MLFLOW_PORT = ("STACKHOUSE_MLFLOW_PORT", 5024)
BUCKET = ("STACKHOUSE_EMULATED_BUCKET", "stackhouse")


def emulator(folder: Path, port: int) -> Program:
    """Google Cloud Storage's JSON API; buckets and objects lie in `folder/objects`.

    Args:
        folder: shared with the other program.
        port: on loopback.
    """
    folder = folder.resolve()
    launcher = str(Path(__file__).with_name("emulated_bucket.py"))
    command = (sys.executable, "-P", launcher, str(port), str(folder / "objects"))
    return Program("gcs", folder, port, GCS_PORT[0], command, health="/")


def mlflow_server(folder: Path, port: int) -> Program:
    """MLflow with a SQLite database, which also stores and hands out the artifacts.

    Args:
        folder: shared with the other program.
        port: on loopback.
    """
    folder = folder.resolve()
    command = (
        *(sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(port), "--workers", "1"),
        *("--backend-store-uri", f"sqlite:///{folder}/mlflow.db"),
        *("--serve-artifacts", "--artifacts-destination", str(folder / "mlflow-artifacts")),
    )
    # Job execution is for evaluating language models, and takes eight more processes.
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    return Program("mlflow", folder, port, MLFLOW_PORT[0], command, health="/health", environment=quiet)


def up(folder: Path, gcs_port: int, mlflow_port: int, bucket: str) -> list[str]:
    """Start what does not run yet, and make the bucket if it is missing.

    Args:
        folder: where both keep their data, logs and pids.
        gcs_port: of the emulator.
        mlflow_port: of the MLflow server.
        bucket: its name.

    Returns:
        A line for each program: where it is, and whether it was started now.

    Raises:
        UserError: a port is taken, or the programs run on other ports.
        StartFailed: a program did not come up; what this call started is stopped again.
    """
    programs = (emulator(folder, gcs_port), mlflow_server(folder, mlflow_port))
    for program in programs:
        noted = noted_in(program.file) if program.pid() else None
        if noted and noted["port"] != program.port:
            raise UserError(f"{program.name} already runs on port {noted['port']:.0f}; stop it first: make cloud-down")
    missing = [program for program in programs if not program.pid()]
    for program in missing:
        program.clear()  # both, before one is started
    started: list[Program] = []
    try:
        for program in missing:
            started.append(program)
            program.start()
        make_bucket(gcs_port, bucket)
    except BaseException:
        for program in started:
            program.stop()
        raise
    return [
        f"{program.name}: {'started' if program in missing else 'already runs'} on {program.url}"
        + (f", bucket gs://{bucket}" if program.name == "gcs" else "")
        for program in programs
    ]


def make_bucket(port: int, bucket: str) -> None:
    """Make a bucket that forgets what is deleted; like Google's, the emulator's keep it for a week."""
    answer = request(port, "POST", "/storage/v1/b", {"name": bucket})
    if answer == 200:
        answer = request(
            port, "PATCH", f"/storage/v1/b/{bucket}", {"softDeletePolicy": {"retentionDurationSeconds": "0"}}
        )
    if answer not in (200, 409):
        raise StartFailed(f"gcs: the emulator refused the bucket {bucket} (HTTP {answer})")


def down(folder: Path) -> list[str]:
    """Stop what runs, children included; data stays.

    Args:
        folder: the one given to `up`.

    Returns:
        The names of what was stopped.
    """
    return [file.stem for file in sorted(folder.resolve().glob("*.json")) if stop(file)]


def pids(folder: Path) -> dict[str, int]:
    """The process of each program that runs, by name: `gcs` and `mlflow`.

    Args:
        folder: the one given to `up`.
    """
    found = {file.stem: running(file) for file in folder.resolve().glob("*.json")}
    return {name: pid for name, pid in found.items() if pid}


def _port(setting: tuple[str, int]) -> int:
    variable, default = setting
    value = os.environ.get(variable) or str(default)
    if not value.isdecimal() or not 0 < int(value) < 65536:
        raise UserError(f"{variable}: {value!r} is not a port; set it to a number from 1 to 65535")
    return int(value)


@click.command()
@click.argument("action", type=click.Choice(["up", "down"]))
def main(action: str) -> None:
    """Start or stop the cloud on this machine."""
    load_dotenv(ROOT / ".env")
    try:
        if action == "down":
            click.echo("\n".join(f"{name}: stopped" for name in down(FOLDER)) or "nothing runs")
            return
        lines = up(FOLDER, _port(GCS_PORT), _port(MLFLOW_PORT), os.environ.get(BUCKET[0]) or BUCKET[1])
    except (UserError, StartFailed) as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2 if isinstance(error, UserError) else 1)
    click.echo("\n".join(lines))
    click.echo("next: python run.py stacks apply gcs-emulated\n      zenml stack set gcs-emulated")


if __name__ == "__main__":
    main()
