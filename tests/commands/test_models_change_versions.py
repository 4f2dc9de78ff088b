"""The other changing verbs of `models`, and what becomes of a change that somebody or something interferes with."""

from collections.abc import Callable
from typing import Any

import pytest
from mlflow.exceptions import MlflowException

from commands.models import planned_change
from registry import plans
from registry.releases import Releases
from tabular.storage.places import Unreachable
from tests.support.registered import Registered, keep, registered
from tests.support.typed import ask, type_


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[Registered, Callable[[], None]]:
    """Version 2 is champion, and 1 was."""
    made = registered(tmp_path_factory.mktemp("changing") / "registered")
    made.champion("1")
    made.champion("2")
    return made, keep(made)


def test_rollback_goes_to_the_champion_before(made: Registered) -> None:
    found = ask(made, "rollback", "--reason", "prices are off")
    assert (found["action"], found["version"], made.aliases()) == ("rollback", "1", {"champion": "1"})
    assert made.releases.written_manifest().changed.why == "prices are off"
    typed = type_(made, "rollback")
    assert typed.code == 2 and "there is no earlier champion" in typed.errors


def test_rollback_to_a_version_that_is_deleted_is_a_mistake(made: Registered) -> None:
    made.client.delete_model_version(made.name, "1")
    typed = type_(made, "rollback")
    assert typed.code == 2 and "houses has no version '1'; there are 3, 2" in typed.errors
    assert made.aliases() == {"champion": "2"}


def test_rollback_takes_an_archived_version_into_use_again(made: Registered) -> None:
    ask(made, "archive", "1")
    assert made.tags("1")["archived"] == "true"
    assert ask(made, "rollback", "--to", "1")["tags"] == {"archived": "false"}
    assert made.tags("1")["archived"] == "false"


def test_alias_and_tag_and_archive_are_in_the_history(made: Registered) -> None:
    ask(made, "alias", "summer", "3")
    ask(made, "tag", "3", "owner=ann", "note=a = b")
    assert made.aliases() == {"champion": "2", "summer": "3"}
    assert (made.tags("3")["owner"], made.tags("3")["note"]) == ("ann", "a = b")
    assert ask(made, "tag", "3", "owner=ann")["changed"] is False
    assert ask(made, "archive", "1")["tags"] == {"archived": "true"}
    assert ask(made, "archive", "1")["changed"] is False
    assert ask(made, "tag", "1", "archived=false")["changed"] is True
    actions = [entry.change.action for entry in made.releases.history.read()]
    assert actions == ["promote", "promote", "alias", "tag", "archive", "tag"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("alias", "champion", "3"), "promote 3 --to champion"),
        (("alias", "Latest", "3"), "reads as a version"),
        (("alias", "v3", "3"), "reads as a version"),
        (("alias", "7", "3"), "reads as a version"),
        (("alias", "a b", "3"), "letters, digits, - and _"),
        (("tag", "3", "owner"), "write KEY=VALUE"),
        (("tag", "3", "a:b=c"), "write KEY=VALUE"),
        (("tag", "3", "bundle_sha256=0"), "is not changed by hand"),
        (("tag", "3", "metric.wmape=0"), "is not changed by hand"),
        (("tag", "3", "archived=true"), "models archive V"),
        (("archive", "champion"), "has the alias champion and cannot be archived"),
        (("rollback", "--to", "3"), "version 3 never was champion"),
    ],
)
def test_what_cannot_be_is_a_mistake_and_leaves_no_entry(made: Registered, arguments: Any, says: str) -> None:
    typed = type_(made, *arguments)
    assert typed.code == 2 and says in typed.errors
    assert len(made.releases.history.read()) == 2


@pytest.mark.parametrize(
    "arguments", [("rollback",), ("alias", "summer", "3"), ("tag", "3", "owner=ann"), ("archive", "1")]
)
def test_a_dry_run_of_any_verb_writes_nothing(made: Registered, arguments: Any) -> None:
    aliases, tags = made.aliases(), [made.tags(number) for number in made.numbers]
    found = ask(made, *arguments, "--dry-run")
    assert (found["dry_run"], found["changed"]) == (True, False)
    assert (made.aliases(), [made.tags(number) for number in made.numbers]) == (aliases, tags)
    assert len(made.releases.history.read()) == 2


