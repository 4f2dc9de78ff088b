"""The outcome of a batch, and sums over its chunks."""

from collections import Counter
from collections.abc import Sequence

from tabular.reports.report import Report
from tabular.reports.training import Check
from tabular.reports.verdicts import CategoryCounts, MonitoringFinding, NumberCounts, Observed
from tabular.table.rules import EXAMPLES


class BatchReport(Report):
    """The outcome of a batch."""

    model: str
    version: str
    input: str
    """Location of the input, without what may be secret."""
    output: str
    rows: int
    """Number of data rows of the input."""
    scored: int
    rejected: int
    reasons: dict[str, int]
    """Number of rejected rows by reason, the most frequent first."""
    broken: list[Check]
    """The rules of the validation that scored rows break."""
    observed: Observed
    """Counts of the scored rows, for the comparison with training."""
    chunks: int
    resumed: int
    """Number of chunks that were finished by an earlier run."""
    started: str
    """Start of this run: UTC, ISO 8601."""
    ended: str
    seconds: float
    """Duration of this run."""
    rows_per_second: float
    """Rate at which this run scored or rejected rows; 0 where nothing was left to do."""

    @property
    def rejected_share(self) -> float:
        """Share of the rejected rows among all rows; 0 without any row."""
        return self.rejected / self.rows if self.rows else 0.0

    def findings(self) -> list[MonitoringFinding]:
        """The broken rules as findings of a verdict, each a warning."""
        findings = []
        for check in self.broken:
            share = check.failed / self.scored if check.failed and self.scored else 1.0
            examples = f", such as {', '.join(map(repr, check.examples))}" if check.examples else ""
            rows = f": {check.failed:,} of {self.scored:,} rows are otherwise{examples}" if check.failed else ""
            column = check.column or "the table"
            words = f"'{column}' {check.rule}{rows}"
            findings.append(
                MonitoringFinding(
                    kind="validation", subject=column, level="warn", measure="share", value=share, words=words
                )
            )
        return findings

    @property
    def was_done(self) -> bool:
        """Whether an earlier run had scored everything."""
        return self.resumed == self.chunks


class BrokenRules(Report):
    """The rules about rows that were broken, and how often."""

    checks: list[Check]
    missing: dict[str, int]
    """Number of missing values of each column that has rules."""


def broken_of(one: BrokenRules, other: BrokenRules) -> BrokenRules:
    """The broken rules of two parts together."""
    found = {(check.column, check.rule): check for check in one.checks}
    for check in other.checks:
        key = (check.column, check.rule)
        if key in found:
            shown = list(dict.fromkeys([*found[key].examples, *check.examples]))[:EXAMPLES]
            check = check.model_copy(update={"failed": found[key].failed + check.failed, "examples": shown})
        found[key] = check
    return BrokenRules(checks=list(found.values()), missing=dict(Counter(one.missing) + Counter(other.missing)))


def observed_of(parts: Sequence[Observed]) -> Observed:
    """The counts of at least one part together.

    Raises:
        ValueError: the parts are of several versions.
    """
    first = parts[0]
    if any((part.model, part.version) != (first.model, first.version) for part in parts):
        raise ValueError("only what one version of a model answered can be added")
    rows = [part.rows for part in parts]
    return Observed(
        model=first.model,
        version=first.version,
        rows=sum(rows),
        numbers={name: _numbers([part.numbers[name] for part in parts], rows) for name in first.numbers},
        categories={name: _categories([part.categories[name] for part in parts]) for name in first.categories},
        predictions=_numbers([part.predictions for part in parts if part.predictions], rows)
        if first.predictions
        else None,
        predicted=_categories([part.predicted for part in parts if part.predicted]) if first.predicted else None,
    )


def _numbers(parts: Sequence[NumberCounts], rows: Sequence[int]) -> NumberCounts:
    known = [count - part.missing for part, count in zip(parts, rows, strict=True)]
    total = sum(known)
    # Divided first: the sum of large values may be beyond what float64 holds.
    means = [(part.mean or 0.0) * (count / total) for part, count in zip(parts, known, strict=True)] if total else []
    return NumberCounts(
        missing=sum(part.missing for part in parts),
        out_of_range=sum(part.out_of_range for part in parts),
        bins=[sum(counts) for counts in zip(*(part.bins for part in parts), strict=True)],
        cells=[sum(counts) for counts in zip(*(part.cells for part in parts), strict=True)],
        mean=sum(means) if total else None,
    )


def _categories(parts: Sequence[CategoryCounts]) -> CategoryCounts:
    return CategoryCounts(
        missing=sum(part.missing for part in parts),
        unknown=sum(part.unknown for part in parts),
        counts={name: sum(part.counts[name] for part in parts) for name in parts[0].counts},
    )
