"""Real bundles of a small linear model, release manifests that name them, and a bucket to put both in."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from service.live import LiveModel
from tabular.bundles import manifest as release
from tabular.bundles.bundle import ARRAYS, CARD, MANIFEST, MODEL, RECIPE, digest
from tabular.bundles.predictor import Rows
from tabular.storage import places

RANGES = {"rooms": (1.0, 9.0), "age": (0.0, 52.0)}
NAME = "houses"
NewModel = Callable[..., LiveModel]


def number(name: str) -> dict[str, object]:
    low, high = RANGES[name]
    return {"name": name, "kind": "number", "min": low, "max": high, "missing_share": 0.0}


def category(name: str) -> dict[str, object]:
    return {"name": name, "kind": "category", "categories": ["inland", "missing"], "missing_share": 0.1}


COLUMNS = (number("rooms"), number("age"))


def make_bundle(
    folder: Path,
    version: str = "1",
    value: float | tuple[float, ...] = 100.0,
    columns: tuple[dict[str, object], ...] = COLUMNS,
    median: float = 7.0,
    classes: tuple[str, ...] = (),
    name: str = NAME,
) -> str:
    """A bundle whose model answers `value` to every row; for a classifier, the logits of the classes.

    Returns:
        The sha256 of its `bundle.json`.
    """
    folder.mkdir(parents=True)
    numbers = [index for index, column in enumerate(columns) if column["kind"] == "number"]
    outputs = np.atleast_1d(np.asarray(value, np.float64))
    task = "classification" if classes else "regression"
    recipe = {
        "task": task,
        "imputer": {"kind": "constant", "fill": [1.0] * len(numbers)},
        "blocks": [{"kind": "numbers", "columns": list(range(len(numbers)))}],
        "estimator": {"kind": "linear"},
        "link": "softmax" if classes else "identity",
        "undo": "none",
    }
    (folder / RECIPE).write_text(json.dumps(recipe))
    width = len(numbers)
    flat, weights = np.zeros(width), np.zeros((width, len(outputs)))
    np.savez(folder / ARRAYS, mean=flat, scale=flat + 1, coefficients=weights, intercepts=outputs)
    (folder / MODEL).write_bytes(f"the original of version {version}".encode())
    (folder / CARD).write_text(f"# {name} {version}\n")
    files = {file: digest((folder / file).read_bytes()) for file in (RECIPE, ARRAYS, MODEL, CARD)}
    shares = {label: 1 / len(classes) for label in classes}
    bundle = {
        "name": name,
        "version": version,
        "task": task,
        "target": "price",
        "created": "2026-11-21T14:05:00+00:00",
        "model_sha256": files[MODEL],
        "data_sha256": "0" * 64,
        "data_source": "a sample",
        "algorithm": "linear",
        "columns": columns,
        "classes": classes,
        "metrics": {"r2": 0.8},
        "baseline": {"prediction": classes[0] if classes else median, "probabilities": shares},
        "compiled": True,
        "why": "equal",
        "files": files,
    }
    content = json.dumps(bundle).encode()
    (folder / MANIFEST).write_bytes(content)
    return digest(content)


def damage(file: Path) -> None:
    """Change one byte in the middle of a file."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def named(version: str, bundle: Path | str, sha256: str) -> release.Release:
    return release.Release(version=version, bundle=str(bundle), sha256=sha256)


def manifest_of(
    champion: release.Release, revision: int = 1, challenger: release.Release | None = None, share: float = 0.0
) -> release.Manifest:
    changed = release.ManifestChange(at="2026-11-21T14:05:00+00:00", by="a test", why="to see")
    traffic = release.TrafficSplit(champion=1 - share, challenger=share)
    return release.Manifest(
        revision=revision, name=NAME, champion=champion, challenger=challenger, traffic=traffic, changed=changed
    )


def write_manifest(location: str, manifest: release.Manifest) -> None:
    places.write(location, manifest.model_dump_json(indent=2).encode())


def read_manifest(location: str) -> release.Manifest:
    return release.parse(places.read(location), location)


def answer(model: LiveModel, key: str | None = None) -> float:
    return float(model.current(key).predictor.predict(rows())[0])


def rows(count: int = 1, categories: int = 0) -> Rows:
    return Rows(np.full((count, 2), 2.0), np.zeros((count, categories), np.int32))


def eventually(is_so: Callable[[], bool], seconds: float = 30.0) -> bool:
    """Whether a condition becomes true; the limit is generous, because it only guards against a hang."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
