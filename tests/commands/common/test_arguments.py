"""Reading a run configuration and its overrides."""

from pathlib import Path

import pytest

from commands.common import arguments
from tabular.errors import UserError

TEXT = """
model: {name: homes}
parameters:
  data: {path: homes.csv}
  target: {column: price}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    written = tmp_path / "run.yaml"
    written.write_text(TEXT)
    return written


def test_defaults_are_filled_in_and_the_file_is_kept(file: Path) -> None:
    # when
    given, resolved, _ = arguments.read(file, [])

    # then: ZenML gets what was written, everybody else the whole
    assert given == {
        "model": {"name": "homes"},
        "parameters": {"data": {"path": "homes.csv"}, "target": {"column": "price"}},
    }
    assert resolved.parameters.search.trials == 50
    assert resolved.parameters.target.task == "regression"


@pytest.mark.parametrize("key", ["search.trials", "parameters.search.trials"])
def test_an_override_is_typed(file: Path, key: str) -> None:
    given, resolved, _ = arguments.read(file, [f"{key}=10"])
    assert resolved.parameters.search.trials == 10
    assert given["parameters"]["search"] == {"trials": 10}


def test_overrides_are_yaml(file: Path) -> None:
    # when
    _, resolved, _ = arguments.read(
        file,
        ["selection.algorithms=[linear, xgboost]", "gate.limits={r2: 0.5}", "data.sha256=null", "model.name=flats"],
    )

    # then
    assert resolved.parameters.selection.algorithms == ("linear", "xgboost")
    assert resolved.parameters.gate.limits == {"r2": 0.5}
    assert resolved.parameters.data.sha256 is None
    assert resolved.model.name == "flats"


def test_the_last_override_of_a_key_counts(file: Path) -> None:
    _, resolved, _ = arguments.read(file, ["seed=1", "seed=2"])
    assert resolved.parameters.seed == 2


def test_a_value_may_hold_an_equals_sign(file: Path) -> None:
    _, resolved, _ = arguments.read(file, ["data.path=https://localhost/homes.csv?part=1"])
    assert resolved.parameters.data.path == "https://localhost/homes.csv?part=1"


def test_overrides_reach_into_a_section_that_the_file_leaves_empty(tmp_path: Path) -> None:
    # given
    written = tmp_path / "run.yaml"
    written.write_text(TEXT + "  search:\n")

    # then
    assert arguments.read(written, ["search.trials=3"]).resolved.parameters.search.trials == 3


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("search.trails=3", "'search.trails'; the nearest known key is 'search.trials'"),
        ("search.trials=many", "'search.trials'"),
        ("search.trials=1.5", "'search.trials'"),
        ("search.trials=0", "'search.trials'"),
        ("seed=true", "'seed'"),
        ("search.trials", "key=value"),
        ("=3", "key=value"),
        ("seed.value=3", "'seed'"),
        ("gate.limits={r2: ", "not YAML"),
        ("search.trials.more.deeply=3", "'search.trials"),
        ("target.task=guess", "'target.task'"),
    ],
)
def test_a_wrong_override_is_refused_in_one_line(file: Path, override: str, says: str) -> None:
    with pytest.raises(UserError) as caught:
        arguments.read(file, [override])
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"parameters: [", "not YAML"),
        (b"\xff\xfe\x00", "not YAML"),
        (b"- a\n- b\n", "keys and values"),
        (b"", "keys and values"),
        (b"model: {name: homes}\n", "'parameters'"),
        (TEXT.encode() + b"modle: {}\n", "'modle'; the nearest known key is 'model'"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(tmp_path: Path, content: bytes, says: str) -> None:
    # given
    written = tmp_path / "run.yaml"
    written.write_bytes(content)

    # then
    with pytest.raises(UserError) as caught:
        arguments.read(written, [])
    assert says in str(caught.value)
    assert str(written) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no file .*nowhere\.yaml"):
        arguments.read(tmp_path / "nowhere.yaml", [])


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("data.path=https://anna:geheim@host/a.csv", "data.path"),
        ("data.path=https://host/a.csv?token=geheim", "data.path"),
        ("data.url=https://host/a.csv?X-Amz-Signature=geheim", "data.url"),
        ("settings.docker.parent_image=https://anna:geheim@host/image", "settings.docker.parent_image"),
        ("data.drop_columns=[a, 'https://host/?key=geheim']", "data.drop_columns.1"),
        ("data.sampl=https://host/a.csv?token=geheim", "data.sampl"),
    ],
)
def test_a_secret_in_an_address_is_refused_and_not_repeated(file: Path, override: str, key: str) -> None:
    # when
    with pytest.raises(UserError) as caught:
        arguments.read(file, [override])
    # then
    line = str(caught.value)
    assert f"'{key}'" in line and "$TOKEN" in line and "https://host/" in line
    assert "geheim" not in line and "\n" not in line


def test_an_address_may_name_a_variable(file: Path) -> None:
    # when
    _, resolved, _ = arguments.read(file, ["data.path=https://$LOGIN@host/a.csv?token=$TOKEN&raw=true"])
    # then
    assert resolved.parameters.data.path == "https://$LOGIN@host/a.csv?token=$TOKEN&raw=true"
