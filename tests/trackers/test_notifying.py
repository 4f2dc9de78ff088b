"""Telling people, with a real web server in place of a chat."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from zenml.alerter.base_alerter import BaseAlerter
from zenml.client import Client

from tabular.reports.verdicts import MonitoringFinding, Verdict
from tests.support.ports import free_port
from trackers import notifying


class Chat(HTTPServer):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.heard: list[Any] = []
        self.status = 200

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/services/SECRET?token=SECRET"


class _Handler(BaseHTTPRequestHandler):
    server: Chat

    def do_POST(self) -> None:
        self.server.heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> Iterator[Chat]:
    server = Chat()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv(notifying.WEBHOOK, server.address)
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def stack(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The active stack in ZenML's place: what matters here is its alerter alone."""

    class Stack:
        alerter: BaseAlerter | None = None

    monkeypatch.setattr(Client, "active_stack", Stack)
    return Stack


class Pager(BaseAlerter):
    """An alerter of ZenML's own kind."""

    def __init__(self, answer: bool | Exception) -> None:
        self.answer, self.told = answer, ""

    @property
    def name(self) -> str:  # type: ignore[override]
        return "pager"

    def post(self, message: str, params: Any = None) -> bool:
        self.told = message
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def verdict() -> Verdict:
    finding = MonitoringFinding(
        kind="missing", subject="size", level="alert", measure="share", value=0.2, words="size: 20 %"
    )
    return Verdict(
        source="log",
        model="homes",
        version="3",
        start="2026-03-01T00:00:00.000+00:00",
        end="2026-03-02T00:00:00.000+00:00",
        rows=1234,
        level="alert",
        reasons=["size: 20 % missing", *(f"reason {number}" for number in range(7))],
        findings=[finding],
        retrain=True,
        violations=2,
        windows=3,
    )


def test_a_message_is_short_and_says_what_matters() -> None:
    # when
    lines = notifying.message(verdict()).splitlines()

    # then
    assert lines[0].startswith("ALERT: homes version 3, 1,234 rows, 2026-03-01") and lines[1] == "- size: 20 % missing"
    assert lines[-2:] == ["- and 3 more", "2 of 3 windows violate: the model is due for a training"]


def test_a_webhook_is_told(chat: Chat) -> None:
    # when
    sent = notifying.post("look", {"verdict": {"level": "alert"}})

    # then
    assert chat.heard == [{"text": "look", "verdict": {"level": "alert"}}]
    assert sent.sent and sent.words == f"told by the webhook at http://127.0.0.1:{chat.server_port}"


def test_a_webhook_that_fails_is_told_of_without_its_secret(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    chat.status = 500
    refused = notifying.post("look", {})
    monkeypatch.setenv(notifying.WEBHOOK, f"http://127.0.0.1:{free_port()}/services/SECRET")

    # when
    silent = notifying.post("look", {})

    # then
    assert not refused.sent and refused.words.endswith("failed (it answered 500)")
    assert not silent.sent and "refused" in silent.words
    assert "SECRET" not in refused.words + silent.words


def test_the_alerter_of_the_stack_comes_first(stack: Any, chat: Chat) -> None:
    # given
    stack.alerter = pager = Pager(True)

    # when
    sent = notifying.post("look", {})

    # then
    assert (pager.told, sent.words, chat.heard) == ("look", "told by the alerter 'pager'", [])


@pytest.mark.parametrize(
    ("answer", "said"), [(False, "it says that it could not"), (RuntimeError("no\nroute"), "no route")]
)
def test_an_alerter_that_fails_is_told_of(stack: Any, answer: bool | Exception, said: str) -> None:
    # given
    stack.alerter = Pager(answer)
    # when
    sent = notifying.post("look", {})
    # then
    assert (sent.sent, sent.words) == (False, f"nobody was told: the alerter 'pager' failed ({said})")


def test_without_anybody_to_tell_it_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    monkeypatch.delenv(notifying.WEBHOOK, raising=False)
    # when / then
    assert notifying.WEBHOOK in notifying.post("look", {}).words