def test_a_person_is_asked_and_may_say_no(made: Registered, monkeypatch: pytest.MonkeyPatch) -> None:
    # given: a terminal, at which somebody answers as told
    asked: list[str] = []

    class Terminal:
        stdin = type("Input", (), {"isatty": staticmethod(lambda: True)})
        exit = staticmethod(planned_change.sys.exit)

    monkeypatch.setattr(planned_change, "sys", Terminal)
    for answer in (False, True):
        monkeypatch.setattr(planned_change.click, "confirm", lambda text, err, said=answer: asked.append(text) or said)

        # when
        typed = type_(made, "rollback")

        # then
        assert (typed.code, made.aliases()["champion"]) == ((0, "1") if answer else (1, "2"))
    assert asked == ["rollback version 1 of houses; champion 2 -> 1: go on?"] * 2
    assert type_(made, "rollback", "--to", "2", "--yes").code == 0 and len(asked) == 2


def test_who_is_overtaken_is_told_by_whom(made: Registered, monkeypatch: pytest.MonkeyPatch) -> None:
    # given: somebody gives version 3 an alias while this command thinks
    real = plans.rollback

    def slow(*arguments: Any) -> Any:
        plan = real(*arguments)
        other = made.releases
        other.change(plans.alias(other.settle(), "summer", "3"), "quick", other.settle())  # type: ignore[arg-type]
        return plan

    monkeypatch.setattr(plans, "rollback", slow)

    # when
    typed = type_(made, "rollback")

    # then
    assert typed.code == 1 and typed.output == ""
    assert "made revision 3 (alias) of houses meanwhile; nothing of yours was done" in typed.errors
    assert made.aliases() == {"champion": "2", "summer": "3"}


def test_who_is_overtaken_by_the_very_same_change_is_told_so_too(
    made: Registered, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: the same person types the same rollback elsewhere while this command thinks
    real = plans.rollback

    def slow(*arguments: Any) -> Any:
        plan = real(*arguments)
        other = made.releases
        other.change(plan, "quick", other.settle())
        return plan

    monkeypatch.setattr(plans, "rollback", slow)

    # when
    typed = type_(made, "rollback")

    # then: it is not taken for a change of its own that was interrupted
    assert typed.code == 1 and "not completed" not in typed.errors
    assert "made revision 3 (rollback) of houses meanwhile; nothing of yours was done" in typed.errors


@pytest.mark.parametrize("fails", ["_apply", "write_manifest"])
def test_an_mlflow_that_goes_away_after_the_decision_is_one_line_and_the_next_command_completes_it(
    made: Registered, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    # given
    def gone(*_: Any) -> None:
        raise MlflowException("API request failed\nwith connection refused")

    with monkeypatch.context() as patch:
        patch.setattr(Releases, fails, gone)

        # when
        typed = type_(made, "rollback")

    # then
    assert (typed.code, typed.output) == (1, "")
    [line] = [line for line in typed.errors.splitlines() if line.startswith("error:")]
    assert "revision 3 is decided and not completed (API request failed with connection refused)" in line
    assert "the next `python run.py models` command completes it" in line

    # when
    typed = type_(made, "release", "show")

    # then
    assert (
        "completed revision 3 (rollback of version 1 by " in typed.errors
        and "which had been interrupted" in typed.errors
    )
    assert made.aliases() == {"champion": "1"} and made.releases.written_manifest().champion.version == "1"
    assert "completed" not in type_(made, "history").errors


def test_a_store_that_is_gone_is_one_line(made: Registered, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: Any) -> None:
        raise Unreachable("gs://models: no answer in time")

    monkeypatch.setattr(Releases, "settle", gone)
    typed = type_(made, "rollback")
    assert (typed.code, typed.output, typed.errors) == (1, "", "error: gs://models: no answer in time\n")


def test_an_mlflow_that_is_gone_before_the_decision_is_one_line(
    made: Registered, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: Any) -> None:
        raise MlflowException("connection refused")

    monkeypatch.setattr(Releases, "settle", gone)
    typed = type_(made, "rollback")
    assert typed.code == 1 and "MLflow does not answer as it should (connection refused)" in typed.errors
    assert "nothing new was decided" in typed.errors and typed.output == ""
