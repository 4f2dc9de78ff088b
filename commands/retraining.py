"""Another training, because the verdict of monitoring asks for it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from commands.common import arguments
from commands.common.arguments import Configuration
from commands.common.execution import RunRequest
from commands.common.failures import ending
from tabular.config.monitoring import MonitoringConfig
from tabular.config.training import TrainingFile
from tabular.errors import UserError
from tabular.reports.verdicts import Verdict
from tabular.table.sources import locate, read_table

if TYPE_CHECKING:
    from registry.watching import Watch


def training_configuration(config: MonitoringConfig, root: Path, data: dict[str, Any] | None = None) -> Configuration:
    """Read the training's run configuration, with the keys that monitoring overrides, and those in `data`.

    Raises:
        UserError: the file does not exist, is broken, is not a training, or trains another model.
    """
    train = config.training
    overrides = [f"{key}={json.dumps(value)}" for key, value in (dict(train.overrides) | (data or {})).items()]
    configuration = arguments.read(root / train.config, overrides)
    if not isinstance(configuration.resolved, TrainingFile):
        raise UserError(f"monitoring.training.config: {train.config} is not a training")
    if configuration.resolved.model.name != config.model:
        raise UserError(
            f"monitoring.training.config: {train.config} trains '{configuration.resolved.model.name}', "
            f"and '{config.model}' is watched; set training.overrides: {{model.name: {config.model}}}"
        )
    return configuration


def retrain(config: MonitoringConfig, verdict: Verdict, root: Path, console: Console) -> bool:
    """Run the training pipeline, unless a training is under way already; its gate decides about promotion.

    Returns:
        False where the training failed; True where it ended well, or none had to be run.
    """
    from commands import training
    from registry.watching import open_watch
    from trackers import notifying

    watch = open_watch(config.model)
    note = watch.begin(verdict, datetime.now(UTC))
    if isinstance(note, str):
        console.print(f"no training was begun: {escape(note)}", soft_wrap=True)
        return True
    run, outcome = None, "it was interrupted"
    try:
        data = {} if config.training.data == "config" else keep_newest_table(config, root, watch, console)
        configuration = training_configuration(config, root, data)
        console.print(f"training on the newest data: {config.training.config}", soft_wrap=True)
        began = datetime.now(UTC)
        code = training.run(RunRequest(configuration, (), None, use_cache=True), root)
        file = root / "reports" / "latest" / "summary.json"
        is_new = file.is_file() and file.stat().st_mtime >= began.timestamp()
        found: dict[str, Any] = json.loads(file.read_text()) if is_new else {}
        if found.get("pipeline") != "training":  # the training did not come to its end
            outcome = f"it failed with exit code {code}"
        else:
            model = found["model"] or {}
            alias = f"as {model['alias']}" if model.get("alias") else "without an alias"
            run, outcome = found["run"], f"version {model.get('version')} {alias}: {found['gate_reasons'][0]}"
    except Exception as error:
        if (end := ending(error)) is None:
            raise
        outcome = end.line
    finally:
        watch.end(note, "failed" if run is None else "done", run, outcome)
    words = f"the retraining failed: {outcome}" if run is None else f"{config.model} was retrained: {outcome}"
    console.print(escape(words), soft_wrap=True)
    sent = notifying.post(words, {"verdict": verdict.model_dump(mode="json"), "retrained": run is not None})
    console.print(escape(sent.words), soft_wrap=True)
    return run is not None


def keep_newest_table(config: MonitoringConfig, root: Path, watch: "Watch", console: Console) -> dict[str, Any]:
    """Store the table of the training config with the logged rows at its end. Returns what the training overrides.

    Raises:
        UserError: the table is the built-in sample, or no logged row has a true value.
    """
    from tabular.monitoring import feedback_table
    from tabular.prediction_log.windows import labelled_rows

    resolved = training_configuration(config, root).resolved
    assert isinstance(resolved, TrainingFile)
    given = resolved.parameters
    source = locate(given.data, root / ".cache" / "data", root, given.validation.columns)
    if source.kind == "sample":
        raise UserError("the training config has only the built-in sample: real rows and made ones are not mixed")
    rows, _ = read_table(source, given.target.column, False, given.seed)
    span = (datetime.fromtimestamp(0, UTC), datetime.now(UTC))
    labelled = labelled_rows(config.log, config.model, *span, config.training.feedback_rows)
    table, added, left_out = feedback_table.with_feedback(
        rows, labelled, given.target.column, given.target.task, given.validation.columns
    )
    content, sha256 = feedback_table.to_parquet(table)
    refused = f", {left_out:,} that break a rule of the validation were left out" if left_out else ""
    console.print(f"{added:,} logged rows with a true value are added to {len(rows):,}{refused}", soft_wrap=True)
    return {"data.path": watch.keep_table(content, sha256), "data.sha256": sha256}
