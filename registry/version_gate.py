"""The gate for a registered version: it and the champion predict the same rows, which neither was trained on."""

from collections.abc import Sequence
from uuid import UUID

import pandas as pd
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from sklearn.pipeline import Pipeline
from zenml.client import Client

from registry import configs
from registry.mlflow_registry import load
from registry.releases import Releases
from tabular.config.stages import GateConfig, TargetConfig
from tabular.errors import UserError
from tabular.learning import gate
from tabular.learning.answers import PairedAnswers, beside_baseline, neither_saw, paired_answers
from tabular.learning.model_config import Input, breaking_changes
from tabular.reports.training import GateDecision


def judge(
    view: Releases, version: ModelVersion, champion_number: str | None, config: GateConfig | None = None
) -> GateDecision:
    """Decide whether a version may become champion in place of the present one, if there is one.

    Without a configuration of the gate, the limits and the tolerance that the version was registered with apply.

    Raises:
        UserError: the version was registered without its `model_config.yaml`.
    """
    challenger = RegisteredVersion(view.client, view.name, str(version.version))
    rules = config or challenger.config.gate.config
    champion = hold(view.client, view.name, champion_number)
    return gate.decide(
        challenger.config.metrics,
        challenger.config.task,
        rules,
        challenger.config.seed,
        obstacles(challenger.config.data.source, challenger.config.inputs, champion),
        between(challenger, champion, rules.metric),
    )


class RegisteredVersion:
    """A registered version with its configuration; its model and its rows are loaded when they are asked for."""

    def __init__(self, client: MlflowClient, name: str, number: str) -> None:
        self.version = client.get_model_version(name, number)
        self.number = number
        self.config = configs.read(client, self.version)
        self.target = TargetConfig(column=self.config.target, task=self.config.task)

    def model(self) -> Pipeline:
        """The fitted pipeline."""
        return load(self.version)

    def rows(self) -> tuple[pd.DataFrame, pd.DataFrame] | None:
        """The training rows and the held-out rows; None if the artifact store of this stack does not hold them."""
        kept = self.config.artifacts
        train, held_out = _rows(kept.train_rows), _rows(kept.test_rows)
        return None if train is None or held_out is None else (train, held_out)


def hold(client: MlflowClient, name: str, number: str | None) -> RegisteredVersion | str | None:
    """The version to compare with, or the reason why that is not possible; None if `number` is None."""
    if number is None:
        return None
    try:
        return RegisteredVersion(client, name, number)
    except UserError as error:
        return f"cannot tell: {error}"


def obstacles(data_source: str, inputs: Sequence[Input], champion: RegisteredVersion | str | None) -> list[str]:
    """The reasons, in words, why a model must not become champion whatever it scores.

    It must not need inputs that the clients of the present champion do not send.
    """
    found = ["it was trained on the built-in sample, not on real data"] if data_source == "sample" else []
    if isinstance(champion, RegisteredVersion):
        found += breaking_changes(champion.config.inputs, inputs)
    return found


def between(
    challenger: RegisteredVersion, champion: RegisteredVersion | str | None, metric: str | None = None
) -> PairedAnswers | str | None:
    """The answers of both for rows that neither was trained on, or the reason why there are none.

    Without a champion, these are the answers of the challenger and of the baseline; None without the rows.
    """
    if isinstance(champion, str):
        return champion
    if champion is not None and champion.number == challenger.number:
        return f"version {champion.number} is the champion already, and cannot be compared with itself"
    rows = challenger.rows()
    if rows is None and champion is None:
        return None
    if rows is None:
        return f"cannot tell: the rows of version {challenger.number} are not in the artifact store of this stack"
    sha256 = challenger.config.data.held_out_sha256
    return against(challenger.model(), *rows, sha256, challenger.target, champion, metric)


def against(
    model: Pipeline,
    train_rows: pd.DataFrame,
    held_out_rows: pd.DataFrame,
    held_out_sha256: str,
    target: TargetConfig,
    champion: RegisteredVersion | str | None,
    metric: str | None,
) -> PairedAnswers | str:
    """The answers of a fitted model and of the champion, or of the baseline where there is none, for the same rows.

    A reason that `hold` gave instead of a champion is returned.

    Args:
        model: the challenger, fitted on `train_rows` and scored on `held_out_rows`.
        train_rows, held_out_rows: rows with the target.
        held_out_sha256: content hash of the held-out rows, by which equal rows are recognised without being read.
        target: the target and the task of the challenger.
        champion: result of `hold`.
        metric: the one that decides, for which the baseline is chosen.
    """
    if champion is None:
        return beside_baseline(model, train_rows, held_out_rows, target, metric)
    if isinstance(champion, str):
        return champion
    if (champion.config.target, champion.config.task) != (target.column, target.task):
        of = f"{champion.config.target} ({champion.config.task})"
        return f"cannot tell: version {champion.number} predicts something else, {of}"
    if champion.config.data.held_out_sha256 == held_out_sha256:
        rows, words = held_out_rows, f"{len(held_out_rows):,} held-out rows"
    else:
        others = champion.rows()
        if others is None:
            said = f"cannot tell: version {champion.number} was held to other rows, and its own"
            return f"{said} are not in the artifact store of this stack, so nobody knows which rows neither has seen"
        rows = neither_saw(train_rows, held_out_rows, *others)
        words = f"{len(rows):,} rows that neither was trained on"
    try:
        present = champion.model()
    except UserError as error:
        return f"cannot tell: {error}"
    return paired_answers(model, present, rows, target, champion.number, words)


def _rows(artifact: str | None) -> pd.DataFrame | None:
    if artifact is None:
        return None
    try:
        found = Client().get_artifact_version(UUID(artifact))
    except KeyError:
        return None  # another ZenML server made it
    if found.artifact_store_id != Client().active_stack.artifact_store.id:
        return None
    rows: pd.DataFrame = found.load()
    return rows
