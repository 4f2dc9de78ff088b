"""Each mistake gets one clear line and exit code 2; a mistake in the config costs no heavy import."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from tests.support.runs import QUICK, Repository, overrides

FORBID = """
import sys

HEAVY = {"zenml", "mlflow", "sklearn", "pandas", "numpy", "optuna", "matplotlib"}

class Forbid:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in HEAVY:
            raise AssertionError(f"{name} is imported before the config is valid")

sys.meta_path.insert(0, Forbid())
"""

TYPED = """
import io, json, os, runpy, sys, tempfile, traceback

def typed(arguments):
    "One command in this process, with what it writes to its two streams, from wherever it is written."
    sys.argv = ["run.py", *arguments]
    kept = [os.dup(1), os.dup(2)]
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        os.dup2(output.fileno(), 1)
        os.dup2(errors.fileno(), 2)
        try:
            runpy.run_path("run.py", run_name="__main__")
            code = 0
        except SystemExit as end:
            code = end.code or 0
        except BaseException:
            traceback.print_exc()
            code = 1
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for number, handle in enumerate(kept, start=1):
                os.dup2(handle, number)
                os.close(handle)
        output.seek(0)
        errors.seek(0)
        return {"code": code, "output": output.read(), "errors": errors.read()}

sys.path.insert(0, os.getcwd())
print(json.dumps([typed(arguments) for arguments in json.loads(sys.argv[1])]))
"""
"""ZenML takes ten seconds to start, so one process plays the commands that come to it one after the other."""


@dataclass(frozen=True)
class Mistake:
    """What is typed, and what the one line must say."""

    settings: tuple[str, ...]
    says: tuple[str, ...]
    options: tuple[str, ...] = ()


LIGHT = {
    "unknown key": Mistake(("search.trails=3",), ("'search.trails'", "nearest", "'search.trials'")),
    "wrong type": Mistake(("search.trials=many",), ("'search.trials'", "integer", "'many'")),
    "value out of range": Mistake(("split.held_out=1.5",), ("'split.held_out'", "less than 1")),
    "no key=value": Mistake(("search.trials",), ("--set search.trials", "key=value")),
    "unknown metric": Mistake(("gate.metric=accuracy",), ("gate.metric", "'accuracy'", "wmape")),
    "model name": Mistake(("model.name=it's",), ("'model.name'", '"it\'s"', "letters")),
    "only and until": Mistake((), ("--only", "--until"), ("--only", "gate", "--until", "gate")),
    "no config": Mistake((), ("no file", "nowhere.yaml"), ("--config", "nowhere.yaml")),
}

HEAVY = {
    # Nothing has run yet: the first command of the process looks for an artifact that no run has made.
    "missing artifact": Mistake(
        ("data.path={good}",), ("'evaluate'", "'model'", "--until fit"), ("--only", "evaluate")
    ),
    "unknown step": Mistake(("data.path={good}",), ("'evaluat'", "nearest", "'evaluate'"), ("--only", "evaluat")),
    "missing file": Mistake(("data.path={folder}/nowhere.csv",), ("data.path", "nowhere.csv", "does not exist")),
    "wrong sha256": Mistake(("data.path={good}", f"data.sha256={'ab' * 32}"), ("wrong sha256", "good.csv", "ab" * 32)),
    "unknown algorithm": Mistake(("data.path={good}", "selection.algorithms=[lightbgm]"), ("lightbgm", "lightgbm")),
    "a sweep without W&B": Mistake(
        ("data.path={good}", "search.backend=wandb"), ("search.backend: wandb", "W&B tracker", "search.backend: optuna")
    ),
    "missing target": Mistake(("data.path={good}", "target.column=price"), ("target.column", "'price'", "good.csv")),
    "text target": Mistake(("data.path={text_target}",), ("'median_house_value'", "text", "regression")),
    "empty column": Mistake(("data.path={empty_column}",), ("no value at all", "'total_rooms'")),
    "one row": Mistake(("data.path={one_row}",), ("1 row", "at least 2")),
    "duplicate columns": Mistake(("data.path={duplicate_columns}",), ("more than once", "'total_rooms'")),
    "empty file": Mistake(("data.path={empty}",), ("empty.csv is empty",)),
    "no CSV": Mistake(("data.path={no_csv}",), ("no_csv.csv is not a CSV",)),
    "broken rules": Mistake(("data.path={broken}",), ("2 rule(s)", "'median_income'", "'ocean_proximity'")),
}


def one_line(errors: str) -> str:
    """The one line that starts with `error:`, in an output without a trace."""
    [line] = [line for line in errors.splitlines() if line.startswith("error:")]
    assert "Traceback" not in errors
    return line


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A copy in which nothing has run."""
    return Repository.copy(tmp_path_factory.mktemp("mistakes"))


