"""Hostile input, bounds, keys and rate limits."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.settings import Settings
from tests.support.clients import PATHS, ROW, Client, raw, serving

DEEP = "[" * 50_000
BAD_ROWS: dict[str, tuple[Any, int, str, str | None]] = {
    "text for a number": ({"rooms": "3"}, 422, "invalid_type", "rooms"),
    "true for a number": ({"rooms": True}, 422, "invalid_type", "rooms"),
    "NaN as text": ({"rooms": "NaN"}, 422, "invalid_type", "rooms"),
    "NaN literal": ('{"rooms": NaN}', 422, "invalid_value", "rooms"),
    "Infinity literal": ('{"rooms": 1, "age": -Infinity}', 422, "invalid_value", "age"),
    "1e999": ('{"rooms": 1e999}', 422, "invalid_value", "rooms"),
    "400 digits": ('{"rooms": ' + "9" * 400 + "}", 422, "invalid_value", "rooms"),
    "5000 digits": ('{"rooms": ' + "9" * 5000 + "}", 422, "invalid_value", "rooms"),
    "a list for a number": ({"rooms": [1]}, 422, "invalid_type", "rooms"),
    "an object for a category": ({"place": {}}, 422, "invalid_type", "place"),
    "an unknown field": ({"rooms": 1, "plaec": "inland"}, 422, "unknown_field", "plaec"),
    "an empty object": ({}, 422, "empty_row", None),
    "a list": ([], 422, "invalid_type", None),
    "null": (None, 422, "invalid_type", None),
    "nothing": ("", 400, "invalid_json", None),
    "half an object": ('{"rooms": ', 400, "invalid_json", None),
    "two values": ('{"rooms": 1} {"rooms": 2}', 400, "invalid_json", None),
    "a field twice": ('{"rooms": 1, "rooms": 2}', 400, "duplicate_field", "rooms"),
    "no UTF-8": (b'{"place": "\xff"}', 400, "invalid_encoding", None),
    "half a character": ('{"place": "\\ud800"}', 400, "invalid_encoding", None),
    "half a character in a name": ('{"\\udfff": 1}', 400, "invalid_encoding", None),
    "nested too deep": (DEEP, 400, "invalid_json", None),
    "nested too deep in a field": ('{"rooms": ' + DEEP, 400, "invalid_json", None),
    "nested, and closed": ('{"rooms": ' + "[" * 500 + "]" * 500 + "}", 422, "invalid_type", "rooms"),
}
BAD_BATCHES: dict[str, tuple[Any, str, int, str]] = {
    "no rows": ({"rows": []}, "application/json", 422, "empty_batch"),
    "empty columns": ({"columns": {"rooms": []}}, "application/json", 422, "empty_batch"),
    "no columns": ({"columns": {}}, "application/json", 422, "invalid_value"),
    "rows and columns": ({"rows": [ROW], "columns": {"rooms": [1]}}, "application/json", 422, "missing_field"),
    "neither": ({}, "application/json", 422, "missing_field"),
    "something else": ({"row": [ROW]}, "application/json", 422, "unknown_field"),
    "rows that are text": ({"rows": "rooms"}, "application/json", 422, "invalid_value"),
    "a row that is text": ({"rows": [ROW, "rooms"]}, "application/json", 422, "invalid_type"),
    "columns of two lengths": ({"columns": {"rooms": [1, 2], "age": [1]}}, "application/json", 422, "invalid_value"),
    "too many rows": ({"rows": [ROW] * 51}, "application/json", 413, "too_many_rows"),
    "too many cells": ({"columns": {"rooms": [1] * 51}}, "application/json", 413, "too_many_rows"),
    "too many lines": ("rooms\n" + "1\n" * 51, "text/csv", 413, "too_many_rows"),
    "an empty file": ("", "text/csv", 422, "empty_batch"),
    "only a header": ("rooms,age\n", "text/csv", 422, "empty_batch"),
    "a cell too many": ("rooms,age\n1,2\n1,2,3\n", "text/csv", 400, "invalid_csv"),
    "an open quote": ('rooms\n"1\n', "text/csv", 400, "invalid_csv"),
    "NaN in a cell": ("rooms\n1\nnan\n", "text/csv", 422, "invalid_value"),
    "a header twice": ("rooms,rooms\n1,2\n", "text/csv", 400, "duplicate_field"),
    "Latin-1": (b"place\n\xe9\n", "text/csv", 400, "invalid_encoding"),
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with serving(tmp_path_factory.mktemp("service"), Settings(max_rows=50, max_body_bytes=150_000)) as client:
        yield client


@pytest.mark.parametrize("case", BAD_ROWS)
def test_a_bad_row_is_refused_by_name(case: str, client: Client) -> None:
    # given
    content, status, code, field = BAD_ROWS[case]

    # when
    answer = client.post("/predict", content if content is not None else "null")

    # then
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["field"]) == (status, code, field)
    assert error["remedy"] and error["message"] and "Traceback" not in answer.text


@pytest.mark.parametrize("case", BAD_BATCHES)
def test_a_bad_batch_is_refused(case: str, client: Client) -> None:
    # given
    content, kind, status, code = BAD_BATCHES[case]

    # when
    answer = client.post("/predict_batch", content, kind)

    # then
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_the_row_and_the_nearest_name_are_told(client: Client) -> None:
    # when
    wrong = client.post("/predict_batch", {"rows": [ROW, {"rooms": None}, {"rooms": "x"}]}).json()["error"]
    unknown = client.post("/predict_batch", {"rows": [ROW, {"plaec": "inland"}]}).json()["error"]

    # then
    assert (wrong["row"], wrong["field"]) == (2, "rooms")
    assert unknown["row"] == 1 and "'place'" in unknown["remedy"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "a" * 1000, "text/csv"])
def test_another_content_type_is_refused(kind: str, client: Client) -> None:
    # when
    answer = client.post("/predict", ROW, kind)

    # then
    assert answer.status_code == 415
    assert answer.json()["error"]["field"] == "Content-Type"


def test_a_parquet_file_is_refused_with_the_ways_that_there_are(client: Client) -> None:
    # when
    answer = client.post("/predict_batch", b"PAR1", "application/vnd.apache.parquet")

    # then
    assert answer.status_code == 415
    remedy = answer.json()["error"]["remedy"]
    assert "application/json or text/csv" in remedy and "batch pipeline" in remedy


def test_a_compressed_body_is_refused(client: Client) -> None:
    assert client.post("/predict", ROW, content_encoding="gzip").status_code == 415


def test_a_large_body_is_refused_before_it_is_read(client: Client) -> None:
    # when: its length says so, and no byte of it is there
    sent = raw(client.app, "/predict", [], headers=[(b"content-length", b"150001")])

    # then
    assert sent[0]["status"] == 413
    assert (b"connection", b"close") in sent[0]["headers"]


@pytest.mark.parametrize("length", [None, b"10"])
def test_a_large_body_without_an_honest_length_is_refused(length: bytes | None, client: Client) -> None:
    # given: chunks without end
    chunks = [{"type": "http.request", "body": b" " * 60_000, "more_body": True} for _ in range(3)]
    headers = [] if length is None else [(b"content-length", length)]

    # when
    sent = raw(client.app, "/predict", chunks, headers=headers)

    # then
    assert sent[0]["status"] == 413


@pytest.mark.parametrize("length", [b"-1", b"ten", b"1e9", b"\xb2", b"9" * 5000])
def test_a_length_that_is_not_a_number_is_refused(length: bytes, client: Client) -> None:
    # when
    sent = raw(client.app, "/predict", [], headers=[(b"content-length", length)])

    # then
    assert sent[0]["status"] in (400, 413)


def test_chunks_without_a_length_are_taken(client: Client) -> None:
    # given
    chunks = [
        {"type": "http.request", "body": b'{"rooms"', "more_body": True},
        {"type": "http.request", "body": b": 3}", "more_body": False},
    ]

    # when
    sent = raw(client.app, "/predict", chunks)

    # then
    assert sent[0]["status"] == 200


def test_a_client_that_leaves_gets_no_answer(client: Client) -> None:
    assert raw(client.app, "/predict", [{"type": "http.disconnect"}]) == []


def test_a_client_that_dawdles_is_told(tmp_path: Path) -> None:
    # given
    with serving(tmp_path, Settings(body_seconds=0.05)) as client:
        # when
        sent = raw(client.app, "/predict", [{"type": "http.request", "body": b"{", "more_body": True}])

    # then
    assert sent[0]["status"] == 408


@pytest.mark.parametrize("path", PATHS)
def test_another_method_is_refused(path: str, client: Client) -> None:
    # when
    answer = client.get(path)

    # then
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST, OPTIONS")
    assert answer.json()["error"]["code"] == "method_not_allowed"


@pytest.mark.parametrize("path", ["/nope", "/predict/", "/a//predict", "/static_content/../service.py", "/%00"])
def test_another_path_is_not_found(path: str, client: Client) -> None:
    # when
    answer = client.get(path)

    # then
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


def test_head_and_options(client: Client) -> None:
    # when
    head, options = client.ask("HEAD", "/health"), client.ask("OPTIONS", "/predict")

    # then
    assert (head.status_code, head.content) == (200, b"")
    assert (options.status_code, options.headers["allow"]) == (204, "POST, OPTIONS")


@pytest.mark.parametrize("path", ["/health", "/nope", "/predict", "/"])
def test_every_answer_has_the_security_headers(path: str, client: Client) -> None:
    # when
    headers = client.get(path).headers

    # then
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


@pytest.mark.parametrize("path", PATHS)
def test_keys_are_asked_for(path: str, tmp_path: Path) -> None:
    # given: one key in plain text, one as its hash
    hashed = f"sha256:{hashlib.sha256(b'second').hexdigest()}"
    with serving(tmp_path, Settings(api_keys=("first", hashed))) as client:
        # when
        without = client.post(path, {})
        wrong = client.post(path, {}, x_api_key=hashed)
        right = [client.post(path, {}, x_api_key="first"), client.post(path, {}, authorization="Bearer second")]

    # then
    assert [without.status_code, wrong.status_code] == [401, 401]
    assert without.headers["www-authenticate"] == "Bearer"
    assert {answer.status_code for answer in right} <= {200, 422}


def test_health_and_metrics_are_open(tmp_path: Path) -> None:
    with serving(tmp_path, Settings(api_keys=("first",))) as client:
        assert [client.get(path).status_code for path in ("/health", "/metrics", "/model_info")] == [200] * 3


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("192.0.2.7", {}, 403),
        ("127.0.0.1", {"x_forwarded_for": "192.0.2.7"}, 403),
        ("127.0.0.1", {"origin": "http://elsewhere.example"}, 403),
    ],
)
def test_without_keys_only_this_machine_may_reload(
    address: str, headers: dict[str, str], status: int, tmp_path: Path
) -> None:
    with serving(tmp_path, Settings(), address) as client:
        assert client.post("/reload", "", **headers).status_code == status


def test_too_many_requests_are_told_to_wait(tmp_path: Path) -> None:
    # given
    with serving(tmp_path, Settings(rate_limit=0.01)) as client:
        # when
        first, second = client.post("/predict", ROW), client.post("/predict", ROW)
        health = client.get("/health")

    # then
    assert [first.status_code, second.status_code, health.status_code] == [200, 429, 200]
    assert int(second.headers["retry-after"]) > 0


def test_an_unexpected_failure_hides_its_cause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given: a failure that nobody foresaw
    with serving(tmp_path, Settings()) as client:
        monkeypatch.setattr(client.live, "current", lambda key=None: 1 / 0)

        # when
        answer = client.post("/predict", ROW)

    # then
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal"
    assert "ZeroDivision" not in answer.text
