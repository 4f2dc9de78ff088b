"""`models promote`: the gate, what overrules it, and what is written; nothing is written that was not to be."""

from collections.abc import Callable
from typing import Any

import pytest

from tabular.errors import UserError
from tests.support.registered import Registered, keep, registered
from tests.support.typed import ask, decision, judged, type_

PROMOTE = ("promote", "2", "--to", "champion")
FORCED = (*PROMOTE, "--force", "--reason", "I know better")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[Registered, Callable[[], None]]:
    """Version 1 is champion."""
    made = registered(tmp_path_factory.mktemp("promoting") / "registered")
    made.champion("1")
    return made, keep(made)


def files(made: Registered) -> dict[str, bytes]:
    """Of history and manifest."""
    return {str(path): path.read_bytes() for path in sorted((made.folder / "releases").rglob("*")) if path.is_file()}


def test_what_the_gate_promotes_becomes_champion_with_the_numbers_in_the_history(
    made: Registered, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    asked = judged(monkeypatch, decision("promote", "clearly better"))

    # when
    found = ask(made, *PROMOTE, "--reason", "spring release")

    # then
    assert asked == ["2"]
    assert found["moved"] == [{"alias": "champion", "before": "1", "after": "2"}]
    assert (found["changed"], found["revision"], found["forced"], found["why"]) == (True, 2, False, "spring release")
    assert made.aliases() == {"champion": "2"}
    assert made.releases.written_manifest().champion.version == "2"
    entry = made.releases.history.read()[-1]
    assert entry.change.gate == decision("promote", "clearly better") and entry.changed.why == "spring release"


@pytest.mark.parametrize("verdict", ["keep", "reject"])
def test_what_the_gate_does_not_promote_is_refused_with_its_reasons(
    made: Registered, monkeypatch: pytest.MonkeyPatch, verdict: str
) -> None:
    # given
    judged(monkeypatch, decision(verdict, "too close to call", "not promotable: it was trained on the sample"))
    before = files(made)

    # when
    typed = type_(made, *PROMOTE, "--output", "json")

    # then
    assert typed.code == 1
    assert "refused: too close to call" in typed.errors and "it was trained on the sample" in typed.errors
    assert "promote 2 --to champion --force --reason" in typed.errors
    assert (typed.document["changed"], len(typed.document["refused"])) == (False, 2)
    assert typed.document["gate"]["difference"]["low"] == 0.5
    assert (made.aliases(), files(made)) == ({"champion": "1"}, before)


def test_force_overrules_the_gate_and_is_recorded(made: Registered, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    judged(monkeypatch, decision("reject", "clearly worse"))

    # when
    found = ask(made, *FORCED)

    # then
    assert (found["forced"], found["overruled"], made.aliases()) == (True, ["clearly worse"], {"champion": "2"})
    change = made.releases.history.read()[-1].change
    assert (change.forced, change.overruled) == (True, ("clearly worse",))
    assert "forced" in type_(made, "history").output


def test_force_of_a_version_that_cannot_be_judged_records_why(
    made: Registered, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    judged(monkeypatch, UserError("version 2 has no model_config.yaml; train it again"))

    # then
    assert "train it again" in type_(made, *PROMOTE).errors and made.aliases() == {"champion": "1"}
    found = ask(made, *FORCED)
    assert (found["forced"], found["gate"]) == (True, None)
    assert found["overruled"] == ["version 2 has no model_config.yaml; train it again"]


def test_force_where_the_gate_agrees_is_no_force(made: Registered, monkeypatch: pytest.MonkeyPatch) -> None:
    judged(monkeypatch, decision("promote"))
    assert ask(made, *FORCED)["forced"] is False


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((*PROMOTE, "--force"), "--force needs a reason"),
        ((*PROMOTE, "--force", "--reason", "  "), "--force needs a reason"),
        (("promote", "2", "--to", "staging", "--force", "--reason", "x"), "leave it out with --to staging"),
        (("promote", "2", "--to", "staging", "--traffic", "0.1"), "share of the traffic is for a challenger"),
        (("promote", "1", "--to", "challenger"), "version 1 is the champion and cannot challenge itself"),
    ],
)
def test_options_that_do_not_fit_are_mistakes(made: Registered, arguments: Any, says: str) -> None:
    typed = type_(made, *arguments)
    assert typed.code == 2 and says in typed.errors and made.aliases() == {"champion": "1"}


def test_a_dry_run_shows_the_verdict_and_writes_nothing(made: Registered, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    judged(monkeypatch, decision("promote", "clearly better"))
    before = files(made)

    # when
    found, typed = ask(made, *PROMOTE, "--dry-run"), type_(made, *PROMOTE, "--dry-run")

    # then
    assert (found["dry_run"], found["changed"], found["revision"]) == (True, False, 1)
    assert found["moved"] == [{"alias": "champion", "before": "1", "after": "2"}]
    assert "clearly better" in typed.output and "nothing was written" in typed.output
    assert "wmape 19.5 against 20.5 of version 1, better by 1 (0.5 to 1.5)" in typed.output
    assert (made.aliases(), files(made)) == ({"champion": "1"}, before)


def test_a_dry_run_of_what_would_be_refused_ends_like_the_refusal(
    made: Registered, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged(monkeypatch, decision("keep"))
    assert type_(made, *PROMOTE, "--dry-run").code == 1


def test_who_is_champion_already_is_not_judged_again(made: Registered, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = judged(monkeypatch, decision("keep"))
    found = ask(made, "promote", "@champion", "--to", "champion")
    assert (found["changed"], found["moved"], asked) == (False, [], [])
    assert len(made.releases.history.read()) == 1


def test_a_challenger_gets_its_share_without_a_judgement(made: Registered, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = judged(monkeypatch, decision("reject"))
    found = ask(made, "promote", "newest", "--to", "challenger", "--traffic", "0.1")
    manifest = made.releases.written_manifest()
    assert (found["traffic"], asked) == ({"champion": 0.9, "challenger": 0.1}, [])
    assert manifest.challenger is not None
    assert (manifest.challenger.version, manifest.traffic.challenger) == ("3", 0.1)


def test_an_archived_version_is_not_promoted(made: Registered) -> None:
    ask(made, "archive", "2")
    typed = type_(made, *PROMOTE)
    assert typed.code == 2 and "`python run.py models tag 2 archived=false` brings it back" in typed.errors


def test_a_damaged_bundle_is_not_released(made: Registered, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    judged(monkeypatch, decision("promote"))
    (made.folder / "bundles" / "2" / "bundle.json").write_text("{}")

    # when
    typed = type_(made, *PROMOTE)

    # then
    assert typed.code == 2 and "the bundle of version 2 was changed" in typed.errors
    assert made.aliases() == {"champion": "1"} and len(made.releases.history.read()) == 1
