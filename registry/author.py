"""The person who makes a change, and the commit of the code."""

import getpass
import socket
import subprocess
from pathlib import Path

RELEASES = "releases"
"""Folder of the repository that `model_config.yaml` is written to; a change in it does not make the code dirty."""


def author() -> str:
    """`user@host`, so that people know whom to ask."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container may run as a number without a name
        user = "unknown"
    return f"{user}@{socket.gethostname()}"


def git_commit(root: Path) -> str:
    """The commit of the repository at `root`, marked `-dirty` when files differ from it; `unknown` without git."""
    try:
        commit = _git(root, "rev-parse", "HEAD")
        return f"{commit}-dirty" if _git(root, "status", "--porcelain", "--", ".", f":!{RELEASES}") else commit
    except (subprocess.CalledProcessError, FileNotFoundError):
        return "unknown"


def _git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True).stdout.strip()
