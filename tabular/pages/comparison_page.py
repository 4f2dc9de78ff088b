"""One page about two versions side by side: what differs, what they score and the picture, in a single HTML file."""

import base64
import json
import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from tabular.learning.comparison import Comparison, PairedTest, Scores
from tabular.pages.evaluation_page import document
from tabular.pages.pictures import words
from tabular.reports.training import Interval

CAPTION = (
    "Above, each metric on its own scale; the grey square is the first version, the blue circle the second. Below "
    "left, how often each difference occurs when the same rows are drawn anew for both: an interval wholly right of 0 "
    "means that the second version is better, one that holds 0 that it cannot be told. Below right, the errors of "
    "single rows, or the share of each class that gets the right label."
)
"""How to read the picture."""
_DASH = "\N{EN DASH}"
_NUMBER = ' class="number"'


def page(comparison: Comparison, title: str, pictures: Mapping[str, bytes]) -> str:
    """One HTML page that needs nothing else: no script, no address outside, pictures inside it.

    Args:
        comparison: the numbers.
        title: the heading, plain text.
        pictures: PNG files by name, in the order in which they are shown.
    """
    rows = f" Compared on {comparison.compared_on}." if comparison.compared_on else ""
    lead = f"{comparison.words[:1].upper()}{comparison.words[1:]}.{rows}"
    sections = [
        _metrics(comparison),
        "".join(_picture(name, data) for name, data in pictures.items()),
        _parameters(comparison),
        _sentences("Data", "data", comparison.data, ""),
        _sentences("Inputs", "inputs", comparison.inputs, "Both take the same inputs."),
        _sentences("What would break the clients of the first", "breaks", comparison.breaks, "Nothing."),
    ]
    return document(title, escape(lead), sections)


def _metrics(comparison: Comparison) -> str:
    tests = {test.metric: test for test in comparison.tests}
    rows = "".join(_metric_row(score, tests.get(score.metric), comparison) for score in comparison.scores)
    head = _head(["Metric", comparison.a, comparison.b, f"Gain of {comparison.b}"], numbers=range(1, 4))
    drawn = (
        f"The gain is measured on the same rows for both ({comparison.compared_on}), with its "
        f"{100 * comparison.confidence:g} % interval from {comparison.resamples:,} paired resamples; "
        "positive is better, whichever way the metric is."
        if comparison.tests
        else "No gain is shown, because there was no fair comparison on the same rows."
    )
    return f"""<h2>Metrics</h2>
<p class="note">Each version on its own held-out rows, with its interval. {escape(drawn)}</p>
<div class="table"><table id="metrics">
{head}
<tbody>
{rows}</tbody>
</table></div>
"""


def _metric_row(score: Scores, test: PairedTest | None, comparison: Comparison) -> str:
    name = score.metric
    cells = [_interval(name, score.a), _interval(name, score.b), _DASH if test is None else _gain(test)]
    numbers = "".join(f'<td class="number">{cell}</td>' for cell in cells)
    main = ' class="main"' if name == comparison.metric else ""
    heading = f"{escape(words.metric(name).label)}<br><code>{escape(name)}</code>"
    return f'<tr{main}><th scope="row">{heading}</th>{numbers}</tr>\n'


def _interval(name: str, interval: Interval | None) -> str:
    if interval is None:
        return _DASH
    return _stacked(
        words.value(name, interval.value), [words.value(name, end) for end in (interval.low, interval.high)]
    )


def _gain(test: PairedTest) -> str:
    """In percentage points where the metric is in percent."""
    ends = (test.difference.value, test.difference.low, test.difference.high)
    if any(map(math.isnan, ends)):
        return "undefined"
    value, *interval = (("+" if end > 0 else "") + words.plain(end) for end in ends)
    unit = " points" if words.metric(test.metric).unit == "%" else ""
    is_worse = test.difference.high < 0
    return _stacked(value + unit, interval, "bad" if is_worse else "")


def _stacked(value: str, interval: Sequence[str], look: str = "") -> str:
    shown = f'<span class="{look}">{escape(value)}</span>' if look else escape(value)
    return f"{shown}<br><code>{escape(' to '.join(interval))}</code>"


def _parameters(comparison: Comparison) -> str:
    if not comparison.parameters:
        return "<h2>Choices</h2>\n<p>Both were made in the same way.</p>\n"
    rows = "".join(
        f'<tr><th scope="row">{escape(one.name)}</th><td>{_chosen(one.a)}</td><td>{_chosen(one.b)}</td></tr>\n'
        for one in comparison.parameters
    )
    return f"""<h2>Choices</h2>
<p class="note">What was chosen otherwise; a dash where a version has no such thing.</p>
<div class="table"><table id="choices">
{_head(["Choice", comparison.a, comparison.b])}
<tbody>
{rows}</tbody>
</table></div>
"""


def _chosen(value: Any) -> str:
    return _DASH if value is None else escape(value if isinstance(value, str) else json.dumps(value))


def _head(names: Sequence[str], numbers: Sequence[int] = ()) -> str:
    cells = [
        f'<th scope="col"{_NUMBER if place in numbers else ""}>{escape(name)}</th>' for place, name in enumerate(names)
    ]
    return f"<thead><tr>{''.join(cells)}</tr></thead>"


def _sentences(heading: str, name: str, sentences: Sequence[str], otherwise: str) -> str:
    """A list, or one sentence where there is nothing to list."""
    if not sentences:
        return f"<h2>{escape(heading)}</h2>\n<p>{escape(otherwise)}</p>\n"
    items = "".join(f"<li>{escape(one[:1].upper() + one[1:])}.</li>\n" for one in sentences)
    return f'<h2>{escape(heading)}</h2>\n<ul id="{name}">\n{items}</ul>\n'


def _picture(name: str, data: bytes) -> str:
    source = f"data:image/png;base64,{base64.b64encode(data).decode('ascii')}"
    return (
        f'<figure id="{escape(name)}"><img src="{source}" alt="{escape(name)}">'
        f"<figcaption>{escape(CAPTION)}</figcaption></figure>\n"
    )
