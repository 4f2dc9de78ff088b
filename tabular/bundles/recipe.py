"""`predictor.json`: the fitted pipeline as numbers. Arrays are stored in `predictor.npz` under the names given here."""

from typing import Annotated, Literal

from pydantic import Field

from tabular.config.base import Items, StrictModel
from tabular.config.expression import ExpressionText
from tabular.config.stages import DatePart


class Ensemble(StrictModel):
    """Trees in an ONNX file. Input: rows x features; output: rows x outputs, each the plain sum of the leaves."""

    file: str
    single: bool
    """Whether the trees take and sum float32, as XGBoost does, or float64, as all others do."""


class ConstantImputer(StrictModel):
    """Replaces a missing value with the column's value in `fill`."""

    kind: Literal["constant"] = "constant"
    fill: Items[float]


class NeighbourImputer(StrictModel):
    """Replaces a missing value with the mean over the nearest training rows that have one, as KNNImputer does.

    Arrays: `neighbours` (training rows x number columns, scaled, NaN where a value is missing).
    """

    kind: Literal["neighbours"] = "neighbours"
    count: int
    """Number of neighbours."""
    mean: Items[float] | None
    """Mean that is subtracted from each column before distances are measured; None measures them on raw values."""
    scale: Items[float] | None
    """Divisor of each column; None as for `mean`."""


class Estimate(StrictModel):
    """One column, estimated from others by trees."""

    column: int
    inputs: Items[int]
    trees: Ensemble


class IterativeImputer(StrictModel):
    """Replaces missing values with `fill`; then each estimate in turn replaces the values filled into its column."""

    kind: Literal["iterative"] = "iterative"
    fill: Items[float]
    estimates: Items[Estimate]


class Numbers(StrictModel):
    """Number columns, unchanged."""

    kind: Literal["numbers"] = "numbers"
    columns: Items[int]


class Expression(StrictModel):
    """Arithmetic with number columns, see `tabular.config.expression`."""

    kind: Literal["expression"] = "expression"
    text: ExpressionText
    columns: Items[int]
    """Index among the number columns of each column in the text, in the order of first appearance."""


class DateParts(StrictModel):
    """Numbers computed from a date, see `tabular.arithmetic.dates.part`."""

    kind: Literal["date"] = "date"
    column: int
    parts: Items[DatePart]
    reference: float
    """Day from which the part `age` counts."""


class Clusters(StrictModel):
    """Similarity of a row to each cluster centre. Arrays: `centres` (centres x columns)."""

    kind: Literal["clusters"] = "clusters"
    columns: Items[int]
    gamma: float | None
    """Factor in the similarity exp(-gamma * distance**2); None gives 1 for the nearest centre and 0 for the others."""


class OneHot(StrictModel):
    """One-hot encoding: a column for each category, in the order of the category columns."""

    kind: Literal["categories"] = "categories"
    sizes: Items[int]
    """Number of categories of each column."""
    columns: Items[int] | None = None
    """Indices of the category columns; None for all of them."""


class TargetMeans(StrictModel):
    """Mean target of a row's category, with more than two classes a mean for each class; one column after the other.

    Arrays: `target_means_0`, `target_means_1`, ... (one row for each category and a last one for an unknown category,
    x outputs).
    """

    kind: Literal["target_means"] = "target_means"
    columns: Items[int]
    """Indices of the category columns."""


Imputer = Annotated[ConstantImputer | NeighbourImputer | IterativeImputer, Field(discriminator="kind")]
AnyBlock = Numbers | Expression | DateParts | Clusters | OneHot | TargetMeans
Block = Annotated[AnyBlock, Field(discriminator="kind")]


class Boosted(StrictModel):
    """Tree ensemble: the raw output is the sum of the trees divided by `divisor`, plus `base`."""

    kind: Literal["trees"] = "trees"
    trees: Ensemble
    base: Items[float]
    """One value for each output; trees that sum float32 have it in their leaves instead."""
    divisor: float = 1.0


class Linear(StrictModel):
    """Linear model of scaled features.

    Arrays: `mean`, `scale` (columns), `coefficients` (columns x outputs), `intercepts` (outputs).
    """

    kind: Literal["linear"] = "linear"


class Recipe(StrictModel):
    """The computation from encoded rows to predictions."""

    task: Literal["regression", "classification"]
    imputer: Imputer | None
    """None if there are no number columns."""
    blocks: Items[Block]
    """Blocks of the feature matrix, from left to right."""
    estimator: Annotated[Boosted | Linear, Field(discriminator="kind")]
    link: Literal["identity", "exp", "sigmoid", "softmax", "share"]
    """Function from raw outputs to predictions; `share` means that they are probabilities already."""
    undo: Literal["none", "exp"]
    """Inverse of the transform of a regression's target."""
    temperature: Annotated[float, Field(gt=0)] = 1.0
    """Temperature of a classification, see `tabular.arithmetic.calibration`."""
