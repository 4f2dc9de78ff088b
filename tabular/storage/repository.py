"""Where this repository lies."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
"""The folder of `run.py`, `configs` and the rooms."""
