"""One config model for each stage of the training pipeline; a step receives only the models that it uses."""

import datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from tabular.config.base import ColumnName, Items, StrictModel
from tabular.config.expression import ExpressionText
from tabular.config.reading import ReadingConfig

Task = Literal["regression", "classification"]
ClassWeight = Literal["balanced"] | None
Share = Annotated[float, Field(gt=0, lt=1)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


MAX_BYTES = 1_000_000_000
"""The most bytes that a compressed table may hold, unless a run file says otherwise."""


def _day(value: Any) -> Any:
    """Turn the date that YAML reads from an unquoted day back into text, and check days that are text already."""
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, str):
        try:
            return datetime.date.fromisoformat(value).isoformat()
        except ValueError:
            raise ValueError(f"{value!r} is not a day in ISO 8601, such as 2024-02-29") from None
    return value


Day = Annotated[str, BeforeValidator(_day)]
"""A day as text: YYYY-MM-DD."""

REGRESSION_METRICS = ("r2", "rmse", "mae", "mape", "smape", "wmape", "median_ape", "within_10pct")
CLASSIFICATION_METRICS = (
    "accuracy",
    "balanced_accuracy",
    "precision_macro",
    "recall_macro",
    "f1_macro",
    "precision_weighted",
    "recall_weighted",
    "f1_weighted",
    "roc_auc",
    "log_loss",
)
HIGHER_IS_BETTER = frozenset({"r2", "within_10pct", *CLASSIFICATION_METRICS} - {"log_loss"})


class DataConfig(StrictModel):
    """The source of the table: `path` if it is set, else `url`, else the built-in sample."""

    path: str | None = None
    """A CSV, Parquet or .tgz file: a local path (relative to the current folder), `https://` or `gs://`."""
    sha256: Sha256 | None = None
    """Expected sha256 of the file at `path`; not checked if unset."""
    url: str | None = None
    """A public address to download from if `path` is not set; the download is kept in the cache."""
    url_sha256: Sha256 | None = None
    """Expected sha256 of the download; required with `url`."""
    offline_sample: bool = True
    """Train on the built-in sample if `url` cannot be reached. Such a model is never promoted."""
    sample: str | None = None
    """The file that describes the built-in sample, relative to the repository."""
    max_bytes: Annotated[int, Field(gt=0)] = MAX_BYTES
    """The most bytes that a compressed file (gzip, .tgz, Parquet) may hold once it is unpacked."""
    drop_columns: Items[ColumnName] = ()
    """Columns that are dropped after reading, such as identifiers; the model never sees them."""
    drop_duplicates: bool = False
    """Whether rows that repeat an earlier row in every column are dropped."""
    reading: ReadingConfig = ReadingConfig()

    @model_validator(mode="after")
    def _has_a_source(self) -> "DataConfig":
        if self.path is None and self.url is None and self.sample is None:
            raise ValueError("no data: set 'path', 'url' or 'sample'")
        if self.url is not None and self.url_sha256 is None:
            raise ValueError("'url' needs 'url_sha256', so that a changed or damaged download is noticed")
        return self


class TargetConfig(StrictModel):
    """The target column and the kind of prediction."""

    column: ColumnName
    """Name of the target column."""
    task: Task = "regression"
    """`regression` for a number, `classification` for a label."""
    class_weight: ClassWeight = None
    """With `balanced`, rows of rare classes get larger weights while fitting, so that all classes weigh the same."""
    calibrate: bool = True
    """Whether one temperature scales a classification's probabilities, if that lowers the out-of-fold log loss."""

    @model_validator(mode="after")
    def _fits_its_task(self) -> "TargetConfig":
        if self.class_weight is not None and self.task == "regression":
            raise ValueError("'class_weight' is for a classification; leave it out, or set task: classification")
        return self


