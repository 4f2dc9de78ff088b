"""One page about a verdict, for people: what was found, why, over time, and what to do next, in a single HTML file."""

import base64
import math
from collections.abc import Mapping, Sequence
from html import escape

from tabular.pages.evaluation_page import document
from tabular.pages.pictures import words
from tabular.pages.timeline import out_of_the_ordinary
from tabular.reports.verdicts import Finding, Kind, Level, Performance, Traffic, Verdict

CAPTIONS = {
    "drift": "Each bar is one thing that was looked at, the lines are the thresholds that it was judged by. A bar "
    "beyond a line is still grey where so few rows may differ by chance alone, or where the column is ignored.",
    "performance": "Each metric on its own scale: the grey square is the value on the held-out rows when the model was "
    "registered, the blue circle that of now with its interval.",
}
"""How to read the pictures, by their names."""
LEVELS: dict[Level, str] = {
    "ok": "fine",
    "warn": "warning",
    "alert": "alert",
    "not_enough_data": "not enough data",
}
KINDS: dict[Kind, str] = {
    "distribution": "distribution",
    "missing": "missing values",
    "out_of_range": "beyond training",
    "unknown": "unknown categories",
    "prediction": "predictions",
    "performance": "performance",
    "latency": "latency",
    "errors": "failed requests",
    "refused": "refused requests",
    "validation": "broken rule",
}
NEXT: dict[Kind, str] = {
    "distribution": "Find out whether the world has changed or the way in which the column is filled in. If it is the "
    "world, train again on data that holds the new rows; if a unit or a source has changed, put it right there.",
    "missing": "Look for what has stopped sending the column: a form, a join, a sensor. The model fills the gaps by "
    "guesses, so until it is mended take its answers with care.",
    "out_of_range": "Look at a few of these rows. A wrong unit or a placeholder such as -999 is to be put right where "
    "it is made; if the values are real, train again: no model knows what lies beyond its training.",
    "unknown": "A new spelling is to be put right where it is made. A new category is answered as if it were none of "
    "the known ones: train again as soon as there are rows of it with a true value.",
    "prediction": "Look at the columns above first, because they are the usual cause. If none of them has changed, "
    "compare answers of the service with those of the model itself: the service may run another version.",
    "performance": "Train again, and compare the new version with this one before it is released. If an earlier "
    "version was better, roll back.",
    "latency": "Look at the busiest minute, at the size of the requests and at the machine; give the service more "
    "workers or smaller batches.",
    "errors": "Read the log of the service for these minutes. Where a fallback has answered, the model itself failed.",
    "refused": "The causes above say what clients send wrongly. Where many began at once, a client was changed, or "
    "the inputs of the model were.",
    "validation": "Look at the rows that break the rule; put them right where they are made, or the rule if it is "
    "too narrow.",
}
"""What to do, by what was found; training again helps only where it says so."""
_STYLE = """
:root { --ok: #b0bec9; --warn: #e69f00; --alert: #d55e00; }
.level { display: inline-block; padding: .05rem .5rem; border-radius: 4px; font-size: .85em; font-weight: 600;
  white-space: nowrap; border: 1px solid var(--line); }
.level.warn { background: var(--warn); border-color: var(--warn); color: #1f2933; }
.level.alert { background: #b34700; border-color: #b34700; color: #ffffff; }
#findings td:last-child { min-width: 16rem; overflow-wrap: anywhere; }
#findings tbody th { min-width: 11rem; }
#findings th, #windows th, #causes th { overflow-wrap: anywhere; }
#traffic, #causes, #windows { width: auto; }
#traffic th, #causes th { padding-right: 2rem; }
dt { margin-top: .6rem; }
dd { margin: 0 0 0 1.25rem; max-width: 46rem; }
.strip { overflow-x: auto; direction: rtl; }
.strip table { direction: ltr; margin: 0 auto 0 0; }
#windows th { min-width: 9rem; max-width: 20rem; position: sticky; left: 0; background: var(--paper); }
#windows td { padding: .15rem .1rem; border-bottom: 0; }
#windows tbody th { padding: .15rem .9rem .15rem 0; border-bottom: 0; font-weight: 400; }
.cell { display: block; width: 1.5rem; height: 1.3rem; border-radius: 3px; text-align: center; font-size: .8rem;
  line-height: 1.3rem; color: #1f2933; background: var(--ok); }
.cell.warn { background: var(--warn); }
.cell.alert { background: #b34700; color: #ffffff; }
.cell.none { background: none; border: 1px dashed var(--line); color: var(--muted); }
"""
_DASH = "\N{EN DASH}"
_MARKS = {"ok": "", "warn": "!", "alert": "!!"}


