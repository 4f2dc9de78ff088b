"""Evidently's page about rows of now beside those of training, made so that it needs no network and breaks on nothing.

Evidently is imported where it is used: that takes seconds.
"""

import base64
import os
import re
import warnings
from collections.abc import Sequence
from html import escape

import pandas as pd

from tabular.errors import one_line
from tabular.monitoring.frames import UNKNOWN
from tabular.pages.pictures import png
from tabular.pages.pictures.distributions import distributions
from tabular.pages.pictures.words import short
from tabular.reports.verdicts import Verdict

MOST = 40
"""Columns on a page: each costs a fifth of a second and 70 kB, and nobody reads more."""
CATEGORIES = 30
"""The most frequent ones of a column; the index of many rare ones is high by chance alone."""
THRESHOLD = 0.1
"""Of the population stability index, as is the custom: below it there is no change worth a look."""
LONGEST = 40
"""Characters of a name; longer ones push the pictures off the page."""
OTHERS = "(others)"
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:"
)
_STYLE = """
.note { font: 16px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; color: #1f2933; background: #eef3f7;
  border-left: 4px solid #0072b2; margin: 1rem; padding: .75rem 1rem; overflow-wrap: anywhere; }
.note p { margin: .3rem 0; max-width: 60rem; }
.note img { max-width: 100%; margin-top: .5rem; }
"""
_WITHOUT_SCRIPTS = (
    "Evidently draws with scripts, which are switched off here, as in ZenML's dashboard: save the page and open it in "
    "a browser, where it needs no network. The picture shows the columns with the worst findings: grey as in training, "
    "blue as they are now, in percent of the rows."
)
_UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_NAME = re.compile(r"metric_[0-9a-f]{32}")


def drift_page(reference: pd.DataFrame, current: pd.DataFrame, verdict: Verdict) -> str:
    """One HTML page with scripts inside it that loads nothing; the same for the same tables.

    Args:
        reference: stands for the training rows, see `tabular.monitoring.frames`.
        current: the same columns of the rows of now.
        verdict: which version and window; the columns of its findings come first, the worst of them first.
    """
    shown, left_out = _usable(reference, current, _ordered(reference, verdict))
    beyond, shown = shown[MOST:], shown[:MOST]
    page = ""
    while shown and not page:
        try:
            page = _evidently(reference[shown], current[shown])
        except Exception as error:  # of whichever library it stumbles in
            failing = {column: said for column in shown if (said := _failure(reference, current, column))}
            left_out |= failing or dict.fromkeys(shown, _in_one_line(error))
            shown = [column for column in shown if column not in left_out]
    notes = _notes(len(reference), len(current), verdict)
    if beyond:
        notes.append(
            f"{len(shown)} columns are shown, those with the worst findings first; left out: {', '.join(beyond)}."
        )
    notes += [f"Left out: {column}, because {why}." for column, why in left_out.items()]
    figure = distributions(reference, current, shown)
    drawn = "" if figure is None else _image(png(figure))
    return _with_notes(page or _EMPTY, f"{verdict.model} version {verdict.version}: drift", notes, drawn)


def _image(content: bytes) -> str:
    source = f"data:image/png;base64,{base64.b64encode(content).decode('ascii')}"
    return f'<img src="{source}" alt="distributions">'


def _ordered(reference: pd.DataFrame, verdict: Verdict) -> list[str]:
    found = [finding.subject for finding in verdict.findings if finding.subject in reference.columns]
    return list(dict.fromkeys([*found, *map(str, reference.columns)]))


def _usable(reference: pd.DataFrame, current: pd.DataFrame, columns: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """The columns that hold a value on both sides, and why the others are left out."""
    left_out = {}
    for column in columns:
        lacking = [
            rows
            for rows, table in (("the training rows", reference), ("these rows", current))
            if table[column].isna().all()
        ]
        if lacking:
            left_out[column] = f"it has no value in {' and '.join(lacking)}"
    return [column for column in columns if column not in left_out], left_out


def _failure(reference: pd.DataFrame, current: pd.DataFrame, column: str) -> str:
    """Why a column cannot be shown even alone; empty where it can."""
    try:
        _evidently(reference[[column]], current[[column]])
    except Exception as error:
        return _in_one_line(error)
    return ""


def _in_one_line(error: Exception) -> str:
    said = one_line(error)
    return f"Evidently cannot take it ({said.rstrip('.')})"


def _evidently(reference: pd.DataFrame, current: pd.DataFrame) -> str:
    os.environ.setdefault("DO_NOT_TRACK", "1")  # read while it is imported
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
        warnings.simplefilter("ignore")  # of constant columns, and what pandas will change one day
        found = Report([drift, DataSummaryPreset()]).run(
            Dataset.from_pandas(now, definition), Dataset.from_pandas(trained, definition)
        )
        html: str = found.get_html_str(as_iframe=False)
    return _with_equal_names(html)


def _prepared(reference: pd.DataFrame, current: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Without what would end the script that Evidently writes names and categories into, and without rare ones."""
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
    return (
        short(text, LONGEST)
        .replace("<", "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}")
        .replace(">", "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}")
    )


def _with_equal_names(html: str) -> str:
    """Numbers in the place of the random names that Evidently gives to what it draws."""
    found: dict[str, str] = {}
    html = _NAME.sub("metric_report", html)
    return _UUID.sub(lambda match: found.setdefault(match[0], f"drawn-{len(found)}"), html)


def _notes(trained: int, now: int, verdict: Verdict) -> list[str]:
    window = f"{verdict.model} version {verdict.version}, {verdict.start} to {verdict.end}"
    level = verdict.level.replace("_", " ")
    return [
        f"{window}: {now:,} of its rows (current) beside {trained:,} that stand for the training rows (reference). "
        "The latter are rebuilt from statistics, each column on its own, and the predictions from those for held-out "
        "rows.",
        f"Drift means here a population stability index (PSI) of at least {THRESHOLD:g}, as is the custom. The verdict "
        f"rests on tests of all rows, and may differ; it is: {level}.",
    ]


def _with_notes(html: str, title: str, notes: Sequence[str], image: str) -> str:
    head = (
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style>"
    )
    said = "".join(f"<p>{escape(note)}</p>" for note in notes)
    static = f'<noscript><div class="note"><p>{_WITHOUT_SCRIPTS}</p>{image}</div></noscript>'
    body = f'<div class="note">{said}</div>{static}'
    return html.replace("<head>", f"<head>{head}", 1).replace("<body>", f"<body>{body}", 1)


_EMPTY = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"></head>
<body><p>There is no column that could be shown.</p></body>
</html>
"""
