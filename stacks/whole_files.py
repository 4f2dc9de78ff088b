"""Replacing ZenML's configuration files in one moment.

ZenML writes its configuration, and the active stack of a repository, in place and at each start. Another command that
starts at that very moment reads an empty file and ends with a stack trace.
"""

from pathlib import Path
from typing import Any

from zenml.io import fileio
from zenml.utils import io_utils, yaml_utils

from tabular.storage.atomic import replacing

_write_in_place = yaml_utils.write_yaml


def write_yaml(file_path: str, contents: dict[Any, Any] | list[Any], sort_keys: bool = True) -> None:
    """Write a YAML file as ZenML does, but beside the file, and then rename it; ZenML itself writes a remote file.

    Raises:
        FileNotFoundError: the folder does not exist.
    """
    if io_utils.is_remote(file_path) or not fileio.isdir(str(Path(file_path).parent)):
        _write_in_place(file_path, contents, sort_keys)
        return
    with replacing(Path(file_path), mode=0o600) as unfinished:
        _write_in_place(str(unfinished), contents, sort_keys)


def install() -> None:
    """Make ZenML use `write_yaml` in this process."""
    yaml_utils.write_yaml = write_yaml
