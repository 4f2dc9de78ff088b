"""The frame of every benchmark: its arguments, the table that it prints, and its exit code.

A benchmark is started as `python benchmarks/NAME.py`, so that the packages of the project are not on the path. This
module puts the repository there; a benchmark imports it before them.
"""

import argparse
import json
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


class Figure(NamedTuple):
    """One line of the table that a benchmark prints."""

    what: str
    """What was measured, with its unit."""
    found: str
    wanted: str = ""
    """The bound, such as `>= 0.5`; empty where there is none."""
    good: bool | None = None
    """Whether the bound is kept; None where there is none."""


def parser(documentation: str | None) -> argparse.ArgumentParser:
    """An argument parser whose description is the first line of a module's docstring."""
    return argparse.ArgumentParser(description=documentation.splitlines()[0] if documentation else None)


def add_parts(to: argparse.ArgumentParser, parts: Iterable[str]) -> None:
    """Add the options `--only` (a list of the chosen names; all of them by default) and `--json` (a path or None)."""
    names = list(parts)
    to.add_argument(
        "--only", type=partial(_names, names), default=names, help=f"names between commas: {', '.join(names)}"
    )
    to.add_argument("--json", type=Path, help="a file in which the table is written as well")


def _names(known: list[str], given: str) -> list[str]:
    names = given.split(",")
    if unknown := [name for name in names if name not in known]:
        raise argparse.ArgumentTypeError(f"there is no part {', '.join(unknown)}; there are {', '.join(known)}")
    return names


def machine() -> dict[str, str | int | None]:
    """The size of the machine, its Python version and its operating system."""
    return {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()}


def print_machine() -> None:
    """Print the machine in one line."""
    print("{cores} cores, Python {python}, {system}".format(**machine()), flush=True)


def copied(folder: Path) -> Path:
    """Copy the repository to `folder/project`, without environment, caches and reports, and return the copy."""
    left_out = {".git", ".venv", ".zen", ".cache", "reports"}

    def ignored(visited: str, names: list[str]) -> set[str]:
        return {"__pycache__"} | (left_out & {*names} if Path(visited) == ROOT else set())

    return shutil.copytree(ROOT, folder / "project", ignore=ignored)


def measure(parts: Mapping[str, Callable[[], list[Figure]]], file: Path | None = None) -> int:
    """Run the parts in order and print the figures of each one as soon as it has ended.

    Args:
        parts: functions that measure, by the name of the part.
        file: a JSON file for the same figures.

    Returns:
        The exit code: 1 where a figure misses its bound, otherwise 0.
    """
    found: dict[str, list[Figure]] = {}
    for part, work in parts.items():
        began = time.perf_counter()
        found[part] = work()
        print(f"\n{part} ({time.perf_counter() - began:.0f} s)")
        for figure in found[part]:
            verdict = "" if figure.good is None else "ok" if figure.good else "MISSED"
            print(f"  {figure.what:<66} {figure.found:<36} {figure.wanted:<9} {verdict}".rstrip(), flush=True)
    if file:
        tables = {part: [figure._asdict() for figure in figures] for part, figures in found.items()}
        file.write_text(json.dumps(tables, indent=2))
    missed = [f"{part}: {figure.what}" for part, figures in found.items() for figure in figures if figure.good is False]
    print(f"\nmissed: {'; '.join(missed) or 'nothing'}")
    return 1 if missed else 0


def spread(values: list[float], digits: int = 2) -> str:
    """The median, and the smallest and the largest value in brackets."""
    return f"{np.median(values):,.{digits}f} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"
