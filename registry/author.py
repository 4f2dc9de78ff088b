"""Who acts, and on which commit of the code."""

import getpass
import socket
import subprocess
from pathlib import Path

RELEASES = "releases"
"""The folder of the repository that `model_config.yaml` is written to; what changes in it is no change of the code."""


def author() -> str:
    """`user@host`, for people to know whom to ask."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container may run as a number without a name
        user = "unknown"
    return f"{user}@{socket.gethostname()}"


def git_commit(root: Path) -> str:
    """The commit of the checkout, marked `-dirty` when files were changed since; `unknown` outside a checkout.

    Args:
        root: the repository.
    """
    try:
        commit = _git(root, "rev-parse", "HEAD")
        return f"{commit}-dirty" if _git(root, "status", "--porcelain", "--", ".", f":!{RELEASES}") else commit
    except (subprocess.CalledProcessError, FileNotFoundError):
        return "unknown"


def _git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True).stdout.strip()
