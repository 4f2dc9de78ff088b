"""A cloud on this machine: a bucket (gcp-storage-emulator) and an MLflow server, on loopback and kept on disk.

`python -m stacks.emulation up` starts the programs that do not run yet, `python -m stacks.emulation down` ends them.
"""

import os
import sys
from pathlib import Path

import click
from dotenv import load_dotenv

from stacks.programs import HOST, DetachedProgram, StartFailed, request
from tabular.errors import UserError
from tabular.storage.repository import ROOT

FOLDER = ROOT / ".cache" / "cloud"
GCS_PORT = ("STACKHOUSE_GCS_PORT", 9024)
MLFLOW_PORT = ("STACKHOUSE_MLFLOW_PORT", 5024)
BUCKET = ("STACKHOUSE_EMULATED_BUCKET", "stackhouse")


def emulator(folder: Path, port: int = GCS_PORT[1]) -> DetachedProgram:
    """Google Cloud Storage's JSON API; buckets and objects are kept in `folder/objects`."""
    folder = folder.resolve()
    launcher = str(Path(__file__).with_name("emulated_bucket.py"))
    command = (sys.executable, "-P", launcher, str(port), str(folder / "objects"))
    return DetachedProgram("gcs", folder, port, GCS_PORT[0], command, health="/")


def mlflow_server(folder: Path, port: int = MLFLOW_PORT[1]) -> DetachedProgram:
    """An MLflow server with a SQLite database, which also stores and serves the artifacts."""
    folder = folder.resolve()
    command = (
        *(sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(port), "--workers", "1"),
        *("--backend-store-uri", f"sqlite:///{folder}/mlflow.db"),
        *("--serve-artifacts", "--artifacts-destination", str(folder / "mlflow-artifacts")),
    )
    # Job execution is for the evaluation of language models, and takes eight more processes.
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    return DetachedProgram("mlflow", folder, port, MLFLOW_PORT[0], command, health="/health", environment=quiet)


def up(folder: Path, gcs_port: int, mlflow_port: int, bucket: str) -> list[str]:
    """Start the programs that do not run yet, and make the bucket if it is missing.

    Returns:
        A line for each program: its address, and whether this call started it.

    Raises:
        UserError: a port is taken, or the programs already run on other ports.
        StartFailed: a program did not come up; the programs that this call started are stopped again.
    """
    programs = (emulator(folder, gcs_port), mlflow_server(folder, mlflow_port))
    missing = []
    for program in programs:
        if (running := program.running()) is None:
            missing.append(program)
        elif running[1] != program.port:
            raise UserError(f"{program.name} already runs on port {running[1]}; stop it first: make cloud-down")
    for program in missing:
        program.clear()  # both, before one is started
    try:
        for program in missing:
            program.start()
        make_bucket(gcs_port, bucket)
    except BaseException:
        for program in missing:
            program.stop()
        raise
    return [
        f"{program.name}: {'started' if program in missing else 'already runs'} on {program.url}"
        + (f", bucket gs://{bucket}" if program.name == "gcs" else "")
        for program in programs
    ]


def make_bucket(port: int, bucket: str) -> None:
    """Make a bucket that does not keep deleted objects; by default the emulator keeps them for a week, as Google does.

    Raises:
        StartFailed: the emulator refuses.
    """
    status = request(port, "POST", "/storage/v1/b", {"name": bucket})
    if status == 200:
        policy = {"softDeletePolicy": {"retentionDurationSeconds": "0"}}
        status = request(port, "PATCH", f"/storage/v1/b/{bucket}", policy)
    if status not in (200, 409):
        raise StartFailed(f"gcs: the emulator refused the bucket {bucket} (HTTP {status})")


def down(folder: Path) -> list[str]:
    """Stop the programs and their children; their data stays. Returns the names of those that were running."""
    return [program.name for program in (emulator(folder), mlflow_server(folder)) if program.stop()]


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
