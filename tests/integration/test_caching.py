"""What runs again, and what does not."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.runs import Clones, Trained

pytestmark = pytest.mark.slow

BEFORE_SEARCH = {"ingest", "validate", "split", "impute", "features", "select"}
FROM_SEARCH = {"search", "fit", "evaluate", "gate", "register", "package", "promote", "track_local_mlflow"}


@contextmanager
def edited(file: Path, addition: str) -> Iterator[None]:
    """The file with more lines at its end, for a while."""
    before = file.read_bytes()
    file.write_bytes(before + addition.encode())
    try:
        yield
    finally:
        file.write_bytes(before)


def test_the_same_command_again_does_nothing(trained: Trained, clones: Clones) -> None:
    # given / when
    again = clones.first

    # then
    assert again["seconds"] == {}
    assert set(again["cached"]) == BEFORE_SEARCH | FROM_SEARCH
    assert clones.registered_after == clones.registered_before
    same = ("config_sha256", "data", "metrics", "parameters", "model", "artifacts")
    assert {key: again[key] for key in same} == {key: trained.summary[key] for key in same}
    assert again["run"] != trained.summary["run"]


def test_more_trials_run_the_search_and_what_follows(trained: Trained) -> None:
    # when
    more = trained.project.train(*trained.command, "--set", "search.trials=4")

    # then: nothing before the search, and after it whatever has other inputs now
    assert set(more["cached"]) >= BEFORE_SEARCH
    assert {"search", "register", "track_local_mlflow"} <= set(more["seconds"]) <= FROM_SEARCH
    # `fit` has none where the fourth trial is not the best one.
    assert ("fit" in more["cached"]) == (more["parameters"] == trained.summary["parameters"])

    # then: the search went on from where it was
    assert more["trials"]["started"] == 4
    assert more["trials"]["resumed"] == 3


def test_an_edited_helper_runs_the_step_that_uses_it(trained: Trained) -> None:
    # given
    helper = trained.project.path / "tabular" / "learning" / "evaluation.py"

    # when: a comment and a statement that changes nothing
    with edited(helper, "\n# Looked at again.\n_LOOKED_AT = True\n"):
        summary = trained.project.train(*trained.command, "--until", "gate")

    # then: the step runs, and because it finds the same, the next one does not
    assert set(summary["seconds"]) == {"evaluate"}
    assert set(summary["cached"]) == (BEFORE_SEARCH | {"search", "fit", "gate"})


def test_a_changed_file_is_read_again(trained: Trained, table: Path) -> None:
    # given
    last_row = table.read_text().splitlines()[-1]

    # when: one row more, under the same name
    with edited(table, f"{last_row}\n"):
        summary = trained.project.train(*trained.command, "--until", "validate")

    # then
    assert set(summary["seconds"]) == {"ingest", "validate"} and summary["cached"] == []
    assert summary["data"]["rows"] == 1501
    assert summary["data"]["sha256"] != trained.summary["data"]["sha256"]


def test_two_clones_share_one_configuration(trained: Trained, clones: Clones) -> None:
    # given: a second clone beside the first, used by the same person, and then the first one again
    first, second = clones.first, clones.second

    # then: each has its stack and its reports, and both see the same artifacts and versions
    assert second["stack"] == first["stack"] == "local"
    assert second["run"] != first["run"]
    for summary in (first, second):
        same = ("name", "version", "alias", "model_sha256", "run_id")
        assert [summary["model"][key] for key in same] == [trained.summary["model"][key] for key in same]
        assert summary["artifacts"] == trained.summary["artifacts"]
    assert clones.registered_after == clones.registered_before
