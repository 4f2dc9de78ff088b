"""The first line of a run."""

from pathlib import Path

import pytest

from commands.common.announcement import SAMPLE_WARNING, announce
from tabular.config.stages import DataConfig
from tabular.errors import UserError

UNREACHABLE = DataConfig(
    url="http://127.0.0.1:9/homes.tgz", url_sha256="0" * 64, sample="configs/samples/california.yaml"
)


def test_a_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # given
    file = tmp_path / "homes.csv"
    file.write_text("a,b\n1,2\n3,4\n")
    # when
    announce(DataConfig(path=str(file)))
    # then
    assert capsys.readouterr().out == f"training with {file}\n"


def test_the_sample_is_announced_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    # given: an address where nothing answers
    # when
    announce(UNREACHABLE)
    # then
    said = capsys.readouterr().out
    assert said.startswith(f"training with {SAMPLE_WARNING} (no network: ") and said.count("\n") == 1


def test_a_table_that_cannot_be_had_ends_the_command(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nofile\.csv does not exist"):
        announce(DataConfig(path=str(tmp_path / "nofile.csv")))