def page(
    verdict: Verdict, title: str, pictures: Mapping[str, bytes] | None = None, earlier: Sequence[Verdict] = ()
) -> str:
    """One HTML page that needs nothing else: no script, no address outside, pictures inside it.

    Args:
        verdict: the newest.
        title: the heading, plain text.
        pictures: PNG files by name, in the order in which they are shown, as `tabular.pages.pictures` draws them.
        earlier: verdicts on the windows before, the oldest first; what has happened over time is shown where there
            are any.
    """
    sections = [
        _reasons(verdict),
        _advice(verdict),
        _over_time([*earlier, verdict]) if earlier else "",
        "".join(_picture(name, data) for name, data in (pictures or {}).items()),
        _performance(verdict.performance),
        _traffic(verdict.traffic),
        _findings(verdict.findings),
    ]
    return document(title, f"{_level(verdict.level)} {escape(_sentence(verdict))}", sections, _STYLE)


def _sentence(verdict: Verdict) -> str:
    said = {
        "ok": "nothing is out of the ordinary",
        "warn": "something is worth a look",
        "alert": "something is wrong",
        "not_enough_data": "there are too few rows to judge",
    }[verdict.level]
    what = "window" if verdict.source == "log" else "batch"
    lead = (
        f"{verdict.model} version {verdict.version}: {said} in the {what} of {verdict.rows:,} rows "
        f"from {moment(verdict.start)} to {moment(verdict.end)} UTC."
    )
    if verdict.retrain:
        return (
            f"{lead} The model is due for another training: {verdict.violations} of {verdict.windows} windows violate."
        )
    if verdict.source == "log" and verdict.windows:
        return f"{lead} No other training is due: {verdict.violations} of {verdict.windows} windows violate."
    return lead


def moment(text: str) -> str:
    """A moment of ISO 8601 to the minute."""
    return text[:16].replace("T", " ")


def _level(level: Level) -> str:
    return f'<span class="level {level}">{escape(LEVELS[level])}</span>'


def _reasons(verdict: Verdict) -> str:
    if not verdict.reasons:
        return ""
    items = "".join(f"<li>{escape(reason)}</li>\n" for reason in verdict.reasons)
    return f'<h2>Why</h2>\n<ul id="reasons">\n{items}</ul>\n'


def _advice(verdict: Verdict) -> str:
    subjects: dict[Kind, list[str]] = {}
    for finding in verdict.findings:
        if finding.level != "ok":
            subjects.setdefault(finding.kind, []).append(finding.subject)
    if not subjects:
        return ""
    items = "".join(
        f"<dt><strong>{escape(KINDS[kind])}</strong> ({escape(_listed(names))})</dt><dd>{escape(NEXT[kind])}</dd>\n"
        for kind, names in subjects.items()
    )
    return f'<h2>What to do next</h2>\n<dl id="next">\n{items}</dl>\n'


