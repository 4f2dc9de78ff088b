"""Training on the newest data, because the monitor says that it is time."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from commands.common import arguments
from commands.common.arguments import Configuration
from commands.common.execution import RunRequest
from tabular.config.monitoring import MonitoringConfig
from tabular.config.training import TrainingFile
from tabular.errors import UserError
from tabular.reports.verdicts import Verdict
from tabular.storage import places
from tabular.table.sources import locate, read_table

DATA = "monitoring/data"
"""Where tables with rows from the log lie, in the model's folder in the artifact store."""


def ensure_trainable(config: MonitoringConfig, root: Path) -> None:
    """Read the training's run configuration before any work.

    Raises:
        UserError: there is none, it is broken, or it trains another model.
    """
    _training(config, root, {})


def retrain(config: MonitoringConfig, verdict: Verdict, root: Path, console: Console) -> bool:
    """Run the training pipeline, unless that is under way already; its gate decides about promotion.

    Args:
        config: which training, on which rows.
        verdict: why.
        root: the repository.
        console: where to say what is done.

    Returns:
        Whether a training that had to be run has come to an end.
    """
    from commands import training
    from registry.stack import open_releases
    from registry.watching import Watch
    from trackers import notifying

    releases = open_releases(config.model, root)
    watch = Watch(releases.store)
    note = watch.begin(verdict, datetime.now(UTC))
    if isinstance(note, str):
        console.print(f"no training was begun: {escape(note)}", soft_wrap=True)
        return True
    state, run, outcome = "failed", None, "it was interrupted"
    try:
        data = {} if config.training.data == "config" else _newest_table(config, root, releases.store, console)
        configuration = _training(config, root, data)
        console.print(f"training on the newest data: {config.training.config}", soft_wrap=True)
        began = datetime.now(UTC)
        code = training.run(RunRequest(configuration), root)
        found = _summary(root, began)
        if found is not None:
            state, run, outcome = "done", found["run"], _outcome(found)
        else:
            outcome = f"it failed with exit code {code}"
    except UserError as error:
        outcome = str(error)
    finally:
        watch.end(note, "done" if state == "done" else "failed", run, outcome)
    words = f"{config.model} was retrained: {outcome}" if state == "done" else f"the retraining failed: {outcome}"
    console.print(escape(words), soft_wrap=True)
    sent = notifying.post(words, {"verdict": verdict.model_dump(mode="json"), "retrained": state == "done"})
    console.print(escape(sent.words), soft_wrap=True)
    return state == "done"


def _training(config: MonitoringConfig, root: Path, data: dict[str, Any]) -> Configuration:
    """The training's configuration with what is to differ."""
    train = config.training
    overrides = [f"{key}={json.dumps(value)}" for key, value in (dict(train.overrides) | data).items()]
    configuration = arguments.read(root / train.config, overrides)
    if not isinstance(configuration.resolved, TrainingFile):
        raise UserError(f"monitoring.training.config: {train.config} is no training")
    if configuration.resolved.model.name != config.model:
        raise UserError(
            f"monitoring.training.config: {train.config} trains '{configuration.resolved.model.name}', "
            f"and '{config.model}' is watched; set training.overrides: {{model.name: {config.model}}}"
        )
    return configuration


def _newest_table(config: MonitoringConfig, root: Path, store: Any, console: Console) -> dict[str, Any]:
    """Write the table of the training config with the logged rows at its end. Returns what the training overrides.

    Raises:
        UserError: the table is the built-in sample, or no logged row has a true value.
    """
    from tabular.monitoring import feedback_table
    from tabular.prediction_log.windows import labelled_rows

    resolved = _training(config, root, {}).resolved
    assert isinstance(resolved, TrainingFile)
    given = resolved.parameters
    source = locate(given.data, root / ".cache" / "data", root, given.validation.columns)
    if source.kind == "sample":
        raise UserError("the training config has only the built-in sample: real rows and made ones are not mixed")
    rows, _ = read_table(source, given.target.column, False, given.seed)
    span = (datetime.fromtimestamp(0, UTC), datetime.now(UTC))
    labelled = labelled_rows(config.log, config.model, *span, config.training.feedback_rows)
    made = feedback_table.with_feedback(
        rows, labelled, given.target.column, given.target.task, given.validation.columns
    )
    content, sha256 = feedback_table.to_parquet(made.rows)
    name = f"{DATA}/{sha256}.parquet"
    store.write(name, content)
    refused = f", {made.refused:,} that break a rule of the validation were left out" if made.refused else ""
    console.print(f"{made.added:,} logged rows with a true value are added to {len(rows):,}{refused}", soft_wrap=True)
    return {"data.path": places.join(store.location, name), "data.sha256": sha256}


def _summary(root: Path, began: datetime) -> dict[str, Any] | None:
    """What the training left; None where it came to no end."""
    file = root / "reports" / "latest" / "summary.json"
    if not file.is_file() or file.stat().st_mtime < began.timestamp():
        return None
    found: dict[str, Any] = json.loads(file.read_text())
    return found if found["pipeline"] == "training" else None


def _outcome(found: dict[str, Any]) -> str:
    model = found["model"] or {}
    alias = model.get("alias")
    return (
        f"version {model.get('version')}{f' as {alias}' if alias else ' without an alias'}: {found['gate_reasons'][0]}"
    )
