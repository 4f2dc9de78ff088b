"""Hostile bodies cost no more than their size: in processor time, in memory, and in what is kept of them."""

import asyncio
import math
import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service import bodies
from service.problems import Problem
from service.settings import Settings
from tests.support.bundles import eventually
from tests.support.clients import ROW, Client, raw, serving
from tests.support.hostile import CSV_BODIES, JSON_BODIES
from tests.support.logs import found_at

MEGABYTE = 2**20
CASES = [("application/json", name) for name in JSON_BODIES] + [("text/csv", name) for name in CSV_BODIES]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with serving(tmp_path_factory.mktemp("service"), Settings()) as client:
        yield client


def body_of(kind: str, name: str, size: int) -> bytes:
    return (CSV_BODIES if kind == "text/csv" else JSON_BODIES)[name](size)


def sent(client: Client, path: str, kind: str, body: bytes) -> int:
    """Send a body, and return the status of the answer."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]
    answer = raw(client.app, path, messages, headers=[(b"content-type", kind.encode())])
    return int(answer[0]["status"])


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_twice_the_body_costs_at_most_twice_the_work(kind: str, name: str, client: Client) -> None:
    def seconds(size: int) -> float:
        body, best = body_of(kind, name, size), float("inf")
        for _ in range(2):
            began = time.process_time()
            assert sent(client, "/predict_batch", kind, body) < 500
            best = min(best, time.process_time() - began)
        return best

    # when
    one, two = seconds(MEGABYTE), seconds(2 * MEGABYTE)

    # then: with room for the noise of what takes no time at all
    assert two <= 2.5 * one + 0.02


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_a_body_takes_memory_by_its_size_alone(kind: str, name: str, client: Client) -> None:
    # given
    body = body_of(kind, name, 4 * MEGABYTE)
    tracemalloc.start()

    # when
    try:
        sent(client, "/predict_batch", kind, body)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    # then: a text may take four bytes for each of its letters, twice while it is converted
    assert most <= 9 * len(body)


@pytest.mark.parametrize("path", ["/predict", "/feedback"])
@pytest.mark.parametrize("name", JSON_BODIES)
def test_a_single_row_has_a_small_limit(path: str, name: str, client: Client) -> None:
    # given
    limit = Settings().max_row_bytes
    small, large = (body_of("application/json", name, size) for size in (limit - 5000, limit + 5000))

    # when: the shortest of three tries counts, because the threads of other tests share the process
    spent = []
    for _ in range(3):
        began = time.process_time()
        within, beyond = (sent(client, path, "application/json", body) for body in (small, large))
        spent.append(time.process_time() - began)

    # then: quadratic work takes longer
    assert within < 500 and within != 413
    assert beyond == 413
    assert min(spent) < 0.2


def test_numbers_that_are_too_long_are_not_computed() -> None:
    # given: Python computes a number of 4000 digits in the time of a hundred short ones
    body = JSON_BODIES["long numbers"](MEGABYTE)

    # then
    assert set(bodies.decode(body)["columns"]["rooms"]) == {1, math.inf}


def test_large_bodies_share_a_budget() -> None:
    # given
    budget = bodies.Budget(100)
    with budget.part() as first:
        first(60)

        # when
        with budget.part() as second, pytest.raises(Problem) as refused:
            second(30)
            second(20)

        # then
        assert (refused.value.status, refused.value.code) == (429, "busy")

    # and what was taken is given back
    with budget.part() as third:
        third(100)


def test_what_is_refused_adds_no_series_to_the_metrics(client: Client) -> None:
    # given: requests that leave their traces
    def hostile(number: int) -> None:
        for path in ("/predict", "/predict_batch", "/feedback", f"/path-{number}"):
            for kind, name in CASES:
                sent(client, path, kind, body_of(kind, name, 200 + number))
            client.post(path, {f"field-{number}": 1})
            client.post(path, f'{{"field-{number}": 1, "field-{number}": 2}}')
            client.post(path, f"column-{number}\n1\n", "text/csv", x_request_id=f"id-{number}")
            client.post(path, ROW, f"text/{number}", content_encoding=f"zip-{number}")

    def series() -> set[str]:
        return {line.rpartition(" ")[0] for line in client.get("/metrics").text.splitlines() if line[0] != "#"}

    hostile(1)
    series()  # the metrics count the requests for them too
    before = series()

    # when
    hostile(2)

    # then
    assert series() == before
    assert any('field="other"' in line for line in before)
    assert any('route="other"' in line for line in before)


def test_a_batch_whose_client_has_left_goes_no_further(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    # given: a model that takes its time
    begun, over = threading.Semaphore(0), threading.Event()
    predicted: list[int] = []

    def predict(self: Any, rows: Any) -> Any:
        begun.release()
        over.wait(30)
        predicted.append(len(rows.numbers))
        return np.zeros(len(rows.numbers))

    monkeypatch.setattr(type(client.live.current().predictor), "predict", predict)
    before = client.get("/health").json()["predictions"]

    async def ask(rows: int, left: asyncio.Event) -> list[Any]:
        messages = [{"type": "http.request", "body": b"rooms\n" + b"1\n" * rows, "more_body": False}]
        answer: list[Any] = []

        async def receive() -> dict[str, Any]:
            if messages:
                return messages.pop()
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            answer.append(message)

        scope = {"type": "http", "method": "POST", "path": "/predict_batch"}
        await client.app(scope | {"headers": [(b"content-type", b"text/csv")]}, receive, send)
        return answer

    async def scene() -> list[list[Any]]:
        stays, leaves = asyncio.Event(), asyncio.Event()
        busy = [asyncio.create_task(ask(rows, event)) for rows, event in ((1, stays), (2, leaves))]
        for _ in busy:
            assert await asyncio.to_thread(begun.acquire, timeout=30)
        waiting = asyncio.create_task(ask(3, leaves))
        await asyncio.sleep(0)

        # when: one of those that are answered leaves, and the one that waits
        leaves.set()
        done, _ = await asyncio.wait((busy[1], waiting), timeout=20)
        over.set()
        assert len(done) == 2
        return [await task for task in (*busy, waiting)]

    answers = asyncio.run(scene())

    # then: the batch that waited never began, and only the one that is answered is counted
    assert [bool(answer) for answer in answers] == [True, False, False]
    assert eventually(lambda: sorted(predicted) == [1, 2])
    assert client.get("/health").json()["predictions"] == before + 1


def test_long_texts_are_cut_in_the_log(tmp_path: Path) -> None:
    # given: texts that are longer than all that training saw, and their neighbours
    text, destination = "x" * 5000, str(tmp_path / "log")
    row = ROW | {"place": text}
    with serving(tmp_path, Settings(prediction_log=destination)) as client:
        # when
        client.post("/predict", row)
        client.post("/predict_batch", {"rows": [ROW, row]})
        client.post("/predict_batch", {"columns": {"rooms": [1, 2], "place": ["inland", text]}})
        client.post("/predict_batch", f"rooms,place\n1,inland\n2,{text}\n", "text/csv")

    # then: what is kept is still no category of training
    places = [line["inputs"]["place"] for line in found_at(destination)]
    assert [len(place) for place in places if place != "inland"] == [len("missing") + 100] * 4
    assert places.count("inland") == 3
