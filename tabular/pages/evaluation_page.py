"""One page about a model's look at the held-out rows: numbers, parts and pictures, in a single HTML file."""

import base64
import math
from collections.abc import Mapping, Sequence
from html import escape

from tabular.learning.metrics import is_better
from tabular.pages.pictures import words
from tabular.reports.training import Evaluation, Interval, Slice

CAPTIONS = {
    "predicted_against_actual": "Each cell counts rows; on the dashed line the prediction equals the actual value, "
    "above it the model says too much, below it too little.",
    "residuals": "Left, the error against the prediction; right, how often each error occurs. A band that is even and "
    "centred on 0 is good; a funnel or a slope shows where the model is systematically off.",
    "importances": "How much worse the metric gets when the values of one raw column are shuffled; the whiskers show "
    "the spread between shuffles, and a bar near 0 is a column that the model could do without.",
    "shap_summary": "Each dot is one row: right of 0 its value of the column raises the model's output, left of 0 it "
    "lowers it; the colour tells whether that value is low or high.",
    "slices": "The metric in each part of the rows, against all of them (dashed); a long way off means that the model "
    "serves that part differently.",
    "confusion_matrix": "Rows are actual labels, columns predicted ones; what lies off the diagonal is mistaken.",
    "roc": "Hits against false alarms at every threshold; the closer to the upper left corner, the better.",
    "precision_recall": "How many of the finds are right, against how many are found; the closer to the upper right "
    "corner, the better.",
    "calibration": "Where the dots lie on the dashed line, a probability of 70 % comes true in 70 of 100 cases; below "
    "it the model is too sure of itself.",
    "imputation": "The error of each strategy on known values that were masked; the shortest bar fills holes best.",
    "clusters": "What each number of clusters does to the model's error, and three usual measures of their shape.",
    "leaderboard": "The best candidate of each algorithm in cross-validation, with the spread between folds.",
    "search_history": "Every trial of the search; the line is the best so far, hollow marks were stopped early.",
    "search_importances": "Which parameters the results of the search depended on most.",
    "search_parallel": "Each line is one trial; where the blue lines meet, good values lie.",
    "gate": "The gain over the champion with its interval: a model wholly right of the tolerance is promoted.",
    "missing": "The share of missing values of each column that has any.",
}
"""How to read each picture, by its name."""

STYLE = """
:root { color-scheme: light dark; --ink: #1f2933; --muted: #52606d; --line: #d5dbe1; --paper: #ffffff;
  --accent: #0072b2; --bad: #b34700; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaee; --muted: #a3b0bc; --line: #3a4550; --paper: #161b20;
  --accent: #66b7e6; --bad: #ff9d5c; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 66rem; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
h1, h2 { line-height: 1.25; overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; margin: 0 0 .5rem; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem; }
p { margin: .4rem 0; max-width: 46rem; }
.lead { font-size: 1.1rem; }
.note, figcaption { color: var(--muted); }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .94rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .9rem .4rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; }
thead th { color: var(--muted); vertical-align: bottom; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
thead .number { white-space: normal; }
#metrics th { white-space: nowrap; }
#slices td:nth-child(2) { min-width: 8rem; overflow-wrap: anywhere; }
code { font-size: .85em; font-weight: 400; color: var(--muted); }
.main .number, .main th { color: var(--accent); font-weight: 600; }
.bad { color: var(--bad); font-weight: 600; }
figure { margin: 1.5rem 0 2.5rem; }
figure img { display: block; max-width: 100%; height: auto; padding: .5rem; background: #ffffff;
  border: 1px solid var(--line); border-radius: 6px; }
figcaption { margin-top: .5rem; max-width: 46rem; }
"""


def page(evaluation: Evaluation, title: str, pictures: Mapping[str, bytes]) -> str:
    """One HTML page that needs nothing else: no script, no address outside, pictures inside it.

    Args:
        evaluation: the numbers.
        title: the heading, plain text.
        pictures: PNG files by name, in the order in which they are shown; for the names see `tabular.pages.pictures`.
    """
    sections = [
        _metrics(evaluation),
        _cross_validation(evaluation),
        _by_class(evaluation),
        _slices(evaluation),
        _pictures(pictures),
    ]
    return document(title, escape(_summary(evaluation)), sections)


def document(title: str, lead: str, sections: Sequence[str], style: str = "") -> str:
    """A whole page in the look that all reports share; its policy lets nothing be loaded and no script be run.

    Args:
        title: plain text.
        lead: the first paragraph, HTML.
        sections: HTML, one below the other.
        style: further rules of CSS.
    """
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{escape(title)}</title>
<style>{STYLE}{style}</style>
</head>
<body>
<h1>{escape(title)}</h1>
<p class="lead">{lead}</p>
{"".join(sections)}</body>
</html>
"""


def _summary(evaluation: Evaluation) -> str:
    metric = evaluation.metric
    found = evaluation.metrics.get(metric)
    rows = f"{evaluation.rows:,} held-out rows that the model had never seen"
    if found is None:
        return f"Measured on {rows}."
    baseline = evaluation.baseline.get(metric)
    against = "" if baseline is None else f", against {words.value(metric, baseline)} for {_baseline_words(evaluation)}"
    return f"On {rows}, {words.metric(metric).label} is {words.value(metric, found.value)}{against}."


def _baseline_words(evaluation: Evaluation) -> str:
    if evaluation.task == "regression":
        return "always answering the median of the training rows"
    return "always answering the most frequent class, with the shares of the classes as probabilities"


def _metrics(evaluation: Evaluation) -> str:
    rows = "".join(_metric_row(name, interval, evaluation) for name, interval in evaluation.metrics.items())
    return f"""<h2>Metrics</h2>
