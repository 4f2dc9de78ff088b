"""A copy of the repository to run programs in, and the environment that keeps tests away from a person's own things."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PERSONAL = ("ZENML_", "BENTOML_", "MLFLOW_", "WANDB_")


def isolate(environment: MutableMapping[str, str], folder: Path) -> None:
    """Point ZenML and BentoML at a folder, and take out every variable that could lead them anywhere else.

    Args:
        environment: changed in place.
        folder: the folder of their stores; the first program that writes there makes it.
    """
    for name in [name for name in environment if name.startswith(PERSONAL)]:
        del environment[name]
    environment.update(
        {
            "ZENML_CONFIG_PATH": str(folder / "zenml"),
            "ZENML_ANALYTICS_OPT_IN": "false",
            "ZENML_AUTO_OPEN_DASHBOARD": "false",
            "ZENML_ENABLE_RICH_TRACEBACK": "false",
            "BENTOML_HOME": str(folder / "bentoml"),
            "BENTOML_DO_NOT_TRACK": "True",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "1",
            "STACKHOUSE_CACHE": str(folder / "service"),
            "WANDB_MODE": "offline",
            "WANDB_DATA_DIR": str(folder / "wandb"),
            "WANDB_CACHE_DIR": str(folder / "wandb"),
            "WANDB_CONFIG_DIR": str(folder / "wandb"),
            "MPLBACKEND": "Agg",
        }
    )


@dataclass(frozen=True)
class Project:
    """A copy of the repository, outside git and never initialised, with ZenML and BentoML stores of its own.

    Programs run in it as a person would start them: from its folder, in another process, with this Python.
    """

    path: Path
    """The copy."""
    home: Path
    """Folder that replaces a person's own folders: `home/zenml` and `home/bentoml`."""
    _started: list[subprocess.Popen[str]] = field(default_factory=list, repr=False)

    @classmethod
    def copy(cls, folder: Path) -> "Project":
        """Copy what git would take, tests included, to `folder/project`.

        Args:
            folder: an empty folder.
        """
        lines = [line.rstrip("/") for line in (ROOT / ".gitignore").read_text().split("\n") if line[:1] not in "# "]
        anywhere = shutil.ignore_patterns(".git", *(line for line in lines if line and line[0] != "/"))
        at_the_top = {line[1:] for line in lines if line[:1] == "/"}

        def ignore(visited: str, names: list[str]) -> set[str]:
            return anywhere(visited, names) | (at_the_top & {*names} if Path(visited) == ROOT else set())

        return cls(shutil.copytree(ROOT, folder / "project", ignore=ignore), folder / "home")

    def run(
        self, *arguments: str, timeout: float = 900, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """`python run.py` with these arguments, to its end. The exit code is not checked.

        Args:
            arguments: such as `"--set", "search.trials=2"`.
            timeout: seconds.
            env: variables on top of the isolated environment.

        Raises:
            subprocess.TimeoutExpired: it took longer, and was killed; a note holds what it had printed.
        """
        return self.execute(sys.executable, "run.py", *arguments, timeout=timeout, env=env)

    def zenml(
        self, *arguments: str, timeout: float = 300, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """The `zenml` command, such as `zenml("stack", "set", "default")`; otherwise like `run`."""
        return self.execute(str(Path(sys.executable).with_name("zenml")), *arguments, timeout=timeout, env=env)

    def execute(
        self, *command: str, timeout: float = 300, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Any command, started in the copy; otherwise like `run`."""
        process = self.start(*command, env=env)
        try:
            output, errors = process.communicate(timeout=timeout)
        except BaseException as error:
            _kill(process)
            error.add_note("\n".join(process.communicate()))
            raise
        return subprocess.CompletedProcess(command, process.returncode, output, errors)

    def start(self, *command: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Any command, left running: for a test that stops it midway. What still runs after the test is killed.

        It leads a process group of its own, so that `os.killpg(process.pid, signal.SIGKILL)` also ends its children.
        """
        environment = dict(os.environ)
        isolate(environment, self.home)
        process = subprocess.Popen(
            command,
            cwd=self.path,
            env=environment | dict(env or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._started.append(process)
        return process

    def stop(self) -> None:
        """Kill what was started and still runs."""
        for process in self._started:
            if process.poll() is None:
                _kill(process)
            if process.stdout and process.stderr:
                process.stdout.close()
                process.stderr.close()


def _kill(process: subprocess.Popen[str]) -> None:
    """End a process and its children at once."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
