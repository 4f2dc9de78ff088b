"""Findings of a small run, with names that are hard on a tracker, and pictures in a folder."""

from pathlib import Path
from typing import Any

from tabular.pages.pictures import png_files
from tabular.reports.registered import Registration
from tabular.reports.training import BestParameters, Interval, Provenance, ValidationReport
from tests.support.reports import features, gate, imputation, leaderboard, regression, search
from trackers.findings import Findings

SWEEP = {
    "method": "bayes",
    "metric": {"name": "wmape", "goal": "minimize"},
    "parameters": {"rate": {"min": 0.001, "max": 1.0}, "leaves": {"min": 8, "max": 9}, "fixed": {"value": 5}},
    "early_terminate": {"type": "hyperband", "min_iter": 1, "eta": 3},
}
HARD = "sea_<1 km / ö (%)"
IMPORTANCES = {"rooms": 0.5, HARD: 0.25, "a//b": 0.125}


def findings(folder: Path, **changes: Any) -> Findings:
    """Everything that a tracker is sent; the pictures of two reports and a page are written to `folder`."""
    for report in (imputation(), features()):
        for name, content in png_files(report).items():
            (folder / f"{name}.png").write_bytes(content)
    (folder / "evaluation.html").write_text("<p>höher</p>")
    trials = search([12.0, 11.0, 10.5, 20.0], pruned=(3,))
    trials = trials.model_copy(
        update={
            "sweep": SWEEP,
            "trials": [
                trial.model_copy(update={"importances": IMPORTANCES if trial.number else {}}) for trial in trials.trials
            ],
        }
    )
    given: dict[str, Any] = {
        "provenance": Provenance(
            data_source="path", location="t.csv", sha256="cd" * 32, rows=90, columns=["a"], duplicates_dropped=0
        ),
        "validation": ValidationReport(rows=90, duplicates=0, columns=[], failures=[]),
        "imputation": imputation(("rooms", HARD)),
        "features": features(),
        "leaderboard": leaderboard(),
        "best": BestParameters(algorithm="lightgbm", target_transform="log", parameters=trials.trials[2].parameters),
        "search": trials,
        "evaluation": regression(),
        "decision": gate(Interval(value=1.0, low=0.5, high=1.5)),
        "registration": Registration(
            name="homes",
            version="3",
            model_sha256="ab" * 32,
            run_id="0123456789abcdef",
            reused=False,
        ),
        "seed": 42,
        "trials": "table",
        "pictures": {path.name: str(path) for path in sorted(folder.iterdir())},
    }
    return Findings(**(given | changes))
