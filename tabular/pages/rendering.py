"""Rendering of the package's templates: HTML pages and the model card.

A template receives a report and lays it out. Every value that it writes is escaped, for HTML or for Markdown, and a
name that does not exist raises an error instead of leaving a gap.
"""

import base64
import json
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tabular.pages import words

_MARKDOWN = str.maketrans(
    {"\\": "\\\\", "|": "\\|", "<": "&lt;", "*": "\\*", "`": "\\`", "[": "\\[", "]": "\\]", "\n": " ", "\r": " "}
)


def html(template: str, **values: Any) -> str:
    """Return one HTML page that needs nothing else: it runs no script, loads nothing and holds its pictures.

    Args:
        template: name of a file in `templates/`.
        values: what the template shows, as plain text; `pictures` are PNG files by name in the order of the page.

    Raises:
        jinja2.UndefinedError: the template uses a value that is not given.
    """
    return _HTML.get_template(template).render(values)


def markdown(template: str, **values: Any) -> str:
    """Return text in GitHub's Markdown; arguments and errors are those of `html`."""
    return _MARKDOWN_FILES.get_template(template).render(values)


def _environment(**options: Any) -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        **options,
    )
    made.globals["words"] = words
    made.filters |= {
        "data_uri": lambda png: f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}",
        "json": json.dumps,
        "minute": lambda moment: moment[:16].replace("T", " "),  # of ISO 8601
        "sentence": lambda text: f"{text[:1].upper()}{text[1:]}.",
        "short": partial(words.short, length=40),
        "thousands": "{:,}".format,
    }
    return made


def _escape_markdown(value: Any) -> Markup:
    return value if isinstance(value, Markup) else Markup(str(value).translate(_MARKDOWN))


_HTML = _environment()
_MARKDOWN_FILES = _environment(finalize=_escape_markdown)
# Between backticks Markdown knows no escape.
_MARKDOWN_FILES.filters["code"] = lambda text: Markup(text.replace("`", "'").replace("\n", " "))
