"""One model for each stage of the training pipeline; a step receives only the models that it uses."""

import datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from tabular.config.base import Items, StrictModel
from tabular.config.expression import BadExpression, parse
from tabular.config.reading import ReadingConfig

Task = Literal["regression", "classification"]
ClassWeight = Literal["balanced"] | None
Share = Annotated[float, Field(gt=0, lt=1)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def _day(value: Any) -> Any:
    """YAML reads an unquoted day as a date; in a config it is text, which every format can hold."""
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, str):
        try:
            return datetime.date.fromisoformat(value).isoformat()
        except ValueError:
            raise ValueError(f"{value!r} is no day as ISO 8601 writes it, such as 2024-02-29") from None
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
    """Where the table comes from: `path` if it is set, else `url`, else the built-in sample."""

    path: str | None = None
    """A CSV, Parquet or .tgz file: a local path (relative to where the command is typed), `https://` or `gs://`."""
    sha256: Sha256 | None = None
    """What the file at `path` must hash to; not checked when unset."""
    url: str | None = None
    """A public address to download from when `path` is not set; kept in the cache."""
    url_sha256: Sha256 | None = None
    """What the download must hash to; required with `url`."""
    offline_sample: bool = True
    """Train on the built-in sample when `url` cannot be reached. Such a model is never promoted."""
    sample: str | None = None
    """The file that describes the built-in sample, relative to the repository."""
    drop_columns: Items[str] = ()
    """Columns that are set aside at once, such as identifiers; the model never sees them."""
    drop_duplicates: bool = False
    """Drop rows that repeat an earlier row in every column."""
    reading: ReadingConfig = ReadingConfig()

    @model_validator(mode="after")
    def _has_a_source(self) -> "DataConfig":
        if self.path is None and self.url is None and self.sample is None:
            raise ValueError("no data: set 'path', 'url' or 'sample'")
        if self.url is not None and self.url_sha256 is None:
            raise ValueError("'url' needs 'url_sha256', so that a changed or damaged download is noticed")
        return self


class TargetConfig(StrictModel):
    """What is predicted."""

    column: str
    """The name of the target column."""
    task: Task = "regression"
    """`regression` for a number, `classification` for a label."""
    class_weight: ClassWeight = None
    """`balanced`: while fitting, rows of a rare class count for more, so that all classes weigh the same."""
    calibrate: bool = True
    """Scale a classification's probabilities by one temperature, where that lowers the log loss out of fold."""

    @model_validator(mode="after")
    def _fits_its_task(self) -> "TargetConfig":
        if self.class_weight is not None and self.task == "regression":
            raise ValueError("'class_weight' is for a classification; leave it out, or set task: classification")
        return self


class ColumnConfig(StrictModel):
    """What is known of one column. Everything that is set is checked."""

    kind: Literal["number", "category", "date"]
    """`number` is anything numeric; `category` is text, a boolean or a code; `date` is a day or a moment, ISO 8601."""
    min: float | None = None
    """The smallest valid value."""
    max: float | None = None
    """The largest valid value."""
    earliest: Day | None = None
    """The first valid day of a date, ISO 8601."""
    latest: Day | None = None
    """The last valid day of a date, ISO 8601."""
    categories: Items[str] | None = None
    """The valid categories; any when unset."""
    max_missing: Annotated[float, Field(ge=0, le=1)] = 0.0
    """The largest tolerated share of missing values, 0 to 1."""

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
    """The contract with the data. All failures are reported together."""

    columns: dict[str, ColumnConfig] = {}
    """The known columns by name; a column that is listed must be there."""
    other_columns: Literal["allow", "refuse"] = "allow"
    """What to do about a column that is not listed."""
    min_rows: Annotated[int, Field(ge=2)] = 50
    """Fewer rows than this are refused."""
    max_duplicate_share: Annotated[float, Field(ge=0, le=1)] = 0.05
    """The largest tolerated share of rows that repeat an earlier row, 0 to 1."""


class SplitConfig(StrictModel):
    """How the held-out rows are chosen, before anything is fitted."""

    held_out: Share = 0.2
    """The share of rows held out for the one final evaluation."""
    stratify: str | None = None
    """A column whose distribution both parts share: classes as they are, numbers in ten quantile bins."""
    tuning_rows: Annotated[int, Field(ge=100)] | None = 30_000
    """At most so many training rows, drawn with the seed, choose imputation, features, algorithm and parameters; the
    model is fitted on all training rows. All of them choose when unset."""


class ImputationConfig(StrictModel):
    """How the strategies that fill holes are compared, on known values that are masked."""

    strategies: Annotated[Items[Literal["median", "mean", "knn", "iterative"]], Field(min_length=1)] = (
        "median",
        "mean",
        "knn",
        "iterative",
    )
    """The strategies to compare."""
    masked: Share = 0.2
    """The share of known values masked in each column with holes."""
    neighbours: Annotated[int, Field(ge=1)] = 5
    """Neighbours of the KNN strategy."""


