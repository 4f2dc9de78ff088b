"""Stacks as data: what a file may hold, and how values of the environment come into it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from stacks import files
from tabular.errors import UserError
from tests.support.project import ROOT
from tests.support.strays import strew

STACK: dict[str, Any] = {
    "description": "a stack",
    "variables": {"BUCKET": "the bucket of the artifacts"},
    "components": {
        "orchestrator": {"name": "default"},
        "artifact_store": {
            "name": "bucket",
            "flavor": "gcp",
            "configuration": {"path": "gs://${BUCKET}/${FOLDER:-all}", "project": "${PROJECT:-}"},
        },
    },
}


def write(root: Path, name: str, content: Any) -> None:
    folder = root / files.FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.yaml").write_text(content if isinstance(content, str) else yaml.safe_dump(content))


@pytest.mark.parametrize("name", files.names(ROOT))
def test_every_stack_of_the_project_is_valid(name: str) -> None:
    # when
    file = files.read(ROOT, name)

    # then
    assert file.description
    assert (ROOT / file.requirements).is_file()


def test_stacks_of_the_project_agree_on_what_they_share() -> None:
    # given: `apply` of one stack must not undo what `apply` of another has done
    shared: dict[tuple[str, str], files.Component] = {}

    # then
    for name in files.names(ROOT):
        for kind, parts in files.read(ROOT, name).components.items():
            for part in parts:
                assert shared.setdefault((kind, part.name), part) == part, f"{name}: {kind} '{part.name}'"


def test_the_template_of_the_environment_names_every_variable() -> None:
    # given
    used = {variable for name in files.names(ROOT) for variable, _ in files.references(files.read(ROOT, name))}
    template = (ROOT / ".env.example").read_text().splitlines()

    # then
    named = {line.lstrip("#").partition("=")[0] for line in template if "=" in line and " " not in line}
    assert used <= named
    assert "WANDB_API_KEY" in used


def test_values_come_from_the_environment(tmp_path: Path) -> None:
    # given
    write(tmp_path, "mine", STACK)
    file = files.read(tmp_path, "mine")

    # when
    [plain] = files.resolve(file, "mine", {"BUCKET": "b"}).components["artifact_store"]
    [full] = files.resolve(file, "mine", {"BUCKET": "b", "FOLDER": "f", "PROJECT": "p"}).components["artifact_store"]

    # then: a default holds where nothing is set, and a value that comes out empty is left out
    assert plain.configuration == {"path": "gs://b/all"}
    assert full.configuration == {"path": "gs://b/f", "project": "p"}


@pytest.mark.parametrize("environment", [{}, {"BUCKET": ""}], ids=["unset", "empty"])
def test_one_message_lists_all_that_is_not_set(tmp_path: Path, environment: dict[str, str]) -> None:
    # given
    stack = STACK | {"variables": {"BUCKET": "the bucket", "KEY": "the key"}}
    store = STACK["components"]["artifact_store"] | {"secrets": {"token": "${KEY}"}}
    write(tmp_path, "mine", stack | {"components": STACK["components"] | {"artifact_store": store}})

    # when
    with pytest.raises(UserError) as raised:
        files.resolve(files.read(tmp_path, "mine"), "mine", environment)

    # then
    message = str(raised.value)
    assert "the stack 'mine' needs 2 environment variables that are not set" in message
    assert "\n  BUCKET: the bucket" in message and "\n  KEY: the key" in message
    assert ".env.example" in message


def test_a_stack_takes_over_what_its_base_has(tmp_path: Path) -> None:
    # given
    write(tmp_path, "parent", STACK)
    store = {"name": "local", "flavor": "local"}
    write(tmp_path, "child", {"description": "c", "base": "parent", "components": {"artifact_store": store}})
    write(tmp_path, "other", {"description": "o", "base": "parent", "components": {"image_builder": {"name": "i"}}})

    # when
    child, other = files.read(tmp_path, "child"), files.read(tmp_path, "other")

    # then: with the variables that what it takes over needs, and no others
    assert [part.name for part in child.components["artifact_store"]] == ["local"]
    assert child.components["orchestrator"] == files.read(tmp_path, "parent").components["orchestrator"]
    assert child.variables == {}
    assert other.variables == STACK["variables"]
    assert set(other.components) == {"orchestrator", "artifact_store", "image_builder"}


def test_several_components_of_a_kind_keep_their_order(tmp_path: Path) -> None:
    # given
    trackers = [{"name": "first", "flavor": "mlflow"}, {"name": "second", "flavor": "wandb"}]
    write(tmp_path, "mine", STACK | {"components": STACK["components"] | {"experiment_tracker": trackers}})

    # then
    assert [part.name for part in files.read(tmp_path, "mine").components["experiment_tracker"]] == ["first", "second"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("components: [", "is not YAML"),
        (STACK | {"descriptoin": "x"}, "unknown key 'descriptoin'; the nearest known key is 'description'"),
        (STACK | {"variables": {}}, "say under 'variables' what BUCKET is, or give a default"),
        (STACK | {"variables": {"BUCKET": "b", "OLD": "o"}}, "'variables' holds OLD, which no component needs"),
        (STACK | {"base": "nowhere"}, "base: there is no other stack 'nowhere'"),
        (STACK | {"base": "mine"}, "base: there is no other stack 'mine'"),
        (STACK | {"components": {"orchestrator": {"name": "default"}}}, "a stack needs an 'artifact_store'"),
        (STACK | {"components": STACK["components"] | {"orchestrator": []}}, "'components.orchestrator'"),
        (
            STACK | {"components": STACK["components"] | {"orchestrator": {"name": "o", "configuration": {"a": 1}}}},
            "'o' has settings and no 'flavor'",
        ),
    ],
)
def test_a_mistake_in_a_file_is_one_line(tmp_path: Path, content: Any, message: str) -> None:
    # given
    write(tmp_path, "mine", content)

    # when
    with pytest.raises(UserError) as raised:
        files.read(tmp_path, "mine")

    # then
    assert message in str(raised.value)
    assert "mine.yaml" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_unknown_stack_names_the_nearest(tmp_path: Path) -> None:
    # given
    write(tmp_path, "cloud", STACK)

    # then
    with pytest.raises(UserError, match="there is no file .*clod.yaml; the nearest is 'cloud'"):
        files.read(tmp_path, "clod")


def test_what_a_desktop_leaves_beside_the_files_is_no_stack(tmp_path: Path) -> None:
    # given
    folder = tmp_path / files.FOLDER
    strew(folder)
    for name in ("mine.yaml", "._mine.yaml", "mine.yaml~"):
        (folder / name).write_text("description: mine")
    # when / then
    assert files.names(tmp_path) == ["mine"]