def _listed(names: Sequence[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(words.short(name, 40) for name in names[:most]) + more


def _findings(findings: Sequence[Finding]) -> str:
    if not findings:
        return ""
    rows = "".join(
        f'<tr><td>{_level(finding.level)}</td><th scope="row">{escape(finding.subject)}</th>'
        f"<td>{escape(KINDS[finding.kind])}</td>"
        f'<td class="number">{escape(words.plain(finding.value))}<br><code>{escape(finding.measure)}</code></td>'
        f'<td class="number">{_DASH if finding.psi is None else escape(words.plain(finding.psi))}</td>'
        f"<td>{escape(finding.words)}</td></tr>\n"
        for finding in findings
    )
    return f"""<h2>All that was looked at</h2>
<p class="note">A finding counts where it is both large and sure: its value reaches the threshold, and such rows are
hardly ever drawn by chance, all tests of the window taken together. PSI is the population stability index, for those
who are used to it; it decides nothing here.</p>
<div class="table"><table id="findings">
<thead><tr><th scope="col">Level</th><th scope="col">Where</th><th scope="col">What</th>
<th scope="col" class="number">Value</th><th scope="col" class="number">PSI</th>
<th scope="col">Now against training</th></tr></thead>
<tbody>
{rows}</tbody>
</table></div>
"""


def _performance(performance: Performance | None) -> str:
    if performance is None:
        return ""
    rows = ""
    for name, found in performance.metrics.items():
        ends = (words.value(name, found.low), words.value(name, found.high))
        span = "undefined" if math.isnan(found.low) else " to ".join(ends)
        before = performance.held_out.get(name)
        cells = [words.value(name, found.value), span, _DASH if before is None else words.value(name, before)]
        main = ' class="main"' if name == performance.metric else ""
        heading = f"{escape(words.metric(name).label)}<br><code>{escape(name)}</code>"
        numbers = "".join(f'<td class="number">{escape(cell)}</td>' for cell in cells)
        rows += f'<tr{main}><th scope="row">{heading}</th>{numbers}<td>{escape(words.better(name))}</td></tr>\n'
    return f"""<h2>Performance</h2>
<p class="note">{performance.rows:,} predictions from {escape(moment(performance.start))} to
{escape(moment(performance.end))} UTC whose true value is known, beside the rows held out in training.</p>
<div class="table"><table id="performance_table">
<thead><tr><th scope="col">Metric</th><th scope="col" class="number">Now</th>
<th scope="col" class="number">Interval</th><th scope="col" class="number">Held out</th>
<th scope="col">Better</th></tr></thead>
<tbody>
{rows}</tbody>
</table></div>
"""


def _traffic(traffic: Traffic | None) -> str:
    if traffic is None:
        return ""
    times = (("median", traffic.p50_ms), ("95th percentile", traffic.p95_ms), ("99th percentile", traffic.p99_ms))
    figures = {
        "requests answered": f"{traffic.requests:,}",
        "rows in them": f"{traffic.rows:,}",
        "rows a second, on average": words.plain(traffic.rows_per_second),
        "requests in the busiest minute": f"{traffic.peak_requests:,}",
        **{f"latency, {name}": _DASH if time is None else f"{words.plain(time)} ms" for name, time in times},
        "failed": f"{traffic.failed:,}",
        "answered by a fallback": f"{traffic.fallback:,}",
        "refused": f"{traffic.refused:,}",
    }
    return _two_columns("Traffic", "traffic", figures) + (
        _two_columns("Why requests were failed or refused", "causes", {k: f"{n:,}" for k, n in traffic.causes.items()})
        if traffic.causes
        else ""
    )


def _two_columns(heading: str, name: str, rows: Mapping[str, str]) -> str:
    body = "".join(
        f'<tr><th scope="row">{escape(label)}</th><td class="number">{escape(value)}</td></tr>\n'
        for label, value in rows.items()
    )
    return f'<h2>{escape(heading)}</h2>\n<div class="table"><table id="{name}"><tbody>\n{body}</tbody></table></div>\n'


def _over_time(verdicts: Sequence[Verdict]) -> str:
    """A strip of coloured cells for each thing that has ever been out of the ordinary, one for each window."""
    rows = "".join(
        f'<tr><th scope="row">{escape(words.short(label, 40))}</th>'
        + "".join(_cell(one, finding) for one, finding in zip(verdicts, found, strict=True))
        + "</tr>\n"
        for label, found in out_of_the_ordinary(verdicts)
    )
    worst = "".join(_cell(one, one) for one in verdicts)
    return f"""<h2>Over time</h2>
<p class="note">{len(verdicts)} windows from {escape(moment(verdicts[0].start))} to {escape(moment(verdicts[-1].end))}
UTC, the newest at the right: ! is a warning, !! an alert, a dashed cell was not judged. What has always been fine is
left out.</p>
<div class="strip"><table id="windows"><tbody>
<tr><th scope="row"><strong>the window</strong></th>{worst}</tr>
{rows}</tbody></table></div>
"""


def _cell(verdict: Verdict, judged: Verdict | Finding | None) -> str:
    when = f"until {moment(verdict.end)}"
    if judged is None or judged.level == "not_enough_data":
        return f'<td><span class="cell none" title="{escape(when)}: not judged">\N{MIDDLE DOT}</span></td>'
    said = judged.words if isinstance(judged, Finding) else f"{LEVELS[judged.level]}, {judged.rows:,} rows"
    level = judged.level
    return f'<td><span class="cell {level}" title="{escape(f"{when}: {said}")}">{_MARKS[level]}</span></td>'


def _picture(name: str, data: bytes) -> str:
    title = name.replace("_", " ")
    source = f"data:image/png;base64,{base64.b64encode(data).decode('ascii')}"
    return (
        f'<figure id="{escape(name)}"><img src="{source}" alt="{escape(title)}">'
        f"<figcaption>{escape(CAPTIONS.get(name, title))}</figcaption></figure>\n"
    )
