"""Reports of the training steps. `tabular.pages.pictures` draws them and the materializers store them as JSON."""

from typing import Any, Literal

from tabular.reports.report import Report

TargetTransform = Literal["none", "log"]


class Provenance(Report):
    """The source of the rows."""

    data_source: Literal["path", "url", "sample"]
    location: str
    """Path, address, or the file that describes the sample; without credentials."""
    sha256: str
    """sha256 of the file; for the sample, of the table as CSV."""
    rows: int
    columns: list[str]
    duplicates_dropped: int
    without_target_dropped: int = 0
    """Number of rows that were left out because their target was missing."""


class Check(Report):
    """A rule of the validation that the table broke."""

    column: str | None
    rule: str
    """The rule in words."""
    failed: int
    """Number of rows that broke it; 0 for a rule about the whole table."""
    examples: list[str]
    """Up to five values that broke it."""


class ColumnProfile(Report):
    """Summary of one column."""

    name: str
    dtype: str
    missing: int
    distinct: int
    minimum: float | None
    mean: float | None
    maximum: float | None
    top: list[tuple[str, int]]
    """Most frequent categories with their counts; empty for a number."""


class ValidationReport(Report):
    """Summary of the table and the rules that it broke."""

    rows: int
    duplicates: int
    columns: list[ColumnProfile]
    failures: list[Check]


class StrategyScore(Report):
    """Error of one imputation strategy on the masked values of one column."""

    column: str
    strategy: str
    rmse: float
    """Root mean squared error in the column's own unit."""
    nrmse: float
    """`rmse` divided by the column's standard deviation, so that columns can be averaged."""
    masked: int
    """Number of known values that were masked."""


class ImputationReport(Report):
    """The chosen imputation strategy and the comparison behind it."""

    best: str
    scores: list[StrategyScore]
    """Empty if no numeric column has missing values."""
    mean_nrmse: dict[str, float]
    """Mean over the columns with missing values, by strategy; the smallest wins."""
    seconds: dict[str, float]
    """Time of fitting and filling, by strategy."""
    missing: dict[str, int]
    """Number of missing values of each numeric column in the training rows."""


class ClusterScore(Report):
    """Figures for one number of clusters."""

    count: int
    error: float
    """Mean cross-validated error of a model with these clusters, in the unit of the metric."""
    error_std: float
    silhouette: float
    davies_bouldin: float
    inertia: float
    """Sum of squared distances to the nearest centre, for the elbow chart."""


class FeatureReport(Report):
    """The columns of the estimator, and how the number of clusters was chosen."""

    columns: list[str]
    """Names of the columns of the estimator's matrix."""
    metric: str
    clusters: int | None
    """Chosen number of clusters; None without clusters."""
    scores: list[ClusterScore]
    error_without: float | None
    """Cross-validated error without clusters; None if none were tried."""
    silhouette_rows: int
    """Number of rows in the sample for the silhouette and Davies-Bouldin figures."""


class Candidate(Report):
    """One line of the leaderboard: an algorithm with one set of parameters."""

    algorithm: str
    parameters: dict[str, Any]
    target_transform: TargetTransform
    mean: float
    """Mean of the metric over the folds."""
    std: float
    folds: list[float]
    seconds: float
    """Time of fitting and predicting all folds on one core."""


class Leaderboard(Report):
    """All candidates with the best mean first, the winner, and the reason for it."""

    metric: str
    candidates: list[Candidate]
    chosen: int = 0
    """Index of the winner, which is not always the first line; `why` gives the reason."""
    why: str

    @property
    def winner(self) -> Candidate:
        """The candidate that the search tunes."""
        return self.candidates[self.chosen]


class Trial(Report):
    """One trial of the search."""

    number: int
    state: Literal["complete", "pruned"]
    parameters: dict[str, Any]
    value: float
    """Mean of the metric over the folds that the trial reached."""
    iterations: int
    """Number of rungs that the trial finished."""
    started: str
    """Start of the trial: UTC, ISO 8601."""
    seconds: float
    importances: dict[str, float]
    """Ten most important columns of the estimator's matrix, largest first, as shares of the sum over all columns;
    empty for an algorithm that does not measure importances."""


class SearchReport(Report):
    """The trials of the search, in the order of their numbers, which count from 0."""

    algorithm: str
    metric: str
    goal: Literal["minimize", "maximize"]
    rungs: int
    """Number of rungs of a complete trial."""
    trials: list[Trial]
    best: int
    """Number of the best complete trial."""
    importances: dict[str, float]
    """Importance of each parameter (fANOVA), largest first, with the sum 1; empty for few trials."""
    resumed: int
    """Number of finished trials that were found on disk at the start."""
    sweep: dict[str, Any]
    """The sweep that was run, in the syntax of W&B sweep files."""
    sweep_id: str | None = None
    """Id of the sweep on W&B's server; None for a search on this machine."""


