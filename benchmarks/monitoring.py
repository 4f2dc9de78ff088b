"""False alarms of the monitor without drift, and its detections with drift.

    python benchmarks/monitoring.py --bundle FOLDER (--data CSV | --rows PARQUET) [--only alarms,drifts]

FOLDER is the bundle of a model of configs/train.yaml. CSV is the table that it was trained on, of which the rows that
this configuration holds out are taken; PARQUET has such rows alone. They go through the service's encoder and the
compiled predictor into windows, and the windows through `tabular.monitoring.drift` with the default thresholds. Nothing
is trained. A window that is alarmed has at least one warning or alert. A bundle compares predictions with those for its
held-out rows; so that no window is compared with itself, small windows without drift come from one half of these rows,
and the predictions that they are compared with from the other half.
"""

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import frame
import numpy as np
import pandas as pd
from frame import Figure
from serving_scene import held_out

from tabular.bundles import bundle as bundles
from tabular.bundles import reference as references
from tabular.bundles.encoding import Encoder, Notes
from tabular.bundles.making.describing import histogram
from tabular.bundles.predictor import CompiledPredictor, Rows
from tabular.config.monitoring import DriftConfig
from tabular.monitoring.drift import drift_findings
from tabular.monitoring.tally import Tally
from tabular.reports.verdicts import MonitoringFinding

SMALL, LARGE = 500, 5000
ALARM_SEEDS, DRIFT_SEEDS, LARGE_SEEDS = 200, 50, 50
NUMBER, HOLEY, CATEGORY = "median_income", "total_bedrooms", "ocean_proximity"
PLACE = ("longitude", "latitude")
RARE = 0.01
"""The share of a category that is too rare to be seen doubled in a small window."""

Change = Callable[[pd.DataFrame, np.random.Generator], pd.DataFrame]


@dataclass(frozen=True)
class HeldOut:
    """What all parts need."""

    bundle: bundles.Bundle
    reference: references.Reference
    encoder: Encoder
    predictor: CompiledPredictor
    table: pd.DataFrame
    """The held-out rows, inputs alone."""

    def findings(self, window: pd.DataFrame) -> list[MonitoringFinding]:
        """The findings about a window of rows."""
        tally = Tally(self.bundle, self.reference)
        rows, notes = self._encoded(window)
        answers = self.predictor.predict(rows)
        tally.add(rows, notes, answers if self.bundle.task == "regression" else answers.argmax(axis=1))
        return drift_findings(tally.observed(), self.reference, self.bundle, DriftConfig())

    def halved(self, draw: np.random.Generator) -> "HeldOut":
        """One half of the rows; predictions are compared with those for the other half."""
        of_window = draw.permutation(len(self.table)) % 2 == 0
        rows, _ = self._encoded(self.table[~of_window])
        said = histogram(self.predictor.predict(rows)) if self.bundle.task == "regression" else None
        other = {"predictions": said, "predicted_rows": len(rows.numbers)} if said else {}
        return replace(self, table=self.table[of_window], reference=self.reference.model_copy(update=other))

    def _encoded(self, window: pd.DataFrame) -> tuple[Rows, Notes]:
        columns = {
            str(name): values.to_numpy(dtype=np.float64)
            if pd.api.types.is_numeric_dtype(values)
            else [None if value is None or value != value else value for value in values.tolist()]
            for name, values in window.items()
        }
        return self.encoder.columns(columns, limit=len(window))


def alarms(scene: HeldOut) -> list[Figure]:
    """Windows of unchanged held-out rows, in which nothing should be found."""
    lines = []
    for size, seeds, again, most in ((SMALL, ALARM_SEEDS, False, 2), (LARGE, LARGE_SEEDS, True, 0)):
        raised: Counter[str] = Counter()
        alarmed = 0
        for seed in range(seeds):
            draw = np.random.default_rng(seed)
            drawn = scene if again else scene.halved(draw)
            window = drawn.table.sample(size, replace=again, random_state=draw)
            found = [finding for finding in drawn.findings(window) if finding.level != "ok"]
            alarmed += bool(found)
            raised.update(f"{finding.subject} {finding.kind}" for finding in found)
        how = "drawn with replacement" if again else "drawn without replacement"
        why = f" ({', '.join(raised)})" if raised else ""
        what = f"windows of {size:,} rows, {how}, that are alarmed"
        lines.append(Figure(what, f"{alarmed} of {seeds}{why}", f"<= {most}", alarmed <= most))
    whole = scene.findings(scene.table)
    raised_by_all = [finding.words for finding in whole if finding.level != "ok"]
    what = f"all {len(scene.table):,} held-out rows"
    lines.append(Figure(what, "; ".join(raised_by_all) or "nothing", "nothing", not raised_by_all))
    largest = max((f for f in whole if f.measure == "KS distance" and f.kind != "prediction"), key=lambda f: f.value)
    lines.append(Figure("  largest KS distance of a column", f"{largest.value:.4f} ({largest.subject})"))
    return lines


