"""Speed of the service: one row a request, batches, cold start."""

import json
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd
from frame import Figure, spread
from serving_client import paced
from serving_scene import Scene, columns, plain
from serving_servers import SERVICE, SERVICE_READY, Load, empty_service, environment, rival, running, wrk

from tabular.bundles.encoding import Encoder
from tabular.bundles.predictor import CompiledPredictor

BATCH = 1000
WARM_SECONDS = 1.0
NAMES = ("bentoml serve", "FastAPI + compiled", "FastAPI + pandas")


def one_row(scene: Scene) -> list[Figure]:
    """Requests a second beside two FastAPI apps, asked in turns; latency at half of the own peak."""
    place = scene.place("one_row")
    variables = environment(place, scene.store, BENCHMARK_BUNDLE=str(scene.bundle_folder))
    bodies = scene.rows()
    commands = (SERVICE, rival("compiled"), rival("original"))
    with ExitStack() as stack:
        servers = [stack.enter_context(running(command, variables, SERVICE_READY)) for command in commands]

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
    """Rows a second in batches of 1,000, in each of the three forms, beside the predictor in this process."""
    place = scene.place("batches")
    table = scene.table.head(BATCH)
    cells = columns(table)
    forms = {
        "columns": (json.dumps({"columns": cells}).encode(), "application/json"),
        "rows": (json.dumps({"rows": plain(table)}).encode(), "application/json"),
        "CSV": (pd.DataFrame(cells).to_csv(index=False).encode(), "text/csv"),
    }
    asked = [(name, form, 8) for name, form in forms.items()] + [("columns", forms["columns"], 1)]
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
    rates: list[list[float]] = [[] for _ in asked]
    ratios: list[list[float]] = [[] for _ in asked]
    alone: list[float] = []
    with running(SERVICE, variables, SERVICE_READY) as server:
        for turn in range(scene.rounds + 1):
            for number, (_, (body, kind), connections) in enumerate(asked):
                here = in_process(seconds / 2 if turn else 0.2)
                load = wrk(
                    server.url,
                    "/predict_batch",
                    [body],
                    place,
                    seconds if turn else WARM_SECONDS,
                    kind,
                    connections=connections,
                )
                failed += load.not_2xx + load.broken
                answered += load.requests - load.not_2xx
                if turn:
                    alone.append(here)
                    rates[number].append(load.rate * BATCH)
                    ratios[number].append(load.rate * BATCH / here)
    lines = [Figure("compiled predictor in this process, rows/s", spread(alone, 0))]
    for (name, _, connections), rate, ratio in zip(asked, rates, ratios, strict=True):
        what = f"{name}, {connections} connection{'s' * (connections > 1)}"
        lines.append(Figure(f"{what}, rows/s", spread(rate, 0)))
        lines.append(Figure(f"{what}, ratio", spread(ratio), ">= 0.5", bool(np.median(ratio) >= 0.5)))
    return [*lines, Figure("failed requests", str(failed), "0", not failed), _unlogged(variables, answered * BATCH)]


def _unlogged(variables: dict[str, str], answered: int) -> Figure:
    """The number of answered rows that are missing in the prediction log, which has a line for each row."""
    logged = 0
    for file in Path(variables["STACKHOUSE_PREDICTION_LOG"]).rglob("*.jsonl"):
        with file.open("rb") as content:
            logged += sum(block.count(b"\n") for block in iter(lambda: content.read(2**20), b""))
    missing = max(0, answered - logged)
    return Figure("answered and not in the prediction log", f"{missing} of {answered}", "0", missing == 0)


def cold_start(scene: Scene) -> list[Figure]:
    """Seconds from the command to a 200 of /readyz, beside an empty service, in turns; the first turn warms up."""
    place = scene.place("cold_start")
    variables = environment(place, scene.store)
    empty = empty_service(place)
    without = {name: value for name, value in variables.items() if name != "PYTHONPATH"}
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(scene.rounds + 1):
        began = time.perf_counter()
        with running(SERVICE, variables, SERVICE_READY):
            ours.append(time.perf_counter() - began)
        began = time.perf_counter()
        with running([*SERVICE, "service:Empty"], without, SERVICE_READY, empty):
            theirs.append(time.perf_counter() - began)
    ours, theirs = ours[1:], theirs[1:]
    ratios = [own / other for own, other in zip(ours, theirs, strict=True)]
    return [
        Figure("the service, seconds", spread(ours)),
        Figure("an empty BentoML service, seconds", spread(theirs)),
        Figure("ratio", spread(ratios), "<= 1.5", bool(np.median(ratios) <= 1.5)),
    ]
