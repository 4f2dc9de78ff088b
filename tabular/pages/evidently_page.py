"""Evidently's page about the present rows beside the training rows, made so that it needs no network.

Evidently is imported where it is used, because the import takes seconds.
"""

import os
import re
import warnings

import pandas as pd

from tabular.errors import one_line
from tabular.monitoring.frames import UNKNOWN
from tabular.pages import rendering, words
from tabular.pages.pictures import png
from tabular.pages.pictures.distributions import distributions
from tabular.reports.verdicts import Verdict

MOST = 40
"""Largest number of columns on a page: each costs a fifth of a second and 70 kB."""
CATEGORIES = 30
"""Number of frequent categories of a column that are shown; the index of many rare ones is high by chance alone."""
THRESHOLD = 0.1
"""Population stability index from which a column counts as drifted; the customary value."""
LONGEST = 40
"""Characters of a name; longer ones push Evidently's pictures off the page."""
OTHERS = "(others)"
_UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_NAME = re.compile(r"metric_[0-9a-f]{32}")


def drift_page(reference: pd.DataFrame, current: pd.DataFrame, verdict: Verdict) -> str:
    """Return one HTML page that loads nothing; its scripts are inside it. Equal tables give equal pages.

    Args:
        reference: rows that stand for the training rows, see `tabular.monitoring.frames`.
        current: the same columns of the present rows.
        verdict: names the version and the window. The columns of its findings come first, the worst of them first.
    """
    left_out = {}
    for column in reference:
        tables = {"the training rows": reference, "these rows": current}
        if lacking := [rows for rows, table in tables.items() if table[column].isna().all()]:
            left_out[str(column)] = f"it has no value in {' and '.join(lacking)}"
    found = [finding.subject for finding in verdict.findings if finding.subject in reference.columns]
    ordered = list(dict.fromkeys([*found, *map(str, reference.columns)]))
    usable = [column for column in ordered if column not in left_out]
    shown, beyond = usable[:MOST], usable[MOST:]
    page = ""
    while shown and not page:
        try:
            page = _evidently(reference[shown], current[shown])
        except Exception as error:  # any library below Evidently may fail
            failing = {column: why for column in shown if (why := _failure(reference, current, column))}
            left_out |= failing or dict.fromkeys(shown, _refusal(error))
            shown = [column for column in shown if column not in left_out]
    head, _, body = page.partition("<head>")[2].partition("<body>")
    figure = distributions(reference, current, shown)
    return rendering.html(
        "evidently.html",
        page=page,
        head=head,
        body=body,
        picture=png(figure) if figure else b"",
        verdict=verdict,
        rows=len(current),
        trained=len(reference),
        threshold=THRESHOLD,
        shown=shown,
        beyond=beyond,
        left_out=left_out,
    )


def _failure(reference: pd.DataFrame, current: pd.DataFrame, column: str) -> str:
    """Say why Evidently cannot show a column even alone; the text is empty if it can."""
    try:
        _evidently(reference[[column]], current[[column]])
    except Exception as error:
        return _refusal(error)
    return ""


def _refusal(error: Exception) -> str:
    return f"Evidently cannot show it ({one_line(error).rstrip('.')})"


def _evidently(reference: pd.DataFrame, current: pd.DataFrame) -> str:
    os.environ.setdefault("DO_NOT_TRACK", "1")  # Evidently reads it when it is imported
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset, DataSummaryPreset

    trained, now = _prepared(reference, current)
    numbers = [column for column in trained if pd.api.types.is_numeric_dtype(trained[column])]
    definition = DataDefinition(
        numerical_columns=numbers, categorical_columns=[column for column in trained if column not in numbers]
    )
    # One column that has drifted is enough for the headline, as it is for a verdict.
    drift = DataDriftPreset(method="psi", threshold=THRESHOLD, drift_share=round(0.5 / trained.shape[1], 3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about constant columns and future versions of pandas
        found = Report([drift, DataSummaryPreset()]).run(
            Dataset.from_pandas(now, definition), Dataset.from_pandas(trained, definition)
        )
        html: str = found.get_html_str(as_iframe=False)
    # Numbers take the place of the random names that Evidently gives to its parts, so that equal tables look equal.
    drawn: dict[str, str] = {}
    html = _NAME.sub("metric_report", html)
    return _UUID.sub(lambda match: drawn.setdefault(match[0], f"drawn-{len(drawn)}"), html)


def _prepared(reference: pd.DataFrame, current: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return both tables with harmless names and categories, and with rare categories put together."""
    names: dict[str, str] = {}
    for column in reference:
        name = _harmless(str(column))
        while name in names.values():
            name += "'"
        names[str(column)] = name
    trained, now = reference.rename(columns=names), current.rename(columns=names)
    for column in trained:
        if pd.api.types.is_numeric_dtype(trained[column]):
            continue
        kept = {*trained[column].value_counts().index[:CATEGORIES], UNKNOWN}
        are_many = trained[column].nunique() > CATEGORIES
        for table in (trained, now):
            values = table[column]
            if are_many:
                values = values.where(values.isna() | values.isin(kept), OTHERS)
            table[column] = values.map(_harmless, na_action="ignore")
    return trained, now


def _harmless(text: str) -> str:
    """Return text that does not end the script into which Evidently writes names and categories."""
    return (
        words.short(text, LONGEST)
        .replace("<", "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}")
        .replace(">", "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}")
    )
