"""What the looking verbs of `models` say of a registry, for people and as JSON."""

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from registry import configs, plans
from registry.history import ReleaseState
from registry.releases import Releases
from tests.support.registered import Registered, add, registered
from tests.support.typed import ask, type_, use

OTHER_ROWS = "e" * 64


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Registered:
    """Version 2 is champion, 3 was archived, 4 has the best error on other rows, 5 is the newest; nobody changes it."""
    made = registered(tmp_path_factory.mktemp("looking") / "registered", versions=3)
    for number in ("1", "2"):
        made.champion(number)
    releases = made.releases
    releases.change(plans.archive(releases.settle(), "3"), "too slow", releases.settle())
    add(made, wmape=5.0, held_out=OTHER_ROWS)
    add(made, wmape=19.8)
    return made


@pytest.fixture(autouse=True)
def active(made: Registered, monkeypatch: pytest.MonkeyPatch) -> None:
    use(made, monkeypatch)


def test_list_tells_of_each_model_how_many_versions_and_what_changed_last(made: Registered) -> None:
    [one] = ask(made, "list")["models"]
    assert (one["model"], one["versions"], one["champion"], one["challenger"]) == ("houses", 5, "2", None)
    assert (one["revision"], one["last_change"]["action"], one["last_change"]["why"]) == (3, "archive", "too slow")


def test_versions_hides_the_archived_ones_and_says_so(made: Registered) -> None:
    shown, everything = ask(made, "versions"), ask(made, "versions", "--all")
    assert [row["version"] for row in shown["versions"]] == ["5", "4", "2", "1"] and shown["archived_hidden"] == 1
    assert [row["version"] for row in everything["versions"]] == ["5", "4", "3", "2", "1"]
    assert [row["archived"] for row in everything["versions"]] == [False, False, True, False, False]
    champion = next(row for row in shown["versions"] if row["version"] == "2")
    assert (champion["aliases"], champion["metrics"]["wmape"], champion["packaged"]) == (["champion"], 19.5, True)
    assert "1 archived not shown" in type_(made, "versions").output


@pytest.mark.parametrize("reference", ["2", "champion", "@champion"])
def test_show_finds_a_version_by_number_and_alias(made: Registered, reference: str) -> None:
    found = ask(made, "show", reference)
    assert (found["version"], found["aliases"]) == ("2", ["champion"])
    assert found["config"]["metrics"]["wmape"] == {"value": 19.5, "low": 18.5, "high": 20.5}
    assert found["bundle"] == str(made.folder / "bundles" / "2")


def test_show_tells_people_everything(made: Registered) -> None:
    output = type_(made, "show", "champion").output
    said = ("houses version 2 (champion)", "num_leaves", "18.5 to 20.5", "houses.csv", "town", "bundles/2")
    assert [words for words in said if words not in output] == []
    assert output.rstrip().endswith("next: `python run.py models release show`")


def test_show_of_a_version_without_a_config_has_its_tags(made: Registered, monkeypatch: pytest.MonkeyPatch) -> None:
    # given: no such file in any run
    monkeypatch.setattr(configs, "FILE", "nowhere.yaml")

    # then
    assert ask(made, "show", "1")["config"] is None
    typed = type_(made, "show", "1")
    assert "train it again" in typed.output and "held_out_sha256" in typed.output


def test_best_compares_only_what_was_scored_on_the_same_rows_as_the_newest(made: Registered) -> None:
    found = ask(made, "best", "--metric", "wmape")
    assert (found["version"], found["value"], found["compared"]) == ("2", 19.5, ["5", "2", "1"])
    assert found["left_out"] == ["4"]
    assert (
        "left out: version 4, scored on other held-out rows than version 5"
        in type_(made, "best", "--metric", "wmape").output
    )


def test_best_knows_which_way_a_metric_is_better(made: Registered) -> None:
    assert ask(made, "best", "--metric", "r2")["version"] == "2"