class ColumnConfig(StrictModel):
    """The rules for one column. Every rule that is set is checked."""

    kind: Literal["number", "category", "date"]
    """`number` is any number; `category` is text, a boolean or a code; `date` is a day or a moment in ISO 8601."""
    min: float | None = None
    """Smallest valid value."""
    max: float | None = None
    """Largest valid value."""
    earliest: Day | None = None
    """First valid day of a date, ISO 8601."""
    latest: Day | None = None
    """Last valid day of a date, ISO 8601."""
    categories: Items[str] | None = None
    """Valid categories; any category is valid if unset."""
    max_missing: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Largest tolerated share of missing values, 0 to 1."""

    @model_validator(mode="after")
    def _fits_its_kind(self) -> "ColumnConfig":
        if self.kind != "number" and (self.min is not None or self.max is not None):
            raise ValueError(f"'min' and 'max' are for a number, not for a {self.kind}")
        if self.kind != "date" and (self.earliest is not None or self.latest is not None):
            raise ValueError(f"'earliest' and 'latest' are for a date, not for a {self.kind}")
        if self.kind != "category" and self.categories is not None:
            raise ValueError(f"'categories' are for a category, not for a {self.kind}")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"'min' ({self.min:g}) must not be above 'max' ({self.max:g})")
        if self.earliest is not None and self.latest is not None and self.earliest > self.latest:
            raise ValueError(f"'earliest' ({self.earliest}) must not be after 'latest' ({self.latest})")
        return self


class ValidationConfig(StrictModel):
    """The rules that the table must keep. All failures are reported together."""

    columns: dict[ColumnName, ColumnConfig] = {}
    """Rules by column name; a column that is listed must exist."""
    other_columns: Literal["allow", "refuse"] = "allow"
    """Whether columns that are not listed are allowed or refused."""
    min_rows: Annotated[int, Field(ge=2)] = 50
    """Smallest number of rows."""
    max_duplicate_share: Annotated[float, Field(ge=0, le=1)] = 0.05
    """Largest tolerated share of rows that repeat an earlier row, 0 to 1."""


class SplitConfig(StrictModel):
    """How held-out rows are chosen before anything is fitted."""

    held_out: Share = 0.2
    """Share of rows that are held out for the final evaluation."""
    stratify: ColumnName | None = None
    """A column whose distribution is kept in both parts: by class, or by ten quantile bins of a number."""
    tuning_rows: Annotated[int, Field(ge=100)] | None = 30_000
    """Largest number of training rows, drawn with the seed, that choose imputation, features, algorithm and parameters;
    the model itself is fitted on all training rows. If unset, all training rows are used to choose."""


class ImputationConfig(StrictModel):
    """How imputation strategies are compared on known values that are masked."""

    strategies: Annotated[Items[Literal["median", "mean", "knn", "iterative"]], Field(min_length=1)] = (
        "median",
        "mean",
        "knn",
        "iterative",
    )
    """Strategies to compare."""
    masked: Share = 0.2
    """Share of the known values that are masked in each column with missing values."""
    neighbours: Annotated[int, Field(ge=1)] = 5
    """Number of neighbours of the strategy `knn`."""


class ClusterConfig(StrictModel):
    """KMeans clusters of a few columns, most often coordinates."""

    columns: Annotated[Items[ColumnName], Field(min_length=1)]
    """Columns to cluster; they should have the same unit, because distances mix them."""
    counts: Annotated[Items[Annotated[int, Field(ge=2)]], Field(min_length=1)]
    """Numbers of clusters to try; the cross-validated error of a model decides."""
    encoding: Literal["similarity", "label"] = "similarity"
    """`similarity` gives an RBF similarity (0 to 1) to each centre, `label` the nearest centre as one-hot columns."""
    silhouette_rows: Annotated[int, Field(ge=100)] = 2000
    """Number of rows, drawn with the seed, for the silhouette and Davies-Bouldin figures."""


DatePart = Literal["year", "month", "day_of_week", "day_of_year", "age"]


class FeatureConfig(StrictModel):
    """Columns that the model gets in addition to the raw ones."""

    expressions: dict[str, ExpressionText] = {}
    """Derived columns by their new name, such as `rooms_per_household: total_rooms / households`: numbers, columns (in
    backticks where a name is not a word), + - * / **, parentheses, min, max, abs, log, log1p, sqrt, exp. A division by
    zero gives 0."""
    dates: Annotated[Items[DatePart], Field(min_length=1)] = ("year", "month", "day_of_week", "age")
    """Parts that replace a date column; `day_of_week` is 0 for Monday, `age` counts from the latest training date."""
    target_encoding: Items[ColumnName] = ()
    """Category columns, usually those with very many values, that become the cross-fitted mean target by category."""
    clusters: ClusterConfig | None = None
    """Clusters of a few columns, such as coordinates; none if unset."""


class SelectionConfig(StrictModel):
    """Which algorithms are compared by cross-validation on the training rows, with a few parameter sets each."""

    algorithms: Annotated[Items[str], Field(min_length=1)] = (
        "linear",
        "lightgbm",
        "hist_gradient_boosting",
        "xgboost",
        "random_forest",
    )
    """Names of algorithms in `tabular/learning/algorithms.py`; if several tie, the first in this list wins."""
    target_transforms: Annotated[Items[Literal["none", "log"]], Field(min_length=1)] = ("none", "log")
    """Transforms of a regression's target to try; `log` is left out if a target value is not positive."""
    folds: Annotated[int, Field(ge=2)] = 3
    """Number of cross-validation folds."""
    metric: str = "wmape"
    """Metric that decides."""


class SearchConfig(StrictModel):
    """Bayesian optimisation of the algorithm that won the selection."""

    spaces: str = "configs/search"
    """Folder of the sweep files, relative to the repository; the file of an algorithm is `<algorithm>.yaml`."""
    trials: Annotated[int, Field(ge=1)] = 50
    """Number of trials."""
    folds: Annotated[int, Field(ge=2)] = 4
    """Number of cross-validation folds."""
    backend: Literal["optuna", "wandb"] = "optuna"
    """What draws the parameters: `optuna` on this machine (resumable), or a `wandb` sweep (needs an account)."""


class EvaluationConfig(StrictModel):
    """How the model is scored on the held-out rows."""

    bootstrap: Annotated[int, Field(ge=100)] = 1000
    """Number of bootstrap resamples for each interval."""
    confidence: Share = 0.95
    """Coverage of each interval, 0 to 1."""
    slices: Items[ColumnName] = ()
    """Columns whose parts get metrics of their own: each category, or the quartiles of a number."""
    explained_rows: Annotated[int, Field(ge=10)] = 500
    """Number of held-out rows, drawn with the seed, for SHAP values and permutation importances."""
    folds: Annotated[int, Field(ge=2)] = 5
    """Number of folds in which the tuned model is cross-validated on the training rows as well."""


class GateConfig(StrictModel):
    """The conditions for promoting a model."""

    metric: str = "wmape"
    """Metric by which a challenger is compared with the champion."""
    limits: dict[str, float] = {}
    """Worst tolerated value of each metric on held-out rows; a model beyond one of them is rejected."""
    tolerance: Annotated[float, Field(ge=0)] = 0.0
    """How much worse than the champion, in units of `metric`, still counts as equally good."""
    resamples: Annotated[int, Field(ge=2000)] = 2000
    """Number of resamples of the paired bootstrap."""
    confidence: Share = 0.95
    """Coverage of the interval of the difference, 0 to 1."""


class TrackConfig(StrictModel):
    """What is sent to the trackers of the stack."""

    trials: Literal["table", "runs"] = "table"
    """How W&B gets the trials: `table` sends one table with a chart, `runs` sends a run for each trial (slower)."""
