"""The run configuration of the training pipeline: a ZenML file with these models as its `parameters`."""

from typing import Annotated

from pydantic import Field, model_validator

from tabular.config import stages
from tabular.config.base import Items, ModelName, RunFile, StrictModel


class TrainingParameters(StrictModel):
    """The parameters of the training pipeline, a section for each stage."""

    seed: Annotated[int, Field(ge=0, lt=2**31)] = 42
    """Seed of every random choice in the run."""
    data: stages.DataConfig
    target: stages.TargetConfig
    validation: stages.ValidationConfig = stages.ValidationConfig()
    split: stages.SplitConfig = stages.SplitConfig()
    imputation: stages.ImputationConfig = stages.ImputationConfig()
    features: stages.FeatureConfig = stages.FeatureConfig()
    selection: stages.SelectionConfig = stages.SelectionConfig()
    search: stages.SearchConfig = stages.SearchConfig()
    evaluation: stages.EvaluationConfig = stages.EvaluationConfig()
    gate: stages.GateConfig = stages.GateConfig()
    track: stages.TrackConfig = stages.TrackConfig()

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> "TrainingParameters":
        known = stages.REGRESSION_METRICS if self.target.task == "regression" else stages.CLASSIFICATION_METRICS
        asked = {"selection.metric": self.selection.metric, "gate.metric": self.gate.metric}
        asked |= {f"gate.limits.{name}": name for name in self.gate.limits}
        for key, metric in asked.items():
            if metric not in known:
                raise ValueError(
                    f"{key}: '{metric}' is not a metric of a {self.target.task}; there are {', '.join(known)}"
                )
        if self.target.column in self.data.drop_columns:
            raise ValueError(f"data.drop_columns contains the target '{self.target.column}'")
        return self


class RegisteredModel(StrictModel):
    """The model as the registry and the dashboard show it."""

    name: ModelName
    """Name in the registry, of up to 100 letters, digits, - and _; versions are counted for each name."""
    description: str | None = None
    """One line that describes the model."""
    tags: Items[str] = ()
    """Words to find the model by."""


class TrainingFile(RunFile):
    """A file such as `configs/train.yaml`, which both `zenml pipeline run` and `run.py` read."""

    model: RegisteredModel
    parameters: TrainingParameters
