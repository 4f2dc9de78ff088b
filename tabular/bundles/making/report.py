"""Reports of packaging: the comparison with the original, and the bundle that was written."""

from tabular.reports.report import Report


class ParityOffence(Report):
    """The first row on which the compiled predictor and the original disagree."""

    case: str
    row: int
    """Position among the held-out rows of the row itself, or of the row that the variant was made from."""
    inputs: dict[str, float | str | None]
    """Values of the raw columns."""
    original: list[float]
    """Prediction of the original, or its probability of each class."""
    compiled: list[float]


class ParityReport(Report):
    """The comparison of the compiled predictor with the original."""

    agrees: bool
    tolerance: float
    """Largest tolerated difference: relative for a regression, absolute for probabilities; labels must be the same."""
    held_out: int
    """Number of held-out rows; all of them are compared."""
    rows: int
    """Number of compared rows, variants included."""
    cases: dict[str, float]
    """Largest difference in each case; infinite if one prediction is a number and the other is not."""
    largest: float
    largest_held_out: float
    refused: int
    """Number of rows of variants that the original refuses with an error, so that there is nothing to compare."""
    ties: int
    """Number of rows whose two most likely classes are equal within the tolerance and come in another order."""
    first: ParityOffence | None
    """First row on which the two disagree; None if they agree on all rows."""

    def in_words(self) -> str:
        """The result in one sentence."""
        if self.first is None:
            return (
                f"the compiled predictor agrees with the original within {self.tolerance:g} on {self.rows:,} rows "
                f"({self.held_out:,} held out, the rest variants); the largest difference is {self.largest:.1e}"
            )
        return (
            f"the original serves, because the compiled predictor differs from it by {self.largest:.1e} (at most "
            f"{self.tolerance:g} is allowed), first on held-out row {self.first.row}, case '{self.first.case}'"
        )


class PackageReport(Report):
    """The bundle that was written."""

    compiled: bool
    why: str
    """Result of the comparison in words, or the reason why the original serves."""
    parity: ParityReport | None
    """None if the pipeline could not be compiled at all."""
    seconds: dict[str, float]
    """Median seconds of a call without encoding, under names such as `compiled_1_row` and `original_1000_rows`."""
    bytes: dict[str, int]
    """Size of each file."""
    bundle_sha256: str
    """sha256 of `bundle.json`, which holds the sha256 of every other file."""
