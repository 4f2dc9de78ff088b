"""The reports of a small run, with names that are hard on a tracker, and pictures in a folder."""

from pathlib import Path
from typing import Any

from tabular.pages.pictures import png_files
from tabular.reports.registered import Registration
from tabular.reports.training import (
    BestParameters,
    CrossValidation,
    Interval,
    Provenance,
    TrainingFindings,
    ValidationReport,
)
from tests.support.reports import features, gate, imputation, leaderboard, regression, search

SWEEP = {
    "method": "bayes",
    "metric": {"name": "wmape", "goal": "minimize"},
    "parameters": {"rate": {"min": 0.001, "max": 1.0}, "leaves": {"min": 8, "max": 9}, "fixed": {"value": 5}},
    "early_terminate": {"type": "hyperband", "min_iter": 1, "eta": 3},
}
REGISTRATION = Registration(name="homes", version="3", model_sha256="ab" * 32, run_id="0123456789abcdef", reused=False)
HARD = "sea_<1 km / ö (%)"
IMPORTANCES = {"rooms": 0.5, HARD: 0.25, "a//b": 0.125}


def pictures(folder: Path) -> dict[str, str]:
    """Write the pictures of two reports and a page to a folder. Returns their paths by file name."""
    folder.mkdir(exist_ok=True)
    for report in (imputation(), features()):
        for name, content in png_files(report).items():
            (folder / f"{name}.png").write_bytes(content)
    (folder / "evaluation.html").write_text("<p>höher</p>")
    return {path.name: str(path) for path in sorted(folder.iterdir())}


def findings(**changes: Any) -> TrainingFindings:
    """The reports of a small run."""
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
        "validation_report": ValidationReport(rows=90, duplicates=0, columns=[], failures=[]),
        "imputation_report": imputation(("rooms", HARD)),
        "feature_report": features(),
        "leaderboard": leaderboard(),
        "best_parameters": BestParameters(
            algorithm="lightgbm", target_transform="log", parameters=trials.trials[2].parameters
        ),
        "search_report": trials,
        "cross_validation": CrossValidation(
            rows=90, metrics={}, temperature=1.0, log_loss_uncalibrated=None, log_loss_calibrated=None
        ),
        "evaluation": regression(),
        "gate_decision": gate(Interval(value=1.0, low=0.5, high=1.5)),
    }
    return TrainingFindings(**(given | changes))
