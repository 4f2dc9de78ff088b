"""What each stage of the training found out. `tabular.pages.pictures` draws it, the materializers store it as JSON."""

from typing import Any, Literal

from tabular.reports.report import Report

TargetTransform = Literal["none", "log"]


class Provenance(Report):
    """Where the rows came from."""

    data_source: Literal["path", "url", "sample"]
    location: str
    """The path, the address, or the file that describes the sample; without credentials."""
    sha256: str
    """Of the file's bytes; for the sample, of the table as CSV."""
    rows: int
    columns: list[str]
    duplicates_dropped: int
    without_target_dropped: int = 0
    """Rows that had no target and were left out."""


class Check(Report):
    """One rule of the validation that did not hold."""

    column: str | None
    rule: str
    """What was demanded, in words."""
    failed: int
    """How many rows broke it; 0 for a rule about the whole table."""
    examples: list[str]
    """Up to five offending values."""


class ColumnProfile(Report):
    """One column at a glance."""

    name: str
    dtype: str
    missing: int
    distinct: int
    minimum: float | None
    mean: float | None
    maximum: float | None
    top: list[tuple[str, int]]
    """The most frequent categories with their counts; empty for a number."""


class ValidationReport(Report):
    """What the data is like and which rules it broke."""

    rows: int
    duplicates: int
    columns: list[ColumnProfile]
    failures: list[Check]


class StrategyScore(Report):
    """How well one imputation strategy rebuilds the masked values of one column."""

    column: str
    strategy: str
    rmse: float
    """Root mean squared error in the column's own unit."""
    nrmse: float
    """`rmse` divided by the column's standard deviation, so that columns can be averaged."""
    masked: int
    """How many known values were masked."""


class ImputationReport(Report):
    """Which strategy fills holes, and why."""

    best: str
    scores: list[StrategyScore]
    """Empty where no numeric column has holes."""
    mean_nrmse: dict[str, float]
    """By strategy, the mean over the columns with holes; the smallest wins."""
    seconds: dict[str, float]
    """By strategy, what fitting and filling took."""
    missing: dict[str, int]
    """Holes of each numeric column in the training rows."""


class ClusterScore(Report):
    """What one number of clusters does."""

    count: int
    error: float
    """The model's mean cross-validated error with these clusters, in the unit of the metric."""
    error_std: float
    silhouette: float
    davies_bouldin: float
    inertia: float
    """Sum of squared distances to the nearest centre: the elbow."""


class FeatureReport(Report):
    """Which columns the model sees, and how the number of clusters was chosen."""

    columns: list[str]
    """Names of the columns that the estimator sees."""
    metric: str
    clusters: int | None
    """The chosen number; None without clusters."""
    scores: list[ClusterScore]
    error_without: float | None
    """The cross-validated error with no clusters at all."""
    silhouette_rows: int
    """How many rows the silhouette and Davies-Bouldin figures were sampled on."""


class Candidate(Report):
    """One line of the leaderboard: an algorithm with one point of its grid."""

    algorithm: str
    parameters: dict[str, Any]
    target_transform: TargetTransform
    mean: float
    """Mean of the metric over the folds."""
    std: float
    folds: list[float]
    seconds: float
    """Fitting and predicting all folds, on one core."""


class Leaderboard(Report):
    """All candidates, the best mean first, which of them goes on, and why."""

    metric: str
    candidates: list[Candidate]
    chosen: int = 0
    """The line of the winner: not always the first, see `why`."""
    why: str

    @property
    def winner(self) -> Candidate:
        """The candidate that goes on."""
        return self.candidates[self.chosen]


class Trial(Report):
    """One trial of the search."""

    number: int
    state: Literal["complete", "pruned"]
    parameters: dict[str, Any]
    value: float
    """The metric, averaged over the folds it reached."""
    iterations: int
    """How many rungs of the ladder it climbed."""
    started: str
    """UTC, ISO 8601."""
    seconds: float
    importances: dict[str, float]
    """The ten columns of the estimator's matrix that mattered most, largest first, as shares of all columns' sum;
    empty for an algorithm that keeps none."""


class SearchReport(Report):
    """The trials of the search, in the order of their numbers, which count from 0."""

    algorithm: str
    metric: str
    goal: Literal["minimize", "maximize"]
    rungs: int
    """Iterations of a trial that was never pruned."""
    trials: list[Trial]
    best: int
    """The number of the best complete trial."""
    importances: dict[str, float]
    """How much each parameter mattered (fANOVA), largest first; sums to 1; empty for few trials."""
    resumed: int
    """Trials found finished on disk at the start."""
    sweep: dict[str, Any]
    """The sweep that was run, in the syntax of W&B sweep files."""
    sweep_id: str | None = None
    """The sweep on W&B's server; None for a search on this machine."""


