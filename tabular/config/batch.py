"""The run configuration of the batch pipeline: ZenML's own file, with our model as its `parameters`."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from tabular.config.base import Items, StrictModel
from tabular.config.monitoring import DriftConfig, ScheduleConfig
from tabular.config.reading import ReadingConfig
from tabular.config.run_file import RunFile
from tabular.config.stages import ValidationConfig


def _columns(value: Any) -> Any:
    if (isinstance(value, list | tuple) and all(isinstance(name, str) for name in value)) or value == "all":
        return value
    raise ValueError(f"{value!r} is no list of columns; write [{value}], or all")


class BatchConfig(StrictModel):
    """What is scored, by what, and where the answers go."""

    model: Annotated[str, Field(min_length=1)]
    """The registered model."""
    version: Annotated[str, Field(min_length=1)] = "champion"
    """A number in quotes, an alias, or `newest`."""
    input: Annotated[str, Field(min_length=1)]
    """A CSV or Parquet file, or a folder of files of one kind: a path, or an address such as gs://bucket/folder."""
    output: Annotated[str, Field(min_length=1)]
    """A folder: a path or an address. What another input, model or config left there is never mixed with this."""
    chunk_rows: Annotated[int, Field(ge=100, le=1_000_000)] = 50_000
    """Rows in memory at a time, and in one file of the output."""
    threads: Annotated[int, Field(ge=1, le=64)] | None = None
    """Of the predictor; as many as there are cores when unset."""
    keep: Annotated[Items[str] | Literal["all"], BeforeValidator(_columns)] = ()
    """Columns of the input that the output repeats, such as an identifier."""
    reading: ReadingConfig = ReadingConfig()
    """How the files are written."""
    validation: ValidationConfig = ValidationConfig()
    """The contract with the data; what breaks it is scored, counted and reported."""
    max_rejected: Annotated[float, Field(ge=0, le=1)] = 0.05
    """The run fails when a larger share of the rows could not be scored; all files are written all the same."""
    drift: DriftConfig = DriftConfig()
    minimum: Annotated[int, Field(ge=30)] = 200
    """With fewer rows drift is not judged."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 42
    """Of the sample in the report."""


class BatchParameters(StrictModel):
    """The parameters of the batch pipeline."""

    batch: BatchConfig


class BatchFile(RunFile):
    """`configs/batch.yaml`: what `zenml pipeline run` and `run.py` both read."""

    parameters: BatchParameters
    schedule: ScheduleConfig | None = None
    """For orchestrators that can schedule."""
