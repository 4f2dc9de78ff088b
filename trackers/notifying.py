"""Telling people: the alerter of the active stack, or a webhook."""

import json
import os
import urllib.error
import urllib.request
from typing import Any

from zenml.client import Client

from tabular.errors import one_line
from tabular.reports.report import Report
from tabular.reports.verdicts import Verdict
from tabular.storage.places import public

WEBHOOK = "STACKHOUSE_WEBHOOK_URL"
"""The variable with the address; it may hold a secret, so it is in no config."""
SECONDS = 10.0
SHOWN = 5
"""Reasons in a message."""


class Notification(Report):
    """What became of a message."""

    sent: bool
    words: str
    """By what it was sent, or why not."""


def message(verdict: Verdict) -> str:
    """A verdict for a chat: one line, then the reasons."""
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
    """Send a message: by the stack's alerter where it has one, else to the webhook where one is set.

    Args:
        text: for people.
        document: for programs; only a webhook gets it, beside `text`.

    Returns:
        Whether it was sent. Nothing is raised, because the verdict stands whether or not anybody could be told.
    """
    alerter = Client().active_stack.alerter
    if alerter is not None:
        try:
            if alerter.post(text):
                return Notification(sent=True, words=f"told by the alerter '{alerter.name}'")
            said = "it says that it could not"
        except Exception as error:  # each alerter has its own family of exceptions
            said = one_line(error)
        return Notification(sent=False, words=f"nobody was told: the alerter '{alerter.name}' failed ({said})")
    address = os.environ.get(WEBHOOK, "").strip()
    if not address:
        words = f"nobody was told: the active stack has no alerter, and {WEBHOOK} is not set"
        return Notification(sent=False, words=words)
    return _to_webhook(address, {"text": text, **document})


def _to_webhook(address: str, body: dict[str, Any]) -> Notification:
    shown = "/".join(public(address).split("/")[:3])  # paths of webhooks are secrets, too
    if not address.startswith(("http://", "https://")):
        return Notification(sent=False, words=f"nobody was told: {WEBHOOK} is no address that begins with https://")
    content = json.dumps(body, default=str).encode()
    request = urllib.request.Request(address, content, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=SECONDS):
            return Notification(sent=True, words=f"told by the webhook at {shown}")
    except urllib.error.HTTPError as error:
        said = f"it answered {error.code}"
    except (OSError, ValueError) as error:
        said = one_line(str(getattr(error, "reason", error)).replace(address, shown))
    return Notification(sent=False, words=f"nobody was told: the webhook at {shown} failed ({said})")
