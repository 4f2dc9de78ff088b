"""A share of the predictions as a run of W&B, sent by a thread of its own behind the prediction log."""

import importlib.util
import logging
import random
import threading
from collections.abc import Sequence
from pathlib import Path
from queue import Empty, Full, Queue
from typing import TYPE_CHECKING, Any

from tabular.errors import UserError, one_line
from tabular.prediction_log.records import Prediction

if TYPE_CHECKING:
    import wandb

logger = logging.getLogger(__name__)

WAITING = 10_000
"""How many sampled rows may wait; a sample may lose rows, a service may not wait for it."""
STOP_SECONDS = 10.0


class WandbSample:
    """Give it to `PredictionLog` as `sample`. Who it is and whether it is online, W&B's own variables say.

    Args:
        share: of the predictions, above 0 and at most 1.
        project: of W&B.
        name: of the model; runs are grouped by it.
        folder: for W&B's files; None is the working folder.
        seed: of the draw; None draws differently each time.

    Raises:
        UserError: wandb is not installed here, or the share is no share.
    """

    def __init__(
        self, share: float, project: str, name: str, folder: Path | None = None, seed: int | None = None
    ) -> None:
        if not 0 < share <= 1:
            raise UserError(f"the W&B sample: {share:g} is no share of the predictions; give one above 0, at most 1")
        if importlib.util.find_spec("wandb") is None:
            raise UserError("the W&B sample: wandb is not installed here; install it, or set the share to 0")
        self.share, self.project, self.name, self.folder = share, project, name, folder
        self.dropped = 0
        """Sampled rows that W&B was too slow for."""
        self.sent = 0
        self._random = random.Random(seed)
        self._queue: Queue[Prediction] = Queue(WAITING)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stackhouse-wandb-sample", daemon=True)

    def __call__(self, records: Sequence[Prediction]) -> None:
        """Draw from some predicted rows; never waits."""
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
        """Begin to send."""
        self._thread.start()

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Send what was drawn and end the run; gives up after some seconds."""
        self._stopping.set()
        self._thread.join(timeout=seconds)

    def _run(self) -> None:
        try:
            run = self._open()
            while not (self._stopping.is_set() and self._queue.empty()):
                try:
                    row = self._queue.get(timeout=0.2)
                except Empty:
                    continue
                run.log(_flat(row))
                self.sent += 1
            run.finish()
        except Exception as error:  # whatever W&B's client meets, the service goes on
            self._stopping.set()
            logger.warning("the W&B sample ends: %s: %s", type(error).__name__, one_line(error))

    def _open(self) -> "wandb.Run":
        import wandb

        settings = wandb.Settings(console="off", x_disable_stats=True, x_disable_meta=True, silent=True)
        return wandb.init(
            project=self.project,
            group=self.name,
            job_type="service",
            dir=self.folder,
            settings=settings,
            reinit="create_new",
        )


def _flat(row: Prediction) -> dict[str, Any]:
    """A step of the run's history: charts of the numbers, by column and class."""
    step: dict[str, Any] = {f"inputs/{name}": value for name, value in row.inputs.items() if value is not None}
    step |= {f"probabilities/{label}": chance for label, chance in (row.probabilities or {}).items()}
    shared = {key: getattr(row, key) for key in ("request_id", "version", "latency_ms", "prediction")}
    return step | shared | {"time": row.time.isoformat()}
