"""The contract with the data: each rule is checked, and all failures are reported together."""

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaError, SchemaErrorReason, SchemaErrors

from tabular.config.stages import ColumnConfig, TargetConfig, ValidationConfig
from tabular.errors import UserError
from tabular.reports.training import Check, ColumnProfile, ValidationReport
from tabular.table import rules
from tabular.table.tables import is_date, is_number

TOP = 10
"""Number of categories that a column's profile counts."""


def validate(frame: pd.DataFrame, target: TargetConfig, config: ValidationConfig) -> ValidationReport:
    """Check the table, as it was read, against the config, and its target against the needs of any training.

    Returns:
        A profile of each column in the table's order, and the rules that do not hold. To raise an error for them, see
        `refuse`.
    """
    wanted = dict.fromkeys([*config.columns, target.column])
    failures = rules.broken_columns(wanted, [str(name) for name in frame.columns], config.other_columns)
    repeated = frame.duplicated()
    try:
        _schema(frame, target, config, repeated).validate(frame, lazy=True)
    except SchemaErrors as errors:
        failures += [_failure(error) for error in errors.schema_errors]
    return ValidationReport(
        rows=len(frame),
        duplicates=int(repeated.sum()),
        columns=[_profile(frame[name]) for name in frame.columns],
        failures=failures,
    )


def refuse(report: ValidationReport) -> None:
    """Raise a UserError of one line with all failures of the report; do nothing where there are none."""
    if report.failures:
        said = "; ".join(_in_words(failure) for failure in report.failures)
        raise UserError(f"the table breaks {len(report.failures)} rule(s): {said}; mend them, or change 'validation'")


def _in_words(failure: Check) -> str:
    where = f"'{failure.column}' {failure.rule}" if failure.column is not None else failure.rule
    rows = f"{failure.failed} row{'s' if failure.failed > 1 else ''}" if failure.failed else ""
    examples = f"such as {', '.join(repr(example) for example in failure.examples)}" if failure.examples else ""
    details = ", ".join(part for part in (rows, examples) if part)
    return f"{where} ({details})" if details else where


def _schema(
    frame: pd.DataFrame, target: TargetConfig, config: ValidationConfig, repeated: pd.Series
) -> pa.DataFrameSchema:
    """The rules as a pandera schema; it always holds those for the target and against infinite numbers."""
    checks = {name: _column_checks(column) for name, column in config.columns.items()}
    # The target's own rules replace those of the config about the same thing, so that each failure is reported once.
    checks[target.column] = checks.get(target.column, {}) | _target_checks(target)
    for name in frame.columns:
        if name in checks or config.other_columns == "allow":
            checks[name] = checks.get(name, {}) | {"finite": pa.Check(_finite, error="must be finite")}
    share = config.max_duplicate_share
    table_checks = [
        pa.Check(
            lambda rows: len(rows) >= config.min_rows,
            error=f"the table must have at least {config.min_rows} rows, not {len(frame)}",
        ),
        pa.Check(
            lambda rows: ~repeated | bool(repeated.mean() <= share),
            error=f"at most {rules.percent(share)} of the rows may repeat an earlier row",
            ignore_na=False,
        ),
    ]
    return pa.DataFrameSchema(
        {name: pa.Column(None, list(found.values()), nullable=True, required=False) for name, found in checks.items()},
        checks=table_checks,
    )


def _column_checks(column: ColumnConfig) -> dict[str, pa.Check]:
    """The rules of one column by name. A value that is not a number breaks the rule about that, and no limit."""
    share = column.max_missing
    words = rules.missing_words(share)
    checks = {
        "missing": pa.Check(lambda s: s.notna() | bool(s.isna().mean() <= share), error=words, ignore_na=False),
    }
    if column.kind == "number":
        checks["kind"] = pa.Check(_numeric, error=rules.KINDS["number"])
    if column.kind == "date":
        checks["kind"] = pa.Check(
            lambda s: s.notna() if is_date(s) else s.isna(),
            error=f"{rules.KINDS['date']}: add it to data.reading.dates",
        )
    return checks | {name: pa.Check(rule.holds, error=rule.words) for name, rule in rules.value_rules(column).items()}


def _target_checks(target: TargetConfig) -> dict[str, pa.Check]:
    words = (
        "is the target and must have no missing value: mend it, or leave such rows out with "
        "data.reading.target_missing=drop"
    )
    checks = {
        "missing": pa.Check(lambda s: s.notna(), error=words, ignore_na=False),
        "constant": pa.Check(lambda s: s.nunique() > 1, error="is the target and must have more than one value"),
    }
    if target.task == "regression":
        words = (
            "is the target and is text or a boolean; a regression needs numbers: "
            "set target.task=classification or fix the column"
        )
        return checks | {"kind": pa.Check(_numeric, error=words)}
    words = "is the target and each of its classes must have at least 2 rows"
    return checks | {"classes": pa.Check(lambda s: s.duplicated(keep=False), error=words)}


def _numeric(column: pd.Series) -> pd.Series:
    """False for each value that is not a number; for all values of a text column in which all look like numbers."""
    if is_number(column):
        return column.notna()
    parsed = pd.to_numeric(column.astype(str), errors="coerce").notna()
    return parsed if not parsed.all() else ~parsed


def _finite(column: pd.Series) -> pd.Series:
    return ~np.isinf(column.astype(float)) if is_number(column) else column.notna()


def _failure(error: SchemaError) -> Check:
    """A failure that pandera found, in our words."""
    if error.reason_code != SchemaErrorReason.DATAFRAME_CHECK:
        raise error  # a rule itself broke down, which is our mistake and not the data's
    by_row = isinstance(error.check_output, pd.Series)
    column = error.schema.name
    values = error.failure_cases["failure_case"].dropna() if by_row and column is not None else []
    return Check(
        column=column,
        rule=error.check.error,
        failed=int((~error.check_output).sum()) if by_row else 0,
        examples=rules.examples(values),
    )


def _profile(column: pd.Series) -> ColumnProfile:
    known = column.dropna()
    numbers = known.astype(float)[np.isfinite(known.astype(float))] if is_number(column) else pd.Series(dtype=float)
    counts = known.astype(str).value_counts() if not is_number(column) else pd.Series(dtype=int)
    top = sorted(((str(name), int(count)) for name, count in counts.items()), key=lambda pair: (-pair[1], pair[0]))
    return ColumnProfile(
        name=str(column.name),
        dtype=str(column.dtype),
        missing=int(column.isna().sum()),
        distinct=int(known.nunique()),
        minimum=float(numbers.min()) if len(numbers) else None,
        mean=float(numbers.mean()) if len(numbers) else None,
        maximum=float(numbers.max()) if len(numbers) else None,
        top=top[:TOP],
    )
