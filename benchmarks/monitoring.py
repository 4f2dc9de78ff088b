"""False alarms of the monitor without drift, and its detections with drift, on California housing.

    python benchmarks/monitoring.py --data CSV

The held-out rows of the champion of configs/train.yaml go through the service's encoder and the compiled predictor into
windows, and the windows through `tabular.monitoring.drift` with the default thresholds. Nothing is trained. A bundle
compares predictions with those for its held-out rows; so that no window is compared with itself, windows without drift
come from one half of these rows, and the predictions that they are compared with from the other half.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import frame
import numpy as np
import pandas as pd
from frame import Figure
from scene import Scene, scene_of, scene_parser

from tabular.bundles.making.describing import histogram
from tabular.bundles.predictor import CompiledPredictor
from tabular.config.monitoring import DriftConfig
from tabular.monitoring.drift import drift_findings
from tabular.monitoring.tally import Tally
from tabular.reports.verdicts import MonitoringFinding

ROWS, WINDOWS, DRAWS = 500, 200, 50
RARE = 0.01
"""The share of a category that is too rare to be seen doubled in a window."""

Change = Callable[[pd.DataFrame, np.random.Generator], pd.DataFrame]


def findings(scene: Scene, predictor: CompiledPredictor, window: pd.DataFrame) -> list[MonitoringFinding]:
    """The warnings and alerts about a window of rows."""
    tally = Tally(scene.bundle, scene.reference)
    rows, notes = scene.encoded(window)
    tally.add(rows, notes, predictor.predict(rows))
    found = drift_findings(tally.observed(), scene.reference, scene.bundle, DriftConfig())
    return [finding for finding in found if finding.level != "ok"]


def alarms(scene: Scene, predictor: CompiledPredictor) -> Iterator[Figure]:
    """Windows of unchanged held-out rows, in which nothing should be found."""
    raised: Counter[str] = Counter()
    alarmed = 0
    for seed in range(WINDOWS):
        draw = np.random.default_rng(seed)
        of_window = draw.permutation(len(scene.table)) % 2 == 0
        others, _ = scene.encoded(scene.table[~of_window])
        known = {"predictions": histogram(predictor.predict(others)), "predicted_rows": len(others.numbers)}
        compared = scene._replace(reference=scene.reference.model_copy(update=known))
        found = findings(compared, predictor, scene.table[of_window].sample(ROWS, random_state=draw))
        alarmed += bool(found)
        raised.update(f"{finding.subject} {finding.kind}" for finding in found)
    why = f" ({', '.join(raised)})" if raised else ""
    yield Figure(f"windows of {ROWS} rows that raise anything", f"{alarmed} of {WINDOWS}{why}", "<= 2", alarmed <= 2)


def drifts(scene: Scene, predictor: CompiledPredictor) -> Iterator[Figure]:
    """Windows with one change each, which should be found in the changed column."""
    table = scene.table
    half = float(table.median_income.std(ddof=0)) / 2
    swap = {"longitude": "latitude", "latitude": "longitude"}
    changes: dict[str, tuple[Sequence[str], Change]] = {
        "median_income + half a standard deviation": (
            ["median_income"],
            lambda window, _: window.assign(median_income=window.median_income + half),
        ),
        "median_income x 10": (
            ["median_income"],
            lambda window, _: window.assign(median_income=window.median_income * 10),
        ),
        "total_bedrooms missing in 20 %": (
            ["total_bedrooms"],
            lambda window, _: window.assign(total_bedrooms=window.total_bedrooms.mask(np.arange(ROWS) % 5 == 0)),
        ),
        "longitude and latitude swapped": ([*swap], lambda window, _: window.rename(columns=swap)),
    }
    for category, share in table.ocean_proximity.value_counts(normalize=True).items():
        if RARE <= share <= 0.5:
            is_it, more = table.ocean_proximity == category, round(2 * share * ROWS)
            changes[f"{category} from {share:.1%} to {more / ROWS:.1%}"] = (
                ["ocean_proximity"],
                partial(_more_of, table[is_it], table[~is_it], more),
            )
    for what, (columns, change) in changes.items():
        levels: Counter[str] = Counter()
        for seed in range(DRAWS):
            draw = np.random.default_rng(seed)
            window = change(table.sample(ROWS, random_state=draw), draw)
            seen = {finding.level for finding in findings(scene, predictor, window) if finding.subject in columns}
            levels["alert" if "alert" in seen else "warn" if seen else "ok"] += 1
        said = f"an alert in {levels['alert']} of {DRAWS}, a warning in {levels['warn']}"
        yield Figure(what, said, ">= 95%", levels["ok"] <= 0.05 * DRAWS)


def _more_of(
    of_it: pd.DataFrame, others: pd.DataFrame, count: int, _: pd.DataFrame, draw: np.random.Generator
) -> pd.DataFrame:
    """A window with this many rows of a category, and rows of the other categories."""
    return pd.concat([of_it.sample(count, random_state=draw), others.sample(ROWS - count, random_state=draw)])


if __name__ == "__main__":
    found = scene_of(scene_parser(__doc__).parse_args())
    frame.measure({part.__name__: partial(part, found, found.predictor()) for part in (alarms, drifts)})
