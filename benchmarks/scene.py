"""The released model and its held-out rows, which the benchmarks of serving, batch, monitoring and releases share."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from frame import ROOT, parser

from tabular.bundles.bundle import MODEL, Bundle
from tabular.bundles.encoding import Encoder, Notes
from tabular.bundles.predictor import CompiledPredictor, Rows
from tabular.bundles.reference import Reference
from tabular.errors import UserError


class Scene(NamedTuple):
    """The champion of a run configuration in the registry of the active stack, and rows that it was not trained on."""

    folder: Path
    """The folder of its bundle."""
    bundle: Bundle
    reference: Reference
    manifest: str
    """The location of the release manifest."""
    table: pd.DataFrame
    """The held-out rows: the inputs of the model, without the target."""
    truths: list[float]
    """The targets of these rows."""

    def predictor(self, threads: int = 1) -> CompiledPredictor:
        """Load the compiled predictor."""
        return CompiledPredictor.load(self.folder, threads)

    def pipeline(self) -> Any:
        """Load the original pipeline."""
        from tabular.storage.persistence import from_bytes

        return from_bytes((self.folder / MODEL).read_bytes())

    def encoded(self, table: pd.DataFrame) -> tuple[Rows, Notes]:
        """Encode rows as the service does."""
        return Encoder(self.bundle.columns).columns(plain(table).to_dict("list"), limit=len(table))

    def bodies(self, count: int) -> list[bytes]:
        """JSON bodies of one row each, at most as many as there are held-out rows."""
        return [json.dumps(row).encode() for row in plain(self.table.head(count)).to_dict("records")]


def plain(table: pd.DataFrame) -> pd.DataFrame:
    """A table of JSON values, None where a value is missing."""
    return table.astype(object).where(table.notna(), None)


def scene_parser(documentation: str | None) -> argparse.ArgumentParser:
    """A parser with the options that choose the scene."""
    found = parser(documentation)
    found.add_argument("--data", type=Path, required=True, help="the table that the model was trained on, as CSV")
    usual = ROOT / "configs" / "train.yaml"
    found.add_argument("--config", type=Path, default=usual, help="its run configuration: a regression")
    return found


def scene_of(given: argparse.Namespace) -> Scene:
    """The scene that the options choose."""
    # Processes that import a benchmark again, such as the one that scores a batch, do without ZenML.
    from commands.common import arguments
    from registry import bundles
    from registry.releases import open_releases
    from stacks import local
    from tabular.config.training import TrainingFile
    from tabular.table.splitting import split

    try:
        file = arguments.read(given.config, ()).resolved
        if not isinstance(file, TrainingFile) or file.parameters.target.task != "regression":
            sys.exit(f"{given.config} does not train a regression")
        local.activate(ROOT)
        name, config = file.model.name, file.parameters
        champion = bundles.fetch(name, "champion")
        manifest = open_releases(name, ROOT).manifest_location
        _, rows = split(pd.read_csv(given.data), config.target, config.split, config.seed)
    except UserError as error:
        sys.exit(str(error))
    bundle = champion.bundle
    print(f"{name} {bundle.version}, {bundle.algorithm}, compiled: {bundle.compiled}, {len(rows):,} held-out rows")
    table = rows[[column.name for column in bundle.columns]]
    return Scene(champion.folder, bundle, champion.reference, manifest, table, rows[config.target.column].tolist())
