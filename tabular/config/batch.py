"""The run configuration of the batch pipeline: a file of ZenML whose `parameters` this model checks."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from tabular.config.base import ColumnName, Items, RunFile, StrictModel
from tabular.config.monitoring import DriftConfig, ScheduleConfig
from tabular.config.reading import ReadingConfig
from tabular.config.stages import ValidationConfig


def _columns(value: Any) -> Any:
    if (isinstance(value, list | tuple) and all(isinstance(name, str) for name in value)) or value == "all":
        return value
    raise ValueError(f"{value!r} is not a list of columns; write [{value}], or all")


class BatchConfig(StrictModel):
    """The input to score, the model, and the place of the answers."""

    model: Annotated[str, Field(min_length=1)]
    """Name of the registered model."""
    version: Annotated[str, Field(min_length=1)] = "champion"
    """A number in quotes, an alias, or `newest`."""
    input: Annotated[str, Field(min_length=1)]
    """Path or address (such as gs://bucket/folder) of a CSV or Parquet file, or of a folder of files of one kind."""
    output: Annotated[str, Field(min_length=1)]
    """Path or address of a folder. The output of another input, model or config is never mixed with this one."""
    chunk_rows: Annotated[int, Field(ge=100, le=1_000_000)] = 50_000
    """Number of rows in memory at a time, and in one file of the output."""
    threads: Annotated[int, Field(ge=1, le=64)] | None = None
    """Number of threads of the predictor; the number of cores when unset."""
    keep: Annotated[Items[ColumnName] | Literal["all"], BeforeValidator(_columns)] = ()
    """The columns of the input that the output repeats, such as an identifier."""
    reading: ReadingConfig = ReadingConfig()
    """How the files are written."""
    validation: ValidationConfig = ValidationConfig()
    """The contract with the data; rows that break it are scored, counted and reported."""
    max_rejected: Annotated[float, Field(ge=0, le=1)] = 0.05
    """Largest share of rows that may be rejected without failing the run; all files are written in any case."""
    drift: DriftConfig = DriftConfig()
    minimum: Annotated[int, Field(ge=30)] = 200
    """Least number of rows for which drift is judged."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 42
    """Seed of the sample in the report."""


class BatchParameters(StrictModel):
    """The parameters of the batch pipeline."""

    batch: BatchConfig


class BatchFile(RunFile):
    """The content of `configs/batch.yaml`, which `zenml pipeline run` and `run.py` both read."""

    parameters: BatchParameters
    schedule: ScheduleConfig | None = None
    """For orchestrators that can schedule."""