<p class="note">The interval shows how far a value moves when the held-out rows are drawn anew (bootstrap).
The baseline is {_baseline_words(evaluation)}.</p>
<div class="table"><table id="metrics">
<thead><tr><th scope="col">Metric</th><th scope="col" class="number">Held out</th>
<th scope="col" class="number">Interval</th><th scope="col" class="number">Baseline</th>
<th scope="col">Meaning</th></tr>
</thead>
<tbody>
{rows}</tbody>
</table></div>
"""


def _metric_row(name: str, interval: Interval, evaluation: Evaluation) -> str:
    label, _, meaning = words.metric(name)
    baseline = evaluation.baseline.get(name)
    is_worse = baseline is not None and name in words.METRICS and is_better(name, baseline, interval.value)
    advice = " ".join(part for part in (meaning, f"{words.better(name).capitalize()}.") if part)
    ends = [words.value(name, interval.low), words.value(name, interval.high)]
    cells = [
        words.value(name, interval.value),
        "undefined" if math.isnan(interval.low) else " to ".join(ends),
        "\N{EN DASH}" if baseline is None else words.value(name, baseline),
    ]
    numbers = "".join(f'<td class="number">{escape(cell)}</td>' for cell in cells)
    warning = ' <span class="bad">Worse than the baseline.</span>' if is_worse else ""
    heading = f"{escape(label)}<br><code>{escape(name)}</code>"
    main = ' class="main"' if name == evaluation.metric else ""
    return f'<tr{main}><th scope="row">{heading}</th>{numbers}<td>{escape(advice)}{warning}</td></tr>\n'


def _cross_validation(evaluation: Evaluation) -> str:
    validated = evaluation.cross_validation
    if validated is None:
        return ""
    rows = [
        [words.metric(name).label, *(words.value(name, number) for number in (figures.mean, figures.std))]
        for name, figures in validated.metrics.items()
    ]
    folds = max(len(figures.folds) for figures in validated.metrics.values())
    note = f"The same model in {folds} folds of {validated.rows:,} training rows, everything fitted anew in each."
    if validated.log_loss_calibrated is not None and validated.temperature != 1.0:
        before, after = (
            words.value("log_loss", loss or 0.0)
            for loss in (validated.log_loss_uncalibrated, validated.log_loss_calibrated)
        )
        note += f" A temperature of {validated.temperature:.3g} takes the log loss from {before} to {after}."
    return _table("In cross-validation", note, "cross_validation", ["Metric", "Mean", "Standard deviation"], rows)


def _by_class(evaluation: Evaluation) -> str:
    if not evaluation.by_class:
        return ""
    rows = [
        [
            score.label,
            *(words.value("f1_macro", number) for number in (score.precision, score.recall, score.f1)),
            f"{score.support:,}",
        ]
        for score in evaluation.by_class
    ]
    note = "Precision: of the rows given the label, the share that has it. Recall: of its rows, the share found."
    return _table("By class", note, "classes", ["Label", "Precision", "Recall", "F1", "Rows"], rows)


def _table(title: str, note: str, name: str, head: list[str], rows: list[list[str]]) -> str:
    """A table whose first column is text and whose others are numbers."""
    first, *others = head
    heads = f'<th scope="col">{escape(first)}</th>' + "".join(
        f'<th scope="col" class="number">{escape(other)}</th>' for other in others
    )
    body = "".join(
        f'<tr><th scope="row">{escape(label)}</th>'
        + "".join(f'<td class="number">{escape(cell)}</td>' for cell in cells)
        + "</tr>\n"
        for label, *cells in rows
    )
    return f"""<h2>{escape(title)}</h2>
<p class="note">{escape(note)}</p>
<div class="table"><table id="{name}">
<thead><tr>{heads}</tr></thead>
<tbody>
{body}</tbody>
</table></div>
"""


def _slices(evaluation: Evaluation) -> str:
    if not evaluation.slices:
        return ""
    names = list(evaluation.metrics)
    head = "".join(f'<th scope="col" class="number">{escape(words.metric(name).label)}</th>' for name in names)
    rows = "".join(_slice_row(part, names) for part in evaluation.slices)
    return f"""<h2>By part of the rows</h2>
<p class="note">The same metrics on one part of the held-out rows at a time; a dash means undefined on that part.</p>
<div class="table"><table id="slices">
<thead><tr><th scope="col">Column</th><th scope="col">Part</th><th scope="col" class="number">Rows</th>
{head}</tr></thead>
<tbody>
{rows}</tbody>
</table></div>
"""


def _slice_row(part: Slice, names: list[str]) -> str:
    cells = [words.value(name, part.metrics[name]) if name in part.metrics else "\N{EN DASH}" for name in names]
    numbers = "".join(f'<td class="number">{escape(cell)}</td>' for cell in [f"{part.rows:,}", *cells])
    return f'<tr><th scope="row">{escape(part.column)}</th><td>{escape(part.part)}</td>{numbers}</tr>\n'


def _pictures(pictures: Mapping[str, bytes]) -> str:
    if not pictures:
        return ""
    return "<h2>Pictures</h2>\n" + "".join(_picture(name, data) for name, data in pictures.items())


def _picture(name: str, data: bytes) -> str:
    title = name.replace("_", " ")
    caption = CAPTIONS.get(name, title)
    source = f"data:image/png;base64,{base64.b64encode(data).decode('ascii')}"
    return (
        f'<figure id="{escape(name)}"><img src="{source}" alt="{escape(title)}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>\n"
    )
