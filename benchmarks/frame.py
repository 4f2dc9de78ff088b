"""What every benchmark shares: the table that it prints, and its exit code.

A benchmark is started as `python benchmarks/NAME.py`, so that the packages of the project are not on the path. This
module puts the repository there; a benchmark imports it before them.
"""

import argparse
import os
import platform
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple, NoReturn

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
    """An argument parser whose help shows the docstring of a module."""
    return argparse.ArgumentParser(description=documentation, formatter_class=argparse.RawDescriptionHelpFormatter)


def measure(parts: Mapping[str, Callable[[], Iterable[Figure]]]) -> NoReturn:
    """Run the parts in order, print the figures of each one, and exit: with 1 where a figure misses its bound."""
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.platform()}", flush=True)
    missed = []
    for part, work in parts.items():
        print(f"\n{part}", flush=True)
        for figure in work():
            verdict = "" if figure.good is None else "ok" if figure.good else "MISSED"
            print(f"  {figure.what:<66} {figure.found:<36} {figure.wanted:<9} {verdict}".rstrip(), flush=True)
            missed += [f"{part}: {figure.what}"] if figure.good is False else []
    print(f"\nmissed: {'; '.join(missed) or 'nothing'}")
    sys.exit(bool(missed))


def spread(values: list[float], digits: int = 2) -> str:
    """The median, and the smallest and the largest value in brackets."""
    return f"{np.median(values):,.{digits}f} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def peak_mib(process: int | str = "self") -> float:
    """The most memory that a process has had, in MiB; 0 when it has ended.

    `getrusage` would report the peak of the parent process where that was higher.
    """
    try:
        status = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM:")), 0.0)
