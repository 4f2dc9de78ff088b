"""The speed of the service: requests of one row, and batches."""

import json
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd
from frame import Figure, spread
from serving_client import paced
from serving_scene import Scene, columns, plain
from serving_servers import SERVICE, Load, environment, rival, running, wrk

from tabular.bundles.encoding import Encoder
from tabular.bundles.predictor import CompiledPredictor

BATCH = 1000
WARM_SECONDS = 1.0
NAMES = ("bentoml serve", "FastAPI + compiled", "FastAPI + pandas")


def one_row(scene: Scene) -> list[Figure]:
    """Requests a second beside two FastAPI apps, measured in turns, and the latency at half of the service's peak."""
    place = scene.place("one_row")
    variables = environment(place, scene.store, BENCHMARK_BUNDLE=str(scene.bundle_folder))
    bodies = scene.rows()
    commands = (SERVICE, rival("compiled"), rival("original"))
    with ExitStack() as stack:
        servers = [stack.enter_context(running(command, variables)) for command in commands]

        def ask(number: int, seconds: float) -> Load:
            return wrk(servers[number].url, "/predict", bodies, place, seconds)

        for number in range(3):
            ask(number, WARM_SECONDS)
        loads = [[ask(number, scene.seconds) for number in range(3)] for _ in range(scene.rounds)]
        half = float(np.median([turn[0].rate for turn in loads])) / 2
        calm = [paced(servers[0].port, "/predict", bodies, half, scene.seconds) for _ in range(scene.rounds)]
    failed = sum(load.not_2xx + load.broken for turn in loads for load in turn) + sum(run.failed for run in calm)
    answered = sum(turn[0].requests - turn[0].not_2xx for turn in loads) + sum(len(run.milliseconds) for run in calm)
    lines = [
        Figure(f"{name}, requests/s", spread([turn[number].rate for turn in loads], 0))
        for number, name in enumerate(NAMES)
    ]
    ratios = [[turn[0].rate / turn[other].rate for turn in loads] for other in (1, 2)]
    p99 = [run.p99() for run in calm]
    late = max(run.sent_late for run in calm)
    return [
        *lines,
        Figure("ratio to FastAPI + compiled", spread(ratios[0]), ">= 0.55", bool(np.median(ratios[0]) >= 0.55)),
        Figure("ratio to FastAPI + pandas", spread(ratios[1], 1), ">= 20", bool(np.median(ratios[1]) >= 20)),
        Figure("failed requests", str(failed), "0", not failed),
        _unlogged(variables, answered),
        Figure("p99 at its peak, ms", spread([turn[0].p99_ms for turn in loads], 1)),
        Figure(f"p99 at {half:.0f} requests/s, ms", spread(p99, 1), "< 25", bool(np.median(p99) < 25)),
        Figure("the client's own delay at most, ms", f"{late:.1f}"),
    ]


def batches(scene: Scene) -> list[Figure]:
    """Rows a second in batches of 1,000 rows in each form, beside the predictor alone in this process."""
    place = scene.place("batches")
    table = scene.table.head(BATCH)
    cells = columns(table)
    forms = {
        "columns": (json.dumps({"columns": cells}).encode(), "application/json"),
        "rows": (json.dumps({"rows": plain(table)}).encode(), "application/json"),
        "CSV": (pd.DataFrame(cells).to_csv(index=False).encode(), "text/csv"),
    }
    predictor = CompiledPredictor.load(scene.bundle_folder)
    rows, _ = Encoder(scene.bundle.columns).columns(cells)

    def in_process(seconds: float) -> float:
        count, began = 0, time.perf_counter()
        while (spent := time.perf_counter() - began) < seconds:
            predictor.predict(rows)
            count += 1
        return count * BATCH / spent

    seconds = max(1.0, scene.seconds / 2)
    failed = answered = 0
    variables = environment(place, scene.store)
    rates: dict[str, list[float]] = {name: [] for name in forms}
    ratios: dict[str, list[float]] = {name: [] for name in forms}
    alone: list[float] = []
    with running(SERVICE, variables) as server:
        for turn in range(scene.rounds + 1):  # the first turn warms up
            for name, (body, kind) in forms.items():
                here = in_process(seconds / 2 if turn else 0.2)
                load = wrk(server.url, "/predict_batch", [body], place, seconds if turn else WARM_SECONDS, kind)
                failed += load.not_2xx + load.broken
                answered += load.requests - load.not_2xx
                if turn:
                    alone.append(here)
                    rates[name].append(load.rate * BATCH)
                    ratios[name].append(load.rate * BATCH / here)
    lines = [Figure("compiled predictor in this process, rows/s", spread(alone, 0))]
    for name, ratio in ratios.items():
        lines.append(Figure(f"{name}, rows/s", spread(rates[name], 0)))
        lines.append(Figure(f"{name}, ratio", spread(ratio), ">= 0.5", bool(np.median(ratio) >= 0.5)))
    return [*lines, Figure("failed requests", str(failed), "0", not failed), _unlogged(variables, answered * BATCH)]


def _unlogged(variables: dict[str, str], answered: int) -> Figure:
    """The number of answered rows that are missing in the prediction log, which has a line for each row."""
    logged = 0
    for file in Path(variables["STACKHOUSE_PREDICTION_LOG"]).rglob("*.jsonl"):
        with file.open("rb") as content:
            logged += sum(block.count(b"\n") for block in iter(lambda: content.read(2**20), b""))
    missing = max(0, answered - logged)
    return Figure("answered and not in the prediction log", f"{missing} of {answered}", "0", missing == 0)