class ClusterConfig(StrictModel):
    """KMeans clusters of a few columns, most often coordinates."""

    columns: Annotated[Items[str], Field(min_length=1)]
    """The columns to cluster, in units in which their distances compare."""
    counts: Annotated[Items[Annotated[int, Field(ge=2)]], Field(min_length=1)]
    """How many clusters to try; the model's cross-validated error decides."""
    encoding: Literal["similarity", "label"] = "similarity"
    """`similarity`: an RBF similarity to each centre, 0 to 1; `label`: the nearest centre, one-hot."""
    silhouette_rows: Annotated[int, Field(ge=100)] = 2000
    """Rows drawn (seeded, without replacement) for the silhouette and Davies-Bouldin figures."""


DatePart = Literal["year", "month", "day_of_week", "day_of_year", "age"]


class FeatureConfig(StrictModel):
    """Columns that the model sees beyond the raw ones."""

    expressions: dict[str, str] = {}
    """Derived columns by their new name, such as `rooms_per_household: total_rooms / households`: numbers, columns (in
    backticks where a name is not a word), + - * / **, parentheses, min, max, abs, log, log1p, sqrt, exp. A division by
    zero gives 0."""
    dates: Annotated[Items[DatePart], Field(min_length=1)] = ("year", "month", "day_of_week", "age")
    """What a date column becomes; `day_of_week` is 0 on Mondays, `age` is days before the latest training date."""
    target_encoding: Items[str] = ()
    """Category columns that become the mean of the target by category, cross-fitted: for those of very many values."""
    clusters: ClusterConfig | None = None
    """Geographic clusters; none when unset."""

    @field_validator("expressions")
    @classmethod
    def _can_be_read(cls, expressions: dict[str, str]) -> dict[str, str]:
        for name, text in expressions.items():
            try:
                parse(text)
            except BadExpression as error:
                raise ValueError(f"{name}: {error}") from None
        return expressions


class SelectionConfig(StrictModel):
    """Which algorithms compete, with a small grid each, cross-validated on the training rows."""

    algorithms: Annotated[Items[str], Field(min_length=1)] = (
        "linear",
        "lightgbm",
        "hist_gradient_boosting",
        "xgboost",
        "random_forest",
    )
    """The algorithms by name (`tabular/learning/algorithms.py` lists them); of those that tie, the first one wins."""
    target_transforms: Annotated[Items[Literal["none", "log"]], Field(min_length=1)] = ("none", "log")
    """What a regression's target may be transformed with; `log` is left out where the target is not positive."""
    folds: Annotated[int, Field(ge=2)] = 3
    """Cross-validation folds."""
    metric: str = "wmape"
    """The metric that decides."""


class SearchConfig(StrictModel):
    """Bayesian optimisation of the algorithm that won the selection."""

    spaces: str = "configs/search"
    """The folder of sweep files, relative to the repository; the winner's is `<algorithm>.yaml`."""
    trials: Annotated[int, Field(ge=1)] = 50
    """How many trials to start."""
    folds: Annotated[int, Field(ge=2)] = 4
    """Cross-validation folds."""
    backend: Literal["optuna", "wandb"] = "optuna"
    """Who draws the points: `optuna`, here and resumable, or `wandb`, a sweep on W&B's server (needs an account)."""


class EvaluationConfig(StrictModel):
    """How the held-out rows are scored, once."""

    bootstrap: Annotated[int, Field(ge=100)] = 1000
    """Resamples behind each interval."""
    confidence: Share = 0.95
    """The coverage of each interval."""
    slices: Items[str] = ()
    """Columns by which the metrics are shown apart: categories as they are, numbers in quartiles."""
    explained_rows: Annotated[int, Field(ge=10)] = 500
    """Held-out rows drawn (seeded) for the SHAP summary and the permutation importances."""
    folds: Annotated[int, Field(ge=2)] = 5
    """Folds in which the final model is cross-validated on the training rows, beside the held-out figures."""


class GateConfig(StrictModel):
    """What a model must reach to be promoted."""

    metric: str = "wmape"
    """The metric by which a challenger is compared with the champion."""
    limits: dict[str, float] = {}
    """The worst value tolerated for each metric, on held-out rows; a model beyond one is rejected."""
    tolerance: Annotated[float, Field(ge=0)] = 0.0
    """How much worse than the champion, in units of `metric`, still counts as as good."""
    resamples: Annotated[int, Field(ge=2000)] = 2000
    """Resamples of the paired bootstrap."""
    confidence: Share = 0.95
    """The coverage of the interval of the difference."""


class TrackConfig(StrictModel):
    """What the stack's trackers are sent."""

    trials: Literal["table", "runs"] = "table"
    """How W&B shows the trials: one `table` with a chart, or one run each in a group, a second or more a trial."""
