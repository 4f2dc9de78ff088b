"""The step that scores a table, called with a small one."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from registry import bundles
from registry.bundles import FetchedBundle
from steps.batch.score import score
from tabular.bundles import bundle
from tabular.bundles.making import describing
from tabular.bundles.making.compiling import Raw
from tabular.config.batch import BatchConfig
from tabular.config.stages import TargetConfig
from tests.support.bundles import make_bundle


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The versions that the registry was asked for; it answers with a model that says 100 of every row."""
    sha256 = make_bundle(tmp_path / "bundle")
    rows = pd.DataFrame({"rooms": np.linspace(1, 9, 60), "age": np.linspace(0, 52, 60)})
    raw = Raw(["rooms", "age"], {}, frozenset())
    reference = describing.reference(rows, raw, np.full(60, 100.0), TargetConfig(column="price"))
    seen = []

    def fetch(model: str, version: str) -> FetchedBundle:
        seen.append((model, version))
        return FetchedBundle(tmp_path / "bundle", sha256, bundle.read(tmp_path / "bundle", sha256), reference)

    monkeypatch.setattr(bundles, "fetch", fetch)
    return seen


def test_the_rows_of_a_table_are_scored_by_the_version_that_the_config_names(
    asked: list[tuple[str, str]], tmp_path: Path
) -> None:
    # given: three rows that can be scored, and one that cannot
    (tmp_path / "new.csv").write_text("rooms,age\n1,2\n3,4\nmany,5\n6,\n")
    config = BatchConfig(model="houses", version="7", input=f"{tmp_path}/new.csv", output=f"{tmp_path}/out", threads=1)

    # when
    report, sample = score.entrypoint(config)

    # then
    assert asked == [("houses", "7")]
    assert (report.rows, report.scored, report.rejected) == (4, 3, 1)
    assert pd.read_parquet(tmp_path / "out" / "predictions")["prediction"].tolist() == [100.0] * 3
    assert len(sample) == 3
