"""Sending messages to people: by the alerter of the active stack, or to a webhook."""

import os
import urllib.error
import urllib.request
from typing import Any

from zenml.client import Client

from tabular.errors import one_line
from tabular.reports.plain_json import json_text
from tabular.reports.report import Report
from tabular.reports.verdicts import Verdict
from tabular.storage.addresses import public

WEBHOOK = "STACKHOUSE_WEBHOOK_URL"
"""Environment variable with the webhook's address. It may hold a secret, so it does not stand in a config."""
SECONDS = 10.0
"""Timeout of the webhook."""
SHOWN = 5
"""Largest number of reasons in a message."""


class Notification(Report):
    """Whether a message was sent."""

    sent: bool
    words: str
    """How it was sent, or why it was not."""


def message(verdict: Verdict) -> str:
    """A verdict as a chat message: one line, then a line for each reason."""
    marks = {"ok": "fine", "warn": "warning", "alert": "ALERT", "not_enough_data": "not enough data"}
    window = f"{verdict.start} to {verdict.end}"
    lines = [f"{marks[verdict.level]}: {verdict.model} version {verdict.version}, {verdict.rows:,} rows, {window}"]
    lines += [f"- {reason}" for reason in verdict.reasons[:SHOWN]]
    if len(verdict.reasons) > SHOWN:
        lines.append(f"- and {len(verdict.reasons) - SHOWN} more")
    if verdict.retrain:
        lines.append(f"{verdict.violations} of {verdict.windows} windows violate: the model is due for a training")
    return "\n".join(lines)


def post(text: str, document: dict[str, Any]) -> Notification:
    """Send a message: by the stack's alerter if it has one, otherwise to the webhook if one is set.

    Args:
        text: the message for people.
        document: the same for programs; only a webhook receives it, beside `text`.

    Returns:
        Whether it was sent. No error is raised, because the verdict stands whether or not anybody could be told.
    """
    alerter = Client().active_stack.alerter
    if alerter is not None:
        try:
            if alerter.post(text):
                return Notification(sent=True, words=f"told by the alerter '{alerter.name}'")
            said = "it says that it could not"
        except Exception as error:  # each alerter raises exceptions of its own
            said = one_line(error)
        return Notification(sent=False, words=f"nobody was told: the alerter '{alerter.name}' failed ({said})")
    address = os.environ.get(WEBHOOK, "").strip()
    if not address:
        words = f"nobody was told: the active stack has no alerter, and {WEBHOOK} is not set"
        return Notification(sent=False, words=words)
    return _to_webhook(address, {"text": text, **document})


def _to_webhook(address: str, body: dict[str, Any]) -> Notification:
    shown = "/".join(public(address).split("/")[:3])  # the path of a webhook is a secret, too
    if not address.startswith(("http://", "https://")):
        return Notification(sent=False, words=f"nobody was told: {WEBHOOK} is not an address that begins with https://")
    content = json_text(body).encode()
    request = urllib.request.Request(address, content, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=SECONDS):
            return Notification(sent=True, words=f"told by the webhook at {shown}")
    except urllib.error.HTTPError as error:
        said = f"it answered {error.code}"
    except (OSError, ValueError) as error:
        said = one_line(str(getattr(error, "reason", error)).replace(address, shown))
    return Notification(sent=False, words=f"nobody was told: the webhook at {shown} failed ({said})")
