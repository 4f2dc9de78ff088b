"""Seconds of a rollback: its own work, and the time until a service under load answers with the version before.

    python benchmarks/releases.py [--model NAME] [--seconds 30] [--rounds 5]

It works on the registry of the active stack, which must hold a champion and another packaged version, and leaves the
champion that it finds; the history keeps what it did. It needs wrk.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import frame
import serving_scene
from frame import spread
from serving_safety import answers_with
from serving_scene import Scene
from serving_servers import SERVICE, environment, running, wrk

from registry import plans
from registry.labels import BUNDLE, CHAMPION
from registry.mlflow_registry import model_named, registry_client, versions
from registry.release_checks import verify
from registry.releases import Releases
from registry.stack import open_releases
from stacks import local
from tabular.bundles.bundle import read
from tabular.storage.repository import ROOT

WHY = "benchmarks/releases.py"


def main() -> None:
    """Measure, and print a table."""
    parser = frame.parser(__doc__)
    parser.add_argument("--model", help="name of the model; may be left out if the registry holds one only")
    parser.add_argument("--seconds", type=float, default=30.0, help="seconds of load on the service")
    parser.add_argument("--rounds", type=int, default=5, help="number of promotions, each followed by a rollback")
    arguments = parser.parse_args()
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    local.activate(ROOT)
    name = model_named(registry_client(), arguments.model)
    first, second = _two(name)
    frame.print_machine()
    forth, back = [], []
    for _ in range(arguments.rounds):
        forth.append(_timed(lambda: _promote(name, second)))
        back.append(_timed(lambda: _roll_back(name)))
    print(f"promotion, own work without the gate, seconds: {spread(forth)}")
    print(f"rollback, own work, seconds: {spread(back)} (at most 2)")
    good = _under_load(name, first, second, arguments.seconds) and statistics.median(back) <= 2
    broken = [finding for finding in verify(open_releases(name, ROOT)) if not finding.ok]
    print(f"release verify afterwards: {'; '.join(finding.text for finding in broken) or 'all as released'}")
    sys.exit(0 if good and not broken else 1)


def _two(name: str) -> tuple[str, str]:
    """The champion and another version that can be served."""
    releases = open_releases(name, ROOT)
    champion = releases.settle().aliases.get(CHAMPION)
    others = [found.version for found in versions(releases.client, name) if BUNDLE in found.tags]
    if champion is None or len(others) < 2:
        sys.exit(
            f"{name} needs a champion and another packaged version: train twice, with `--set seed=7` the second time"
        )
    return champion, next(str(number) for number in others if str(number) != champion)


def _under_load(name: str, first: str, second: str, seconds: float) -> bool:
    manifest = open_releases(name, ROOT).manifest_location
    bundle_folder = serving_scene.newest_bundle()
    bundle = read(bundle_folder)
    with tempfile.TemporaryDirectory(prefix="stackhouse-releases-") as folder:
        table = serving_scene.held_out(bundle, None)
        scene = Scene(Path(folder), bundle_folder, bundle, table, None, seconds, 1)
        place, bodies = scene.place("rollback"), scene.rows()
        with running(SERVICE, environment(place, None, STACKHOUSE_MANIFEST=manifest)) as server:
            wrk(server.url, "/predict", bodies, place, 1)
            with ThreadPoolExecutor(1) as threads:
                load = threads.submit(wrk, server.url, "/predict", bodies, place, seconds)
                time.sleep(seconds / 4)
                forth = answers_with(server, bodies[0], second, lambda: _promote(name, second))
                time.sleep(max(0.0, seconds / 3 - forth))
                back = answers_with(server, bodies[0], first, lambda: _roll_back(name))
                found = load.result()
    failed = found.not_2xx + found.broken
    print(f"under load: {failed} of {found.requests:,} requests failed (0)")
    print(f"until the service answers with the other version, seconds: promotion {forth:.2f}, rollback {back:.2f} (5)")
    return failed == 0 and max(forth, back) <= 5


def _promote(name: str, version: str) -> None:
    releases = open_releases(name, ROOT)
    base = releases.settle()
    plan = plans.promote(base, version, CHAMPION, None, None, force=False)
    assert plan is not None, "the other version is champion already"
    releases.change(plan, WHY, base)


def _roll_back(name: str) -> None:
    releases: Releases = open_releases(name, ROOT)
    base = releases.settle()
    releases.change(plans.rollback(base, releases.history.read(), None), WHY, base)


def _timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
