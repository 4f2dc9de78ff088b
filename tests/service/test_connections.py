"""Real connections: headers, time, bodies that nobody wants, and how many there may be."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from service.settings import Settings
from tests.support.clients import serving
from tests.support.listening import OTHER, answer, connected, get, is_closed, listening, post, status

SETTINGS = Settings(max_body_bytes=10_000_000)
LARGE = b"x" * 30_000_000
CHUNKED = b"POST /predict HTTP/1.1\r\nHost: service\r\nTransfer-Encoding: chunked\r\n\r\n"
ROW_BODY = b'{"rooms": 3.0}'
TOO_LARGE = {
    "a header": get("/health", "A: " + "x" * 70_000),
    "a header of many reads": get("/health", "A: " + "x" * 3_000_000),
    "headers": get("/health", *(f"A{number}: 1" for number in range(9_000))),
    "one header again": get("/health", *["Cookie: a=b"] * 9_000),
    "a name": get("/health", "x" * 70_000 + ": 1"),
    "a path": get("/" + "x" * 70_000),
    "a query": get("/health?" + "x" * 3_000_000),
    "headers before a body": post("/predict", ROW_BODY, "A: " + "x" * 70_000),
    "a header without an end": get("/health", "A: " + "x" * 3_000_000)[:-4],
    "lines before a request": b"\r\n" * 50_000,
    "a trailer": CHUNKED + b"1\r\n{\r\n0\r\nA: " + b"x" * 3_000_000,
    "trailers": CHUNKED + b"1\r\n{\r\n0\r\n" + b"A: 1\r\n" * 100_000,
}


@pytest.fixture(scope="module", params=["asyncio", "uvloop"])
def port(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with (
        serving(tmp_path_factory.mktemp("service"), SETTINGS) as client,
        listening(client.app, SETTINGS, request.param) as port,
    ):
        yield port


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Any]:
    """Starts a service with settings, and returns its port."""
    with ExitStack() as stack:

        def start(**given: Any) -> int:
            settings = Settings(**given)
            client = stack.enter_context(serving(tmp_path, settings))
            return stack.enter_context(listening(client.app, settings))

        yield start


@pytest.mark.parametrize("case", TOO_LARGE)
def test_headers_above_64_kb_are_refused_and_the_answer_arrives(case: str, port: int) -> None:
    assert answer(port, TOO_LARGE[case]) == 431


def test_headers_below_64_kb_are_read_and_a_body_does_not_count(port: int) -> None:
    # given
    names = [f"A{number}: 1" for number in range(5_000)]

    # when
    found = [answer(port, get("/health", *names)), answer(port, post("/predict", ROW_BODY + b" " * 50_000, *names))]

    # then
    assert found == [200, 200]


@pytest.mark.parametrize("content", [b"\x16\x03\x01\x02", b"X" * 100_000, get("/health", "A B: 1"), get("nope")])
def test_what_is_no_http_is_refused(content: bytes, port: int) -> None:
    assert answer(port, content + b"\r\n\r\n") in (400, 431)


def test_an_upgrade_to_a_websocket_is_refused(port: int) -> None:
    # given
    headers = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AA==")

    # then
    assert answer(port, get("/", *headers)) == 400
    assert answer(port, get("/health")) == 200


@pytest.mark.parametrize("close", [(), ("Connection: close",)])
@pytest.mark.parametrize(
    ("path", "headers", "code"),
    [
        ("/predict", (), 413),
        ("/predict_batch", (), 413),
        ("/predict", ("Content-Encoding: gzip",), 415),
        ("/nope", (), 404),
        ("/health", (), 405),
    ],
)
def test_a_refused_body_is_read_until_its_client_reads_the_answer(
    path: str, headers: tuple[str, ...], code: int, close: tuple[str, ...], port: int
) -> None:
    assert answer(port, post(path, LARGE, *headers, *close)) == code


def test_a_refused_body_of_unknown_length_is_read_as_well(port: int) -> None:
    # given
    chunk = b"100000\r\n" + b"x" * 2**20 + b"\r\n"

    # then
    assert answer(port, CHUNKED + chunk * 20 + b"0\r\n\r\n") == 413


def test_a_body_in_small_pieces_is_read_until_there_are_too_many(port: int) -> None:
    # given: a client that sends a row in each chunk, and one that sends nothing but chunks
    rows = CHUNKED.replace(b"/predict", b"/predict_batch").replace(b"\r\n\r\n", b"\r\nContent-Type: text/csv\r\n\r\n")

    # then
    assert answer(port, rows + b"6\r\nrooms\n\r\n" + b"2\r\n1\n\r\n" * 9_000 + b"0\r\n\r\n") == 200
    assert answer(port, rows + b"6\r\nrooms\n\r\n" + b"2\r\n1\n\r\n" * 99_000 + b"0\r\n\r\n") == 400


def test_a_missing_key_is_told_although_the_body_is_large(served: Any) -> None:
    assert answer(served(api_keys=("secret",)), post("/predict", LARGE)) == 401


def test_a_connection_goes_on_after_a_refused_body(port: int) -> None:
    with connected(port) as connection:
        for _ in range(2):
            # when: the answer is there before the body is
            head, body = post("/nope", b"x" * 300_000)[:-300_000], b"x" * 300_000
            connection.sendall(head)
            first = status(connection)
            connection.sendall(body + get())

            # then
            assert (first, status(connection)) == (404, 200)


@pytest.mark.parametrize("close", [(), ("Connection: close",)])
def test_a_body_without_an_end_is_cut_off(close: tuple[str, ...], served: Any) -> None:
    # given
    port = served(max_body_bytes=100_000)
    with connected(port) as connection:
        connection.sendall(post("/nope", b"", *close).replace(b"Content-Length: 0", b"Content-Length: 999999999"))

        # when
        with pytest.raises(ConnectionError):
            for _ in range(1000):
                connection.sendall(b"x" * 100_000)


@pytest.mark.parametrize(
    "sent", [b"", b"\r\n", get()[:-2], get("/health", "A: 1")[:-5], get() + b"G", b"GET", CHUNKED[:40]]
)
def test_a_connection_that_stops_in_the_headers_is_closed(sent: bytes, served: Any) -> None:
    # given
    port = served(header_seconds=0.2)

    # when
    with connected(port) as connection:
        connection.sendall(sent)

        # then: generous, and less than the pause after which an idle connection is closed
        assert is_closed(connection, 4.0)


def test_headers_that_trickle_have_the_same_time(served: Any) -> None:
    with connected(served(header_seconds=0.3)) as connection, pytest.raises(ConnectionError):
        for letter in get("/health", "A: " + "x" * 1000):
            connection.sendall(bytes([letter]))
            time.sleep(0.05)


def test_a_request_takes_longer_than_headers_may(served: Any) -> None:
    # given
    content = post("/predict", ROW_BODY)
    with connected(served(header_seconds=0.2)) as connection:
        # when: the body comes late
        connection.sendall(content[:-5])
        time.sleep(0.8)
        connection.sendall(content[-5:])

        # then
        assert status(connection) == 200


def test_who_never_reads_is_cut_off() -> None:
    # given: answers that no buffer holds
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"50000000")]})
            await send({"type": "http.response.body", "body": b"x" * 50_000_000})

    with listening(app, Settings(body_seconds=0.3)) as port, connected(port) as connection:
        # when
        connection.sendall(get() * 3)
        time.sleep(2.5)

        # then: what is left is what had been sent before
        assert is_closed(connection, 5.0)


def test_some_requests_may_be_sent_ahead(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(get() * 20)
        assert [status(connection) for _ in range(20)] == [200] * 20


def test_many_requests_sent_ahead_are_not_kept(port: int) -> None:
    with connected(port) as connection:
        # when
        connection.sendall(get() * 2_000)
        found = [status(connection) for _ in range(100)]

        # then
        assert 400 in found and found[-1] == 0


@pytest.mark.parametrize("sent", [b"", get()[:-2], get(), post("/predict", ROW_BODY)[:-2]])
def test_one_client_cannot_keep_others_out(sent: bytes, served: Any) -> None:
    # given: a client with more connections than there may be: new, in the headers, idle, or in the middle of a body
    port = served(max_connections=4)
    with ExitStack() as held:
        for _ in range(8):
            held.enter_context(connected(port)).sendall(sent)
        time.sleep(0.2)

        # then
        assert [answer(port, get(), OTHER) for _ in range(5)] == [200] * 5


def test_who_holds_all_connections_gets_no_other_until_one_ends(served: Any) -> None:
    # given: requests that are being answered
    port, content = served(max_connections=3), post("/predict", ROW_BODY)
    with ExitStack() as stack:
        held = [stack.enter_context(connected(port)) for _ in range(3)]
        for connection in held:
            connection.sendall(content[:-2])
        time.sleep(0.2)

        # when
        with connected(port) as refused:
            found = status(refused)
        for connection in held:
            connection.sendall(content[-2:])

        # then
        assert found == 503
        assert [status(connection) for connection in held] == [200] * 3
        assert answer(port, content) == 200


@pytest.mark.parametrize(
    ("trusted", "second"), [((), 429), (("192.0.2.0/24",), 429), (("127.0.0.1",), 200), (("127.0.0.0/8",), 200)]
)
def test_a_forwarded_address_is_believed_only_from_a_trusted_proxy(
    trusted: tuple[str, ...], second: int, served: Any
) -> None:
    # given: one request for each client
    port = served(rate_limit=0.01, trusted_proxies=trusted)

    # when: two clients are named; a client's own word stands before what the proxy adds
    found = [
        answer(port, post("/predict", ROW_BODY, f"X-Forwarded-For: 127.0.0.1, {client}"))
        for client in ("198.51.100.1", "198.51.100.2")
    ]

    # then
    assert found == [200, second]


@pytest.mark.parametrize("trusted", [(), ("127.0.0.1",)])
def test_a_forwarded_request_is_never_one_of_this_machine(trusted: tuple[str, ...], served: Any) -> None:
    # given
    port = served(trusted_proxies=trusted)

    # then
    assert answer(port, post("/reload", b"", "X-Forwarded-For: 198.51.100.1")) == 403
    assert answer(port, post("/reload", b"", "X-Forwarded-For: 127.0.0.1")) == 403
    assert answer(port, post("/reload", b"")) == 200
