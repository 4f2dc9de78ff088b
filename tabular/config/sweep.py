"""Search spaces in the syntax of W&B sweep files."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from tabular.config.base import Items, StrictModel

Scalar = bool | int | float | str | None
Distribution = Literal["constant", "categorical", "uniform", "int_uniform", "log_uniform_values", "q_uniform"]


class SweepMetric(StrictModel):
    """The metric that the search optimises."""

    name: str
    """One of the metrics of the task, such as `wmape`."""
    goal: Literal["minimize", "maximize"]
    """Whether lower or higher values are better."""


class SweepParameter(StrictModel):
    """One dimension: either a fixed `value`, a list of `values`, or a range from `min` to `max`."""

    value: Scalar = None
    values: Items[Scalar] | None = None
    min: float | int | None = None
    max: float | int | None = None
    distribution: Distribution | None = None
    """Name of the distribution as in W&B; unset, it is `int_uniform` if both ends are whole, else `uniform`."""
    q: Annotated[float | int, Field(gt=0)] | None = None
    """Step of `q_uniform`, counted from `min`; values are whole numbers if the step and both ends are."""

    @model_validator(mode="after")
    def _is_one_thing(self) -> "SweepParameter":
        if (self.min is None) != (self.max is None):
            raise ValueError("a range needs both 'min' and 'max'")
        if sum((self.values is not None, self.min is not None, "value" in self.model_fields_set)) != 1:
            raise ValueError("give one of 'value', 'values', or 'min' and 'max'")
        if self.values is not None and not self.values:
            raise ValueError("'values' is empty")
        needed = {"constant": "'value'", "categorical": "'values'"}.get(self.distribution or "", "'min' and 'max'")
        given = "'min' and 'max'" if self.min is not None else "'value'" if self.values is None else "'values'"
        if self.distribution is not None and needed != given:
            raise ValueError(f"'{self.distribution}' needs {needed}, not {given}")
        if (self.distribution == "q_uniform") != (self.q is not None):
            raise ValueError("'q_uniform' needs 'q', and no other distribution takes it")
        if self.min is not None and self.max is not None:
            self._check_range(self.min, self.max)
        return self

    def _check_range(self, low: float, high: float) -> None:
        if not low < high:
            raise ValueError(f"'min' ({low}) must be below 'max' ({high})")
        if self.distribution == "log_uniform_values" and low <= 0:
            raise ValueError("'log_uniform_values' needs 'min' above 0")
        if self.distribution == "int_uniform" and not (float(low).is_integer() and float(high).is_integer()):
            raise ValueError("'int_uniform' needs whole numbers as ends")
        if self.q is not None and self.q > high - low:
            raise ValueError(f"'q' ({self.q}) is wider than the range")


class EarlyTerminate(StrictModel):
    """Hyperband: a trial stops at an iteration `min_iter * eta**k` unless it is among the best 1/eta there.

    An iteration is one of the search's rungs: two folds with a quarter of the boosting rounds, the same two folds with
    all rounds, then the other folds.
    """

    type: Literal["hyperband"] = "hyperband"
    min_iter: Annotated[int, Field(ge=1)] = 1
    """First iteration at which a trial may stop."""
    eta: Annotated[int, Field(ge=2)] = 3
    """The share of trials that continue is 1/eta."""


class Sweep(StrictModel):
    """A sweep file, such as `configs/search/lightgbm.yaml`."""

    method: Literal["bayes", "random"] = "bayes"
    """`bayes`: a tree-structured Parzen estimator; `random`: independent draws."""
    metric: SweepMetric
    """The metric to optimise; if a file leaves it out, it is the metric of the selection."""
    parameters: Annotated[dict[str, SweepParameter], Field(min_length=1)]
    early_terminate: EarlyTerminate | None = None
