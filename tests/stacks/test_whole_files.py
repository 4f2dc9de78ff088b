"""Whoever reads one of ZenML's configuration files meanwhile gets the old one or the new one."""

import threading
from pathlib import Path

import pytest
from zenml.utils import yaml_utils

from stacks import whole_files

CONTENTS = {f"key {number}": "value" * 10 for number in range(200)}


def test_a_file_that_is_being_written_is_never_read_in_part(tmp_path: Path) -> None:
    # given
    file = str(tmp_path / "config.yaml")
    whole_files.write_yaml(file, CONTENTS)
    ended = threading.Event()

    def write() -> None:
        for _ in range(30):
            whole_files.write_yaml(file, CONTENTS)
        ended.set()

    # when
    writer = threading.Thread(target=write)
    writer.start()
    sizes = set()
    while not ended.is_set():
        sizes.add(Path(file).stat().st_size)
    writer.join()

    # then
    assert sizes == {Path(file).stat().st_size}
    assert yaml_utils.read_yaml(file) == CONTENTS
    assert [path.name for path in tmp_path.iterdir()] == ["config.yaml"]


def test_who_may_read_the_file_stays_as_it_was(tmp_path: Path) -> None:
    # given
    file = tmp_path / "config.yaml"
    file.write_text("a: 1\n")
    file.chmod(0o640)

    # when
    whole_files.write_yaml(str(file), {"a": 2})

    # then
    assert file.read_text() == "a: 2\n" and file.stat().st_mode & 0o777 == 0o640


def test_a_folder_that_is_not_there_is_zenmls_own_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="does not exist"):
        whole_files.write_yaml(str(tmp_path / "nowhere" / "config.yaml"), {})


def test_zenml_writes_so_once_it_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    monkeypatch.setattr(yaml_utils, "write_yaml", yaml_utils.write_yaml)

    # when
    whole_files.install()

    # then
    assert yaml_utils.write_yaml is whole_files.write_yaml
