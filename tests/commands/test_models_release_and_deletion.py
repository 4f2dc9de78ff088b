"""`models release`, aliases that somebody moved in the registry itself, and deleting versions."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow.exceptions import MlflowException

from registry import plans, retention
from registry.history import ReleaseChange
from tabular.bundles.bundle import ARRAYS
from tests.support.bundles import damage
from tests.support.registered import Registered, keep, registered
from tests.support.typed import ask, type_


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[Registered, Callable[[], None]]:
    """Four versions without aliases."""
    made = registered(tmp_path_factory.mktemp("releasing") / "registered", versions=4)
    return made, keep(made)


def test_release_show_says_what_a_service_is_started_with(made: Registered) -> None:
    # given
    assert "houses is not released yet" in type_(made, "release", "show").errors
    made.champion("1")

    # then
    found, typed = ask(made, "release", "show"), type_(made, "release", "show")
    location = str(made.folder / "releases" / "manifest.json")
    assert (found["location"], found["setting"]) == (location, f"STACKHOUSE_MANIFEST={location}")
    assert found["manifest"] == json.loads(Path(location).read_text())
    assert f"next: `STACKHOUSE_MANIFEST={location} bentoml serve`" in typed.output


def test_release_verify_fails_for_one_changed_byte(made: Registered) -> None:
    # given
    made.champion("1")
    assert ask(made, "release", "verify")["ok"] is True

    # when
    damage(made.folder / "bundles" / "1" / ARRAYS)

    # then
    typed = type_(made, "release", "verify", "--output", "json")
    assert (typed.code, typed.document["ok"]) == (1, False)
    assert [finding["what"] for finding in typed.document["findings"] if not finding["ok"]] == [
        f"champion, version 1: {ARRAYS}"
    ]


def test_release_rebuild_writes_a_lost_manifest_again_and_a_dry_run_does_not(made: Registered) -> None:
    # given
    made.champion("1")
    manifest = made.folder / "releases" / "manifest.json"
    content = manifest.read_bytes()
    manifest.unlink()

    # then
    assert ask(made, "release", "rebuild", "--dry-run")["location"] == str(manifest) and not manifest.exists()
    assert ask(made, "release", "rebuild")["revision"] == 1
    assert manifest.read_bytes() == content


def test_an_alias_that_was_moved_in_the_registry_stops_changes_until_it_is_taken_over(made: Registered) -> None:
    # given
    made.champion("1")
    made.client.set_registered_model_alias(made.name, "champion", "2")
    warning = "the alias 'champion' points to version 2 in the registry, and to version 1 in the history"

    # then: looking warns, changing refuses
    looked, changed = type_(made, "versions"), type_(made, "alias", "summer", "3")
    assert looked.code == 0 and f"warning: {warning}; `python run.py models release rebuild`" in looked.errors
    assert changed.code == 2 and warning in changed.errors

    # when
    found = ask(made, "release", "rebuild", "--reason", "it was me")

    # then
    assert (found["action"], found["changed"], found["revision"]) == ("adopt", True, 2)
    assert made.releases.written_manifest().champion.version == "2"
    assert type_(made, "alias", "summer", "3").errors == ""


def test_aliases_of_before_the_history_are_taken_over_by_the_first_change(made: Registered) -> None:
    # given
    made.client.set_registered_model_alias(made.name, "champion", "1")
    assert type_(made, "versions").errors == ""

    # when
    ask(made, "alias", "summer", "3", "--dry-run")
    assert made.releases.history.read() == []
    ask(made, "alias", "summer", "3")

    # then
    entries = made.releases.history.read()
    assert [entry.change.action for entry in entries] == ["adopt", "alias"]
    assert [entry.change.aliases for entry in entries] == [{"champion": "1"}, {"champion": "1", "summer": "3"}]
    assert made.releases.written_manifest().champion.version == "1"


def test_rebuild_of_a_model_of_before_the_history_is_one_entry(made: Registered) -> None:
    assert "has no alias to release" in type_(made, "release", "rebuild").errors
    made.client.set_registered_model_alias(made.name, "champion", "1")
    assert ask(made, "release", "rebuild")["revision"] == 1
    assert made.releases.written_manifest().champion.version == "1"


def test_delete_lists_what_goes_and_deletes_it(made: Registered) -> None:
    # given
    made.champion("1")
    cached = made.folder / ".cache" / "bundles" / "houses-2"
    source = made.client.get_model_version(made.name, "2").source

    # when
    planned = ask(made, "delete", "2", "--dry-run")["removes"]

    # then
    [removal] = planned
    assert (removal["version"], removal["model_uri"], removal["folders"]) == ("2", source, ["bundles/houses-2"])
    assert removal["size"] > 0 and made.numbers == ["1", "2", "3", "4"] and cached.exists()

    # when
    done = ask(made, "delete", "2", "--reason", "never used")

    # then
    assert (done["removes"], made.numbers, cached.exists()) == (planned, ["1", "3", "4"], False)
    assert ask(made, "history")["entries"][-1]["change"]["removes"] == planned
    typed = type_(made, "delete", "champion")
    assert typed.code == 2 and "version 1 has the alias champion and cannot be deleted" in typed.errors


def test_prune_keeps_the_newest_the_aliased_and_the_last_champions(made: Registered) -> None:
    # given: of five, 1 and 2 were champions and 3 is
    for number in ("1", "2", "3"):
        made.champion(number)

    # then
    wide = ask(made, "prune", "--keep", "1", "--window", "3", "--dry-run")
    assert (wide["removes"], wide["changed"]) == ([], False)
    narrow = type_(made, "prune", "--keep", "1", "--window", "2", "--dry-run")
    assert narrow.code == 0 and "houses-1" in narrow.output and "houses-2" not in narrow.output

    # when
    done = ask(made, "prune", "--keep", "1", "--window", "1")

    # then
    assert [removal["version"] for removal in done["removes"]] == ["2", "1"]
    assert made.numbers == ["3", "4"]
    assert ask(made, "prune", "--keep", "1", "--window", "1")["changed"] is False


@pytest.mark.parametrize(
    "stopped_at",
    [
        "mlflow.store.artifact.local_artifact_repo.LocalArtifactRepository.delete_artifacts",
        "mlflow.MlflowClient.delete_logged_model",
        "mlflow.MlflowClient.delete_model_version",
    ],
)
def test_a_deletion_that_was_interrupted_is_completed_by_the_next_command(
    made: Registered, monkeypatch: pytest.MonkeyPatch, stopped_at: str
) -> None:
    # given: a process that ends before it deletes the files, their record, or the version
    source = made.client.get_model_version(made.name, "2").source
    model = made.client.get_logged_model(source.removeprefix("models:/"))

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(stopped_at, killed)
        with pytest.raises(KeyboardInterrupt):
            made.releases.change(deletion(made, "2"), "killed", made.releases.settle())
    assert made.numbers == ["1", "2", "3", "4"]

    # when
    typed = type_(made, "versions")

    # then
    assert "completed revision 1 (delete of version 2 by " in typed.errors
    assert made.numbers == ["1", "3", "4"] and not Path(model.artifact_location).exists()
    with pytest.raises(MlflowException, match="not found"):
        made.client.get_logged_model(model.model_id)


def deletion(made: Registered, number: str) -> ReleaseChange:
    [removal] = retention.removals_of(made.client, [made.client.get_model_version(made.name, number)], made.folder)
    return plans.remove(made.releases.settle(), [removal], "delete")
