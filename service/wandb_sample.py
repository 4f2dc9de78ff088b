"""Sends a share of the predictions to a run of W&B, in a thread of its own behind the prediction log."""

import importlib.util
import logging
import random
import threading
from collections.abc import Sequence
from pathlib import Path
from queue import Empty, Full, Queue
from typing import Any

from tabular.errors import UserError, one_line
from tabular.prediction_log.records import Prediction

logger = logging.getLogger(__name__)

WAITING = 10_000
"""Largest number of sampled rows that wait. Further ones are dropped: the service must not wait for W&B."""
STOP_SECONDS = 10.0


class WandbSample:
    """The argument `sample` of `PredictionLog`. W&B's own variables give the account, and whether it is online.

    Args:
        name: name of the model, which groups the runs.
        folder: folder of W&B's files; None uses the working folder.
        seed: seed of the draw; None draws differently each time.

    Raises:
        UserError: wandb is not installed here.
    """

    def __init__(
        self, share: float, project: str, name: str, folder: Path | None = None, seed: int | None = None
    ) -> None:
        if importlib.util.find_spec("wandb") is None:
            raise UserError("the W&B sample: wandb is not installed; install it, or unset STACKHOUSE_WANDB_PROJECT")
        self.share, self.project, self.name, self.folder = share, project, name, folder
        self.dropped = 0
        """Number of sampled rows that W&B was too slow for."""
        self.sent = 0
        """Number of rows that were sent."""
        self._random = random.Random(seed)
        self._queue: Queue[Prediction] = Queue(WAITING)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stackhouse-wandb-sample", daemon=True)

    def __call__(self, records: Sequence[Prediction]) -> None:
        """Draw from predicted rows, without waiting."""
        if self._stopping.is_set():
            return
        for record in records:
            if self._random.random() >= self.share:
                continue
            try:
                self._queue.put_nowait(record)
            except Full:
                self.dropped += 1

    def start(self) -> None:
        """Open the run, and send rows from now on."""
        self._thread.start()

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Send the rows that were drawn and close the run, for at most some seconds."""
        self._stopping.set()
        self._thread.join(timeout=seconds)

    def _run(self) -> None:
        try:
            import wandb

            run = wandb.init(
                project=self.project,
                group=self.name,
                job_type="service",
                dir=self.folder,
                settings=wandb.Settings(console="off", x_disable_stats=True, x_disable_meta=True, silent=True),
                reinit="create_new",
            )
            while not (self._stopping.is_set() and self._queue.empty()):
                try:
                    row = self._queue.get(timeout=0.2)
                except Empty:
                    continue
                run.log(_flat(row))
                self.sent += 1
            run.finish()
        except Exception as error:  # the service goes on, whatever W&B's client raises
            self._stopping.set()
            logger.warning("the W&B sample ends: %s: %s", type(error).__name__, one_line(error))


def _flat(row: Prediction) -> dict[str, Any]:
    """One step of the run's history, which W&B draws as a chart for each input and each class."""
    step: dict[str, Any] = {f"inputs/{name}": value for name, value in row.inputs.items() if value is not None}
    step |= {f"probabilities/{label}": chance for label, chance in (row.probabilities or {}).items()}
    shared = {key: getattr(row, key) for key in ("request_id", "version", "latency_ms", "prediction")}
    return step | shared | {"time": row.time.isoformat()}
