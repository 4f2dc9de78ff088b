"""The model, the rows and the folders that all parts of the benchmark share."""

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

from tabular.bundles.bundle import Bundle

MODEL = "stackhouse:latest"
HELD_OUT = 4128
ONE_ROW_BODIES = 200


@dataclass(frozen=True)
class Scene:
    """The model, the rows and the settings of the benchmark."""

    folder: Path
    """Temporary folder, in which each part has one of its own."""
    bundle_folder: Path
    bundle: Bundle
    table: pd.DataFrame
    """The held-out rows without the target."""
    store: str | None
    """BentoML's home; None is the usual one."""
    seconds: float
    """Duration of one measurement."""
    rounds: int
    """Number of turns of the servers that are compared."""

    def place(self, name: str) -> Path:
        """Make a fresh folder."""
        found = self.folder / name
        shutil.rmtree(found, ignore_errors=True)
        found.mkdir()
        return found

    def rows(self) -> list[bytes]:
        """JSON bodies of one row each."""
        return [json.dumps(row).encode() for row in plain(self.table.head(ONE_ROW_BODIES))]


def plain(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Convert to rows of JSON values, None where a value is missing."""
    return [
        {str(name): None if value is None or value != value else value for name, value in row.items()}
        for row in table.astype(object).to_dict("records")
    ]


def columns(table: pd.DataFrame) -> dict[str, list[Any]]:
    """Convert to columns of JSON values, None where a value is missing."""
    rows = plain(table)
    return {str(name): [row[str(name)] for row in rows] for name in table.columns}


def store_with(bundle: Path, folder: Path) -> str:
    """Make a BentoML home that contains the bundle alone."""
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
    """The rows that configs/train.yaml holds out; without a file, random rows within the ranges of training.

    Args:
        bundle: manifest of the model, for the columns.
        data: a CSV; if it does not have the target, its first rows are taken.
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
