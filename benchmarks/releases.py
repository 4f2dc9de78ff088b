"""Seconds of a rollback: its own work, and the time until a service under load answers with the version before.

    python benchmarks/releases.py --data CSV [--seconds 30] [--rounds 5]

The registry of the active stack must hold a champion of configs/train.yaml and another packaged version. The champion
is the same afterwards; the history keeps what was done. It needs wrk.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from functools import partial

import frame
import numpy as np
from frame import ROOT, Figure, spread
from scene import Scene, scene_of, scene_parser
from servers import SERVICE, running, swapped

from registry import plans
from registry.labels import BUNDLE, CHAMPION
from registry.mlflow_registry import versions
from registry.release_checks import verify
from registry.releases import Releases, open_releases

WHY = "benchmarks/releases.py"


def measured(scene: Scene, given: argparse.Namespace) -> list[Figure]:
    """Promote another version and roll back: in turns without a service, and once under load."""
    releases, first = open_releases(scene.bundle.name, ROOT), scene.bundle.version
    packaged = [str(found.version) for found in versions(releases.client, scene.bundle.name) if BUNDLE in found.tags]
    second = next((version for version in packaged if version != first), None)
    if second is None:
        sys.exit(f"{scene.bundle.name} needs another packaged version: train again, with `--set seed=7`")
    forth, back = partial(promote, releases, second), partial(roll_back, releases)
    seconds = [(timed(forth), timed(back)) for _ in range(given.rounds)]
    promotions, rollbacks = ([*column] for column in zip(*seconds, strict=True))
    with running(SERVICE, scene) as server:
        under_load = swapped(server, scene.bodies(200), given.seconds, (second, forth), (first, back))
    broken = [finding.text for finding in verify(releases) if not finding.ok]
    return [
        Figure("promotion, own work without the gate, s", spread(promotions)),
        Figure("rollback, own work, s", spread(rollbacks), "<= 2", bool(np.median(rollbacks) <= 2)),
        *under_load,
        Figure("release verify afterwards", "; ".join(broken) or "all as released", "", not broken),
    ]


def promote(releases: Releases, version: str) -> None:
    """Make another version the champion, without asking the gate."""
    base = releases.settle()
    plan = plans.promote(base, version, CHAMPION, None, None, force=False)
    assert plan is not None, "the other version is champion already"
    releases.change(plan, WHY, base)


def roll_back(releases: Releases) -> None:
    """Make the champion before this one the champion again."""
    base = releases.settle()
    releases.change(plans.rollback(base, releases.history.read(), None), WHY, base)


def timed(work: Callable[[], None]) -> float:
    """Seconds of a call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    parser = scene_parser(__doc__)
    parser.add_argument("--seconds", type=float, default=30.0, help="seconds of load on the service")
    parser.add_argument("--rounds", type=int, default=5, help="number of promotions, each followed by a rollback")
    options = parser.parse_args()
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    frame.measure({"releases": partial(measured, scene_of(options), options)})
