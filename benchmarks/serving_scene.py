"""The givens of every part of the benchmark, and the rows that are sent."""

import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from frame import ROOT

from tabular.bundles.bundle import Bundle, read

MODEL = "stackhouse:latest"
HELD_OUT = 4128
ONE_ROW_BODIES = 200


@dataclass(frozen=True)
class Scene:
    """What all parts need."""

    folder: Path
    """A temporary folder, in which each part makes its own."""
    bundle_folder: Path
    bundle: Bundle
    table: pd.DataFrame
    """The held-out rows, inputs alone."""
    store: str | None
    """BentoML's home; None is the usual one."""
    seconds: float
    rounds: int

    def place(self, name: str) -> Path:
        """Make an empty folder for a part."""
        found = self.folder / name
        shutil.rmtree(found, ignore_errors=True)
        found.mkdir()
        return found

    def rows(self) -> list[bytes]:
        """Request bodies of one row each."""
        return [json.dumps(row).encode() for row in plain(self.table.head(ONE_ROW_BODIES))]


def plain(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows for JSON, with null for a missing value."""
    return [
        {str(name): None if value is None or value != value else value for name, value in row.items()}
        for row in table.astype(object).to_dict("records")
    ]


def columns(table: pd.DataFrame) -> dict[str, list[Any]]:
    """Columns for JSON, with null for a missing value."""
    rows = plain(table)
    return {str(name): [row[str(name)] for row in rows] for name in table.columns}


def store_with(bundle: Path, folder: Path) -> str:
    """A BentoML home that holds the bundle alone."""
    os.environ["BENTOML_HOME"] = str(folder / "bentoml")
    from registry import bento
    from tabular.bundles.making.folder import BundleFolder

    bento.keep(bundle, bento.version_of(BundleFolder(bundle)))
    return os.environ["BENTOML_HOME"]


def newest_bundle() -> Path:
    """The folder of the newest model in BentoML's store."""
    import bentoml
    from bentoml.exceptions import NotFound

    try:
        return Path(bentoml.models.get(MODEL).path)
    except NotFound:
        sys.exit(f"there is no model '{MODEL}' in BentoML's store; train one, or name a bundle with --bundle")


def held_out(bundle: Bundle, data: Path | None) -> pd.DataFrame:
    """The rows that configs/train.yaml holds out; without a file, rows within the ranges of training.

    Args:
        bundle: for the columns.
        data: a CSV with the target, or without it: then its first rows are taken.
    """
    names = [column.name for column in bundle.columns]
    if data is None:
        draw = np.random.default_rng(42)
        made = {
            column.name: draw.choice(column.categories, HELD_OUT)
            if column.kind == "category"
            else draw.uniform(column.min or 0, column.max or 1, HELD_OUT)
            for column in bundle.columns
        }
        return pd.DataFrame(made)
    table = pd.read_csv(data)
    if bundle.target not in table:
        return table[names].head(HELD_OUT)
    from commands.common import arguments
    from tabular.config.training import TrainingFile
    from tabular.table.splitting import split

    file = arguments.read(ROOT / "configs" / "train.yaml", ()).resolved
    assert isinstance(file, TrainingFile)
    given = file.parameters
    return split(table, given.target, given.split, given.seed)[1][names]


def read_bundle(folder: Path) -> Bundle:
    """The manifest of a bundle whose files are whole."""
    return read(folder)