@pytest.fixture(scope="module")
def tables(table: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A good table, and one for each thing that can be wrong with it."""
    folder = tmp_path_factory.mktemp("tables")
    good = pd.read_csv(table)
    made = {
        "good": good,
        "text_target": good.assign(median_house_value="dear"),
        "empty_column": good.assign(total_rooms=float("nan")),
        "one_row": good.head(1),
        "duplicate_columns": good.rename(columns={"households": "total_rooms"}),
        "broken": good.assign(median_income=good["median_income"] + 20, ocean_proximity="MOON"),
    }
    files = {name: folder / f"{name}.csv" for name in (*made, "empty", "no_csv")}
    for name, rows in made.items():
        rows.to_csv(files[name], index=False)
    files["empty"].write_bytes(b"")
    files["no_csv"].write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" * 9)
    return files | {"folder": folder}


@pytest.fixture(scope="module")
def played(copy: Repository, tables: dict[str, Path]) -> dict[str, dict[str, str | int]]:
    """What each of the heavy mistakes came to."""
    commands = [
        [*mistake.options, *overrides(*(text.format(**tables) for text in mistake.settings), *_small(mistake))]
        for mistake in HEAVY.values()
    ]
    done = copy.execute(sys.executable, "-c", TYPED, json.dumps(commands))
    assert done.returncode == 0, done.stderr
    return dict(zip(HEAVY, json.loads(done.stdout.splitlines()[-1]), strict=True))


@pytest.mark.parametrize("name", LIGHT)
def test_a_mistake_in_the_config_costs_no_heavy_import(copy: Repository, name: str, tmp_path: Path) -> None:
    # given: a Python that cannot import anything heavy
    mistake = LIGHT[name]
    (tmp_path / "sitecustomize.py").write_text(FORBID)

    # when
    done = copy.run(*mistake.options, *overrides(*mistake.settings), env={"PYTHONPATH": str(tmp_path)})

    # then
    assert done.returncode == 2, done.stderr
    line = one_line(done.stderr)
    assert all(words in line for words in mistake.says), line
    assert done.stdout == ""


@pytest.mark.parametrize("option", ["--help", "--schema"])
def test_questions_cost_no_heavy_import(copy: Repository, option: str, tmp_path: Path) -> None:
    # given
    (tmp_path / "sitecustomize.py").write_text(FORBID)

    # when
    done = copy.run(option, env={"PYTHONPATH": str(tmp_path)})

    # then
    assert done.returncode == 0, done.stderr
    if option == "--help":
        options = ("--config", "--set", "--only", "--until", "--no-cache", "--dry-run", "--schema")
        assert all(name in done.stdout for name in options)
    else:
        assert set(json.loads(done.stdout)["properties"]) >= {"model", "parameters"}


def test_nothing_is_written_before_the_config_is_valid(copy: Repository, tmp_path: Path) -> None:
    # given
    before = sorted(copy.path.rglob("*.yaml"))

    # when
    copy.run("--set", "search.trails=3")

    # then
    assert sorted(copy.path.rglob("*.yaml")) == before
    assert not (copy.path / "reports").exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", HEAVY)
def test_a_mistake_gets_one_line(played: dict[str, dict[str, str | int]], name: str) -> None:
    result = played[name]
    errors = str(result["errors"])
    assert result["code"] == 2, errors + str(result["output"])
    line = one_line(errors)
    assert all(words in line for words in HEAVY[name].says), line
    assert "Traceback" not in str(result["output"])


def _small(mistake: Mistake) -> tuple[str, ...]:
    """The overrides that make a run small, without those that the mistake is about."""
    ours = {text.partition("=")[0] for text in mistake.settings}
    return tuple(text for text in QUICK if text.partition("=")[0] not in ours)