def drifts(scene: HeldOut) -> list[Figure]:
    """Windows with one change each, which should be found in the changed column."""
    spread = float(scene.table[NUMBER].std(ddof=0))
    return [
        _found(scene, f"{NUMBER} + half a standard deviation", (NUMBER,), _with(NUMBER, lambda v: v + spread / 2)),
        *_doubled(scene),
        _found(scene, f"{HOLEY} missing in 20 %", (HOLEY,), _holes),
        _found(scene, f"{' and '.join(PLACE)} swapped", PLACE, _swapped),
        _found(scene, f"{NUMBER} x 10", (NUMBER,), _with(NUMBER, lambda v: v * 10)),
    ]


def _doubled(scene: HeldOut) -> list[Figure]:
    lines = []
    for category, count in scene.table[CATEGORY].value_counts().items():
        share = count / len(scene.table)
        more = round(2 * share * SMALL)
        if share < RARE:
            lines.append(Figure(f"{category} doubled", f"not tried: {count} held-out rows"))
        elif more <= min(count, SMALL):
            what = f"{category} from {share:.1%} to {more / SMALL:.1%}"
            lines.append(_found(scene, what, (CATEGORY,), _more_of(scene.table, str(category), more)))
    return lines


def _found(scene: HeldOut, what: str, columns: tuple[str, ...], change: Change) -> Figure:
    levels: Counter[str] = Counter()
    for seed in range(DRIFT_SEEDS):
        draw = np.random.default_rng(seed)
        window = change(scene.table.sample(SMALL, random_state=draw), draw)
        seen = {finding.level for finding in scene.findings(window) if finding.subject in columns}
        levels[next(level for level in ("alert", "warn", "ok") if level in seen)] += 1
    found = 1 - levels["ok"] / DRIFT_SEEDS
    return Figure(what, f"{found:.0%}, as an alert {levels['alert'] / DRIFT_SEEDS:.0%}", ">= 95%", found >= 0.95)


def _with(column: str, change: Callable[[pd.Series], pd.Series]) -> Change:
    return lambda window, _: window.assign(**{column: change(window[column])})


def _holes(window: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    holes = draw.permutation(len(window)) < len(window) // 5
    return window.assign(**{HOLEY: window[HOLEY].mask(holes)})


def _swapped(window: pd.DataFrame, _: np.random.Generator) -> pd.DataFrame:
    first, second = PLACE
    return window.assign(**{first: window[second], second: window[first]})


def _more_of(table: pd.DataFrame, category: str, rows: int) -> Change:
    """A change to a window with this many rows of the category, and rows of the other categories."""
    of_it = table[CATEGORY] == category
    return lambda window, draw: pd.concat(
        [table[of_it].sample(rows, random_state=draw), table[~of_it].sample(len(window) - rows, random_state=draw)]
    )


PARTS: dict[str, Callable[[HeldOut], list[Figure]]] = {"alarms": alarms, "drifts": drifts}


def main() -> None:
    """Measure, and print a table."""
    parser = frame.parser(__doc__)
    parser.add_argument("--bundle", type=Path, required=True, help="the folder of a bundle")
    rows = parser.add_mutually_exclusive_group(required=True)
    rows.add_argument("--data", type=Path, help="the table that the model was trained on, as CSV")
    rows.add_argument("--rows", type=Path, help="held-out rows alone, as Parquet")
    frame.add_parts(parser, PARTS)
    arguments = parser.parse_args()
    bundle = bundles.read(arguments.bundle)
    table = held_out(bundle, arguments.data) if arguments.data else pd.read_parquet(arguments.rows)
    table = table[[column.name for column in bundle.columns]].reset_index(drop=True)
    reference, predictor = references.read(arguments.bundle), CompiledPredictor.load(arguments.bundle)
    scene = HeldOut(bundle, reference, Encoder(bundle.columns), predictor, table)
    frame.print_machine()
    print(f"{bundle.name} {bundle.version}, {bundle.algorithm}, {len(table):,} rows, {DriftConfig()}")
    sys.exit(frame.measure({part: partial(PARTS[part], scene) for part in arguments.only}, arguments.json))


if __name__ == "__main__":
    main()