class BestParameters(Report):
    """What `fit` builds the estimator from."""

    algorithm: str
    target_transform: TargetTransform
    parameters: dict[str, Any]


class FoldFigures(Report):
    """One metric over the folds of a cross-validation."""

    mean: float
    std: float
    """With the number of folds as divisor."""
    folds: list[float]
    """nan where the metric is undefined on a fold; then the other two leave it out."""


class CrossValidation(Report):
    """The tuned algorithm on training rows: in each fold everything is fitted anew on the other folds."""

    rows: int
    """Training rows that took part: all, or of a large table those that it was tuned on."""
    metrics: dict[str, FoldFigures]
    """Plain names; percentages as percent. Those of a classification are of the calibrated probabilities."""
    temperature: float
    """What the model's logits are divided by; 1 for a regression, and where no other value lowers the log loss."""
    log_loss_uncalibrated: float | None
    """Over these rows, out of fold, with a temperature of 1; None for a regression."""
    log_loss_calibrated: float | None
    """The same with `temperature`."""


class ClassScore(Report):
    """One class of the held-out rows."""

    label: str
    precision: float
    """Of the rows predicted as it, the share that have it; 0 where there are none."""
    recall: float
    """Of its rows, the share found; 0 where there are none."""
    f1: float
    support: int
    """Its rows."""


class Interval(Report):
    """A value on the held-out rows with its bootstrap interval."""

    value: float
    low: float
    high: float


class Slice(Report):
    """The metrics of one part of the held-out rows."""

    column: str
    part: str
    rows: int
    metrics: dict[str, float]


class Importance(Report):
    """How much one column matters to the model."""

    column: str
    permutation: float
    """Mean loss of the metric when the raw column is shuffled, in the unit of the metric (positive: it matters)."""
    std: float


class ShapSummary(Report):
    """SHAP values of the most telling estimator columns on a sample of held-out rows."""

    columns: list[str]
    """The twenty columns with the largest mean absolute value, largest first."""
    values: list[list[float]]
    """A row for each explained row, a value for each of `columns`, in the unit of the raw model output."""
    inputs: list[list[float]]
    """What the estimator saw at the same places."""


class Evaluation(Report):
    """The one look at the held-out rows."""

    task: Literal["regression", "classification"]
    rows: int
    metrics: dict[str, Interval]
    """Plain names; percentages as percent."""
    baseline: dict[str, float]
    """The same metrics of the training median (or of the class shares)."""
    slices: list[Slice]
    metric: str
    """The metric that `importances` are in."""
    importances: list[Importance]
    """Largest first."""
    shap: ShapSummary | None
    """None for an algorithm that SHAP's tree and linear explainers do not cover."""
    actual: list[float] | list[str]
    predicted: list[float] | list[str]
    """In the order of the held-out rows."""
    classes: list[str]
    """The labels in the order of the columns of `probabilities`; empty for a regression."""
    probabilities: list[list[float]]
    """A row for each held-out row; empty for a regression."""
    by_class: list[ClassScore] = []
    """In the order of `classes`, then those that only the held-out rows have; empty for a regression."""
    cross_validation: CrossValidation | None = None
    """The final model on the training rows, beside the held-out figures; None where it was not asked for."""


class GateDecision(Report):
    """Whether a model may take the champion's place, and the numbers behind it."""

    decision: Literal["promote", "keep", "reject"]
    """`promote`: becomes champion; `keep`: challenger, the champion stays; `reject`: no alias."""
    reasons: list[str]
    """In words, the deciding one first."""
    metric: str
    challenger: float
    """Its `metric` on the rows of the comparison, or on its own held-out rows where there was none."""
    champion: float | None
    """On the rows of the comparison; None where there is no champion, or no fair comparison."""
    champion_version: str | None
    compared_on: str = ""
    """The rows of the comparison in words, such as `4,128 held-out rows`; empty where there was none."""
    difference: Interval | None
    """Champion's error minus the challenger's (the reverse where higher is better), so that positive is better."""
    tolerance: float
    resamples: int
    broken_limits: dict[str, float]
    """Metrics beyond their limit, with their value."""
    obstacles: list[str] = []
    """Why it must not become champion whatever it scores."""
