"""`predictor.json`: the fitted pipeline as numbers. What it calls an array lies in `predictor.npz` under that name."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from tabular.config.base import Items, StrictModel
from tabular.config.expression import parse
from tabular.config.stages import DatePart


def _readable(text: str) -> str:
    parse(text)
    return text


class Ensemble(StrictModel):
    """Trees in an ONNX file: rows x features in, rows x outputs out, the plain sum of the leaves."""

    file: str
    single: bool
    """Whether it takes and sums float32, as XGBoost does, or float64, as all others do."""


class ConstantImputer(StrictModel):
    """A hole takes the column's value in `fill`."""

    kind: Literal["constant"] = "constant"
    fill: Items[float]


class NeighbourImputer(StrictModel):
    """A hole takes the mean of the nearest training rows that have a value there, as scikit-learn's KNNImputer does.

    Arrays: `neighbours` (training rows x number columns, scaled, NaN for a hole).
    """

    kind: Literal["neighbours"] = "neighbours"
    count: int
    mean: Items[float] | None
    """What a column is shifted by before distances are measured; None measures them between raw values."""
    scale: Items[float] | None


class Estimate(StrictModel):
    """One column estimated from others by trees."""

    column: int
    inputs: Items[int]
    trees: Ensemble


class IterativeImputer(StrictModel):
    """Holes take `fill`, then each estimate in turn replaces what was filled into its column."""

    kind: Literal["iterative"] = "iterative"
    fill: Items[float]
    estimates: Items[Estimate]


class Numbers(StrictModel):
    """Number columns as they are."""

    kind: Literal["numbers"] = "numbers"
    columns: Items[int]


class Expression(StrictModel):
    """Arithmetic of columns, see `tabular.config.expression`."""

    kind: Literal["expression"] = "expression"
    text: Annotated[str, AfterValidator(_readable)]
    columns: Items[int]
    """Where each of the columns that it names is among the numbers, in the order in which they first appear."""


class DateParts(StrictModel):
    """What a date becomes, see `tabular.arithmetic.dates.part`."""

    kind: Literal["date"] = "date"
    column: int
    parts: Items[DatePart]
    reference: float
    """The day that `age` counts from."""


class Clusters(StrictModel):
    """How near a row is to each centre. Arrays: `centres` (centres x columns)."""

    kind: Literal["clusters"] = "clusters"
    columns: Items[int]
    gamma: float | None
    """Of the similarity exp(-gamma * distance**2); None for 1 at the nearest centre and 0 elsewhere."""


class OneHot(StrictModel):
    """A column for each category, in the order of the category columns."""

    kind: Literal["categories"] = "categories"
    sizes: Items[int]
    columns: Items[int] | None = None
    """Which of the category columns; None for all."""


class TargetMeans(StrictModel):
    """The mean target of a row's category, one for each class of several, column by column.

    Arrays: `target_means_0`, `target_means_1`, ... (categories and a last row for an unknown one x outputs).
    """

    kind: Literal["target_means"] = "target_means"
    columns: Items[int]


Imputer = Annotated[ConstantImputer | NeighbourImputer | IterativeImputer, Field(discriminator="kind")]
AnyBlock = Numbers | Expression | DateParts | Clusters | OneHot | TargetMeans
Block = Annotated[AnyBlock, Field(discriminator="kind")]


class Boosted(StrictModel):
    """Trees; their sum divided by `divisor`, plus `base`, is the raw output."""

    kind: Literal["trees"] = "trees"
    trees: Ensemble
    base: Items[float]
    """One for each output; for trees that sum float32 it is among the leaves instead."""
    divisor: float = 1.0


class Linear(StrictModel):
    """Arrays: `mean`, `scale` (columns), `coefficients` (columns x outputs), `intercepts` (outputs)."""

    kind: Literal["linear"] = "linear"


class Recipe(StrictModel):
    """From encoded rows to predictions."""

    format: Literal[1] = 1
    task: Literal["regression", "classification"]
    imputer: Imputer | None
    """None without number columns."""
    blocks: Items[Block]
    """The matrix from left to right."""
    estimator: Annotated[Boosted | Linear, Field(discriminator="kind")]
    link: Literal["identity", "exp", "sigmoid", "softmax", "share"]
    """From raw outputs to predictions; `share` takes them for probabilities already."""
    undo: Literal["none", "exp"]
    """What undoes the transform of a regression's target."""
    temperature: Annotated[float, Field(gt=0)] = 1.0
    """Of a classification, see `tabular.arithmetic.calibration`."""
