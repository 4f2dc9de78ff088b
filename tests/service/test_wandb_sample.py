import importlib.util
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from service.wandb_sample import WandbSample
from tabular.errors import UserError
from tabular.prediction_log.records import Feedback, Prediction, now
from tabular.prediction_log.writer import PredictionLog
from tests.support.bundles import eventually
from tests.support.logs import add, add_batch
from tests.support.project import ROOT

SENDER = """
import sys
from pathlib import Path
from tabular.prediction_log.records import Batch, Prediction, now
from tabular.prediction_log.writer import PredictionLog
from service.wandb_sample import WandbSample
sample = WandbSample(float(sys.argv[2]), "serving", "houses", Path(sys.argv[1]), seed=1)
sample.start()
log = PredictionLog(sys.argv[1] + "/log", sample=sample)
log.start()
for number in range(100):
    inputs = {"rooms": float(number), "place": "a"}
    log.add(Prediction(f"r{number}", None, now(), "houses", "3", 0.5, inputs, "yes", {"yes": 1.0}))
log.add(Batch("batch", now(), "houses", "3", 0.5, {"rooms": list(range(100))}, [2.0] * 100, None, ()))
log.stop()
sample.stop(60)
print(sample.sent, log.written)
"""


@pytest.mark.slow
def test_a_share_of_the_predictions_is_a_run(tmp_path: Path) -> None:
    # given
    reader = pytest.importorskip("tests.support.wandb_reader")
    share = "0.2"

    # when
    command = [sys.executable, "-c", SENDER, str(tmp_path), share]
    environment = os.environ | {"WANDB_MODE": "offline"}
    finished = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)

    # then
    assert finished.returncode == 0, finished.stderr
    sent, written = map(int, finished.stdout.split())
    assert written == 200
    assert 15 <= sent <= 70
    [run] = reader.read_runs(tmp_path / "wandb")
    assert (run.group, run.job_type, len(run.history), run.exit_code) == ("houses", "service", sent, 0)
    single = next(step for step in run.history if step["request_id"] != "batch")
    assert single["inputs/rooms"] == float(single["request_id"].removeprefix("r"))
    assert (single["inputs/place"], single["probabilities/yes"], single["version"]) == ("a", 1.0, "3")


def test_without_wandb_it_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    # then
    with pytest.raises(UserError, match="wandb is not installed; install it, or unset STACKHOUSE_WANDB_PROJECT"):
        WandbSample(0.1, "serving", "houses")


def test_a_sample_that_fails_holds_up_no_log(tmp_path: Path) -> None:
    # given
    def fail(records: object) -> None:
        raise RuntimeError("no")

    log = PredictionLog(str(tmp_path), flush_seconds=0.01, sample=fail)
    log.start()

    # when
    add(log, "r1")
    add_batch(log, "r2", {"rooms": np.ones(2)}, np.ones(2))

    # then
    assert eventually(lambda: log.written == 3)
    log.stop()


def test_a_sample_needs_no_destination_of_the_log() -> None:
    # given
    drawn: list[Prediction] = []
    log = PredictionLog(None, sample=drawn.extend)
    log.start()

    # when
    add(log, "r1")
    log.add(Feedback("r1", now(), 2.0))
    log.stop()

    # then: predictions only
    assert [record.request_id for record in drawn] == ["r1"]


def test_a_slow_client_loses_rows_of_the_sample_only() -> None:
    # given: nobody sends
    pytest.importorskip("wandb")
    sample = WandbSample(1.0, "serving", "houses")
    row = Prediction("r1", None, datetime.now(UTC), "houses", "3", 0.5, {}, 1.0)

    # when
    sample([row] * 10_007)

    # then
    assert sample.dropped == 7
