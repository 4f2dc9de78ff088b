"""From the prediction log onward: drift, another training, the gate, promotion, and the service follows."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.support.bundles import eventually
from tests.support.ports import free_port
from tests.support.runs import QUICK, Repository, Trained, overrides
from tests.support.served import Served

pytestmark = pytest.mark.slow

NAME = "watched"
TARGET = "median_house_value"
ONE = ("selection.algorithms=[lightgbm]", "search.trials=1")
PRICES = 1.6
"""By how much prices have risen since the model was trained."""


@dataclass
class Watching:
    """A model that was released, and a service that follows its release and logs."""

    project: Repository
    summary: dict[str, Any]
    service: Served
    log: Path
    table: pd.DataFrame

    def ask(self, rows: pd.DataFrame) -> None:
        """Send rows as a client, and their prices of today as feedback."""
        inputs = rows.drop(columns=TARGET)
        records = [
            {name: None if pd.isna(value) else value for name, value in row.items()}
            for row in inputs.to_dict("records")
        ]
        for start in range(0, len(rows), 100):
            said = self.service.ask("/predict_batch", {"rows": records[start : start + 100]})
            for row, price in enumerate(rows[TARGET].iloc[start : start + 100] * PRICES):
                feedback = {"request_id": said["request_id"], "row": row, "value": price}
                self.service.ask("/feedback", feedback)

    def logged(self, kind: str) -> int:
        """Lines of the log."""
        return sum(len(file.read_bytes().splitlines()) for file in (self.log / kind).rglob("*.jsonl"))

    def monitor(self, *settings: str, only: str = "") -> subprocess.CompletedProcess[str]:
        """`python run.py --config configs/monitor.yaml`."""
        given = overrides(f"monitoring.model={NAME}", f"monitoring.log={self.log}", *settings)
        return self.project.run("--config", "configs/monitor.yaml", *given, *(["--only", only] if only else []))

    def verdict(self) -> dict[str, Any]:
        """Of the newest monitor's run."""
        found: dict[str, Any] = json.loads((self.project.path / "reports/latest/summary.json").read_text())["verdict"]
        return found


@pytest.fixture(scope="module")
def watching(trained: Trained, table: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watching]:
    """All up to the gate is cached."""
    project = trained.project
    summary = project.train(*trained.command, *overrides(f"model.name={NAME}"))
    log, port = tmp_path_factory.mktemp("log"), free_port()
    environment = {"STACKHOUSE_MANIFEST": summary["release"]["manifest"], "STACKHOUSE_PREDICTION_LOG": str(log)}
    process = project.start(sys.executable, "-m", "bentoml", "serve", "--port", str(port), env=environment)
    service = Served(process, port)
    try:
        service.wait()
        yield Watching(project, summary, service, log, pd.read_csv(table))
    finally:
        service.stop()


def test_a_calm_window_is_no_alarm(watching: Watching) -> None:
    # given rows of the same source
    calm = watching.table.sample(300, random_state=1)
    watching.ask(calm.assign(**{TARGET: calm[TARGET] / PRICES}))
    assert eventually(lambda: watching.logged("feedback") == 300)

    # when: without the report, which takes longest
    finished = watching.monitor(only="observe,assess")

    # then
    assert finished.returncode == 0, finished.stdout + finished.stderr
    verdict = watching.verdict()
    assert (verdict["level"], verdict["rows"], verdict["retrain"]) == ("ok", 300, False), verdict["reasons"]
    assert verdict["performance"]["rows"] == 300 and verdict["traffic"]["requests"] == 3


def test_drift_leads_to_a_training_whose_model_the_service_answers_with(watching: Watching, table: Path) -> None:
    # given incomes are half as high again, prices have risen, and the clients say so
    before = watching.summary["model"]["version"]
    drifted = watching.table.sample(1000, random_state=2)
    watching.ask(drifted.assign(median_income=drifted["median_income"] * 1.5))
    assert eventually(lambda: watching.logged("feedback") == 1300)
    quick = ", ".join(
        setting.replace("=", ": ", 1) for setting in (f"data.path={table}", f"model.name={NAME}", *QUICK, *ONE)
    )

    # when
    finished = watching.monitor(
        "monitoring.window.rows=1000",
        "monitoring.retrain={violations: 1, windows: 1}",
        "monitoring.on_retrain=train",
        "monitoring.training.data=with_feedback",
        f"monitoring.training.overrides={{{quick}}}",
    )

    # then the alert, and what followed it
    said = finished.stdout + finished.stderr
    assert finished.returncode == 3, said
    assert "median_income: values are higher" in said and "the model is due for a training" in said
    assert "gate: promote: clearly better: on" in said and "rows that neither was trained on" in said
    manifest = json.loads(Path(watching.summary["release"]["manifest"]).read_text())
    assert int(manifest["champion"]["version"]) > int(before)

    # and the service, without a restart
    assert eventually(lambda: watching.service.ask("/health")["model_version"] == manifest["champion"]["version"])