def test_an_unknown_metric_gets_the_nearest_name(made: Registered) -> None:
    typed = type_(made, "best", "--metric", "wmpe")
    assert typed.code == 2 and "no metric 'wmpe'; the nearest is 'wmape'" in typed.errors


def test_history_tells_who_did_what_and_why(made: Registered) -> None:
    entries = ask(made, "history")["entries"]
    assert [entry["change"]["action"] for entry in entries] == ["promote", "promote", "archive"]
    assert entries[1]["moved"] == [{"alias": "champion", "before": "1", "after": "2"}]
    assert "@" in entries[0]["changed"]["by"]
    output = type_(made, "history").output
    assert all(words in output for words in ("champion 1 -> 2", "archived=true", "too slow"))


def test_diff_is_the_yaml_of_both_without_colours_in_a_pipe(made: Registered) -> None:
    typed = type_(made, "diff", "1", "@champion")
    assert typed.code == 0 and "\x1b" not in typed.output
    assert typed.output.startswith("--- houses/1/model_config.yaml\n+++ houses/2/model_config.yaml\n")
    assert re.search(r"^-  num_leaves: 31\n\+  num_leaves: 32$", typed.output, re.MULTILINE)
    assert ask(made, "diff", "1", "2")["diff"] == typed.output


def test_compare_writes_a_page_and_says_where(made: Registered, monkeypatch: pytest.MonkeyPatch) -> None:
    # given: no answers of the models, which are none
    from registry import version_gate

    monkeypatch.setattr(version_gate, "between", lambda new, old: "cannot tell: there are no rows")

    # when
    found = ask(made, "compare", "champion", "newest")

    # then
    page = made.folder / "reports" / "models" / "houses-2-5.html"
    assert (found["a"], found["b"], found["page"]) == ("2", "5", str(page))
    assert "there are no rows" in page.read_text()
    scores = {score["metric"]: (score["a"]["value"], score["b"]["value"]) for score in found["comparison"]["scores"]}
    assert scores["wmape"] == (19.5, 19.8)
    assert str(page) in type_(made, "compare", "2", "5").output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("show", "9"), "houses has no version '9'; there are 5, 4, 3, 2, 1, and the aliases champion"),
        (("show", "champoin"), "houses has no version 'champoin'"),
        (("versions", "--model", "house"), "no model 'house'; the nearest is 'houses'"),
    ],
)
def test_what_is_not_there_is_a_mistake_with_what_there_is(made: Registered, arguments: Any, says: str) -> None:
    typed = type_(made, *arguments)
    assert typed.code == 2 and says in typed.errors and typed.output == ""


def test_the_model_may_be_named_before_the_verb_after_it_or_by_the_environment(
    made: Registered, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = ("no model 'barns'", 2)
    for arguments in (("--model", "barns", "versions"), ("versions", "--model", "barns")):
        typed = type_(made, *arguments)
        assert (wrong[0] in typed.errors, typed.code) == (True, wrong[1])
    monkeypatch.setenv("STACKHOUSE_MODEL", "barns")
    assert type_(made, "versions").code == 2
    assert type_(made, "versions", "--model", "houses").code == 0


def test_a_registry_without_models_says_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    empty = registered(tmp_path / "empty", versions=0)
    empty.client.delete_registered_model(empty.name)
    use(empty, monkeypatch)

    # then
    assert ask(empty, "list") == {"models": []}
    assert "`python run.py` trains one" in type_(empty, "list").output
    assert "holds no model yet" in type_(empty, "versions").errors


def test_what_a_library_prints_is_not_in_the_answer(made: Registered, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    real = Releases.settle

    def talkative(releases: Releases) -> ReleaseState:
        sys.stdout.write("Loading checkpoint\n")
        return real(releases)

    monkeypatch.setattr(Releases, "settle", talkative)

    # when
    typed = type_(made, "versions", "--output", "json")

    # then
    assert typed.document["model"] == "houses" and typed.errors == "Loading checkpoint\n"