class BestParameters(Report):
    """The algorithm and the parameters that `fit` builds the estimator from."""

    algorithm: str
    target_transform: TargetTransform
    parameters: dict[str, Any]


class FoldFigures(Report):
    """One metric over the folds of a cross-validation."""

    mean: float
    std: float
    """Standard deviation with the number of folds as divisor."""
    folds: list[float]
    """Value in each fold; nan if it is undefined there, and mean and std leave it out."""


class CrossValidation(Report):
    """Cross-validation of the tuned algorithm; in each fold everything is fitted on the other folds."""

    rows: int
    """Number of training rows: all, or for a large table those that it was tuned on."""
    metrics: dict[str, FoldFigures]
    """Metrics by name, percentages as percent; those of a classification use calibrated probabilities."""
    temperature: float
    """Divisor of the model's logits; 1 for a regression, and if no other value lowers the log loss."""
    log_loss_uncalibrated: float | None
    """Out-of-fold log loss over these rows with a temperature of 1; None for a regression."""
    log_loss_calibrated: float | None
    """The same log loss with `temperature`."""


class ClassScore(Report):
    """Figures of one class on the held-out rows."""

    label: str
    precision: float
    """Share of the rows predicted as this class that belong to it; 0 without such rows."""
    recall: float
    """Share of the rows of this class that are predicted as it; 0 without such rows."""
    f1: float
    support: int
    """Number of rows of this class."""


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
    """Permutation importance of one column."""

    column: str
    permutation: float
    """Mean loss when the raw column is shuffled, in the unit of the metric; positive if the column is used."""
    std: float


class ShapSummary(Report):
    """SHAP values of the estimator's most important columns on a sample of held-out rows."""

    columns: list[str]
    """Names of the twenty columns with the largest mean absolute value, largest first."""
    values: list[list[float]]
    """Explained rows x `columns`, in the unit of the raw model output."""
    inputs: list[list[float]]
    """The estimator's input values, explained rows x `columns`."""


class Evaluation(Report):
    """The evaluation on the held-out rows."""

    task: Literal["regression", "classification"]
    rows: int
    metrics: dict[str, Interval]
    """Metrics by name, percentages as percent."""
    baseline: dict[str, float]
    """The same metrics of a prediction by the training median or the shares of the classes."""
    slices: list[Slice]
    metric: str
    """Metric of the permutation importances."""
    importances: list[Importance]
    """Importances of the raw columns, largest first."""
    shap: ShapSummary | None
    """None for an algorithm that the tree and linear explainers do not cover."""
    actual: list[float] | list[str]
    predicted: list[float] | list[str]
    """Predictions in the order of the held-out rows."""
    classes: list[str]
    """Labels of the columns of `probabilities`; empty for a regression."""
    probabilities: list[list[float]]
    """Held-out rows x classes; empty for a regression."""
    by_class: list[ClassScore] = []
    """Figures in the order of `classes`, then of labels that only held-out rows have; empty for a regression."""
    cross_validation: CrossValidation | None = None
    """Cross-validation of the tuned model on training rows; None if it was not asked for."""


class GateDecision(Report):
    """The decision whether a model may replace the champion, and the numbers behind it."""

    decision: Literal["promote", "keep", "reject"]
    """`promote`: it becomes champion; `keep`: it becomes challenger and the champion stays; `reject`: no alias."""
    reasons: list[str]
    """Reasons in words, the deciding one first."""
    metric: str
    challenger: float
    """The challenger's `metric` on the rows of the comparison, or on its own held-out rows without one."""
    champion: float | None
    """The champion's `metric` on the rows of the comparison; None without a champion or a fair comparison."""
    champion_version: str | None
    compared_on: str = ""
    """The rows of the comparison in words, such as `4,128 held-out rows`; empty without one."""
    difference: Interval | None
    """Champion's error minus challenger's (the reverse if higher is better); positive if the challenger is better."""
    tolerance: float
    resamples: int
    broken_limits: dict[str, float]
    """Metrics that are worse than their limit, with their value."""
    obstacles: list[str] = []
    """Sentences that say why the model must not become champion, whatever its scores."""


class TrainingFindings(Report):
    """The reports of all steps of one training run, from the data to the gate's decision."""

    provenance: Provenance
    validation_report: ValidationReport
    imputation_report: ImputationReport
    feature_report: FeatureReport
    leaderboard: Leaderboard
    search_report: SearchReport
    best_parameters: BestParameters
    cross_validation: CrossValidation
    evaluation: Evaluation
    gate_decision: GateDecision
