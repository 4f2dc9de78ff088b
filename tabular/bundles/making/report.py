"""What packaging found out."""

from tabular.reports.report import Report


class Offence(Report):
    """The first row on which the compiled predictor and the original disagree."""

    case: str
    row: int
    """The position among the held-out rows; a variant is made of it."""
    inputs: dict[str, float | str | None]
    """What was predicted from."""
    original: list[float]
    """The prediction, or the probability of each class."""
    compiled: list[float]


class ParityReport(Report):
    """The compiled predictor against the original."""

    agrees: bool
    tolerance: float
    """Relative for a regression, absolute for probabilities, which must also name the same label."""
    held_out: int
    """Held-out rows compared, which is all of them."""
    rows: int
    """All rows compared, variants included."""
    cases: dict[str, float]
    """What was compared, with its largest difference; infinite where one is a number and the other is not."""
    largest: float
    largest_held_out: float
    refused: int
    """Rows of variants that the original answers with an error, alone or in fours; there is nothing to compare."""
    ties: int
    """Rows whose two likeliest classes are equal within the tolerance, and come in another order."""
    first: Offence | None
    """None where all rows agree."""

    def in_words(self) -> str:
        """One sentence."""
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
    """The parity in words, or why the original serves."""
    parity: ParityReport | None
    """None where the pipeline could not be compiled at all."""
    seconds: dict[str, float]
    """Median time of a call, encoding left out: `compiled_1_row`, `original_1000_rows` and so on."""
    bytes: dict[str, int]
    """The size of each file."""
    bundle_sha256: str
    """Of `bundle.json`, which holds the sha256 of every other file."""
