"""What was asked and not answered with a prediction is counted in the log."""

import os
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.settings import Settings
from tabular.prediction_log.records import ERRORS, PREDICTIONS
from tabular.prediction_log.writer import PredictionLog
from tests.support.bundles import damage, eventually
from tests.support.clients import ROW, Client, serving
from tests.support.logs import add, fill_disk, found_in, ids

Kinds = dict[tuple[str, int, str], int]


def kinds(log: PredictionLog) -> Kinds:
    found: Counter[tuple[str, int, str]] = Counter()
    for record in found_in(log, ERRORS):
        found[record["route"], record["status"], record["code"]] += record["count"]
    return dict(found)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    settings = Settings(prediction_log=str(tmp_path / "log"), max_rows=10, max_row_bytes=2000)
    with serving(tmp_path, settings) as client:
        yield client


class TestCounts:
    def test_a_line_for_each_kind(self, log: PredictionLog) -> None:
        # when
        before = datetime.now(UTC)
        for _ in range(3):
            log.error("/predict", 422, "unknown_field")
        log.error("/predict_batch", 422, "unknown_field")
        log.stop()

        # then
        assert kinds(log) == {("/predict", 422, "unknown_field"): 3, ("/predict_batch", 422, "unknown_field"): 1}
        for record in found_in(log, ERRORS):
            assert set(record) == {"time", "route", "status", "code", "count"}
            assert before <= datetime.fromisoformat(record["time"]) <= datetime.now(UTC)

    def test_a_client_that_does_not_stop_makes_one_line(self, tmp_path: Path) -> None:
        # given: nothing is written before the end
        log = PredictionLog(str(tmp_path / "log"), flush_seconds=3600)
        log.start()

        # when
        for _ in range(20_000):
            log.error("/predict", 401, "unauthorized")
        log.stop()

        # then
        [record] = found_in(log, ERRORS)
        assert record["count"] == 20_000

    def test_threads_that_count_at_once_lose_nothing(self, log: PredictionLog) -> None:
        # when
        def work() -> None:
            for _ in range(2000):
                log.error("/predict", 500, "internal")

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        log.stop()

        # then
        assert kinds(log) == {("/predict", 500, "internal"): 8000}

    def test_they_are_no_rows(self, log: PredictionLog) -> None:
        # when
        add(log, "r1")
        log.error("/predict", 500, "internal")
        log.stop()

        # then
        assert (log.written, log.pending, log.dropped) == (1, 0, 0)
        assert (ids(log), len(found_in(log, ERRORS))) == (["r1"], 1)

    def test_a_full_queue_takes_them(self, tmp_path: Path) -> None:
        # given: a destination that takes nothing, and no room for another row
        (tmp_path / "log").write_text("a file in the place of the folder")
        log = PredictionLog(str(tmp_path / "log"), bound=1, flush_seconds=0.02)
        add(log, "r1")
        log.start()
        assert eventually(lambda: log.warning is not None)

        # when
        for _ in range(5):
            log.error("/predict", 500, "internal")

        # then
        assert (log.pending, log.dropped) == (1, 0)

        # when: the destination is mended
        (tmp_path / "log").unlink()
        assert eventually(lambda: log.written == 1)
        log.stop()

        # then
        assert kinds(log) == {("/predict", 500, "internal"): 5}
        assert log.dropped == 0

    def test_counts_on_a_full_disk_are_written_once(self, log: PredictionLog, monkeypatch: pytest.MonkeyPatch) -> None:
        # given: the disk takes ten bytes, and then none
        write = fill_disk(monkeypatch)
        log.error("/predict", 500, "internal")
        assert eventually(lambda: log.warning is not None)
        log.error("/predict", 500, "internal")

        # when
        monkeypatch.setattr(os, "write", write)
        log.stop()

        # then
        assert kinds(log) == {("/predict", 500, "internal"): 2}

    def test_what_is_lost_at_the_end_is_said(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        # given
        (tmp_path / "log").write_text("a file in the place of the folder")
        log = PredictionLog(str(tmp_path / "log"))
        log.start()
        log.error("/predict", 500, "internal")

        # when
        log.stop()

        # then
        assert "the last counts of requests without a prediction are lost" in caplog.text
        assert log.dropped == 0

    def test_no_destination_keeps_nothing(self, caplog: pytest.LogCaptureFixture) -> None:
        # when
        log = PredictionLog(None)
        log.start()
        log.error("/predict", 500, "internal")
        log.stop()

        # then: none is lost, because none was kept
        assert "are lost" not in caplog.text


class TestService:
    def test_refusals_are_counted_by_route_status_and_code(self, client: Client) -> None:
        # when
        for _ in range(2):
            assert client.post("/predict", {"roms": 1}).status_code == 422
        assert client.post("/predict", "{").status_code == 400
        assert client.post("/predict", "1" * 2001).status_code == 413
        assert client.get("/predict").status_code == 405
        assert client.post("/predict_batch", {"rows": [ROW] * 11}).status_code == 413
        assert client.post("/predict_batch", "rooms\nx\n", "text/csv").status_code == 422
        client.log.stop()

        # then
        assert kinds(client.log) == {
            ("/predict", 422, "unknown_field"): 2,
            ("/predict", 400, "invalid_json"): 1,
            ("/predict", 413, "body_too_large"): 1,
            ("/predict", 405, "method_not_allowed"): 1,
            ("/predict_batch", 413, "too_many_rows"): 1,
            ("/predict_batch", 422, "invalid_value"): 1,
        }

    def test_what_is_no_question_to_the_model_is_not_counted(self, client: Client) -> None:
        # when
        assert client.get("/.env").status_code == 404
        assert client.post("/feedback", {}).status_code == 422
        assert client.get("/reload").status_code == 405
        assert client.ask("OPTIONS", "/predict").status_code == 204
        assert client.post("/predict", ROW).status_code == 200
        client.log.stop()

        # then
        assert kinds(client.log) == {}
        assert len(found_in(client.log, PREDICTIONS)) == 1

    def test_a_failure_of_the_service_is_counted(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        # given
        monkeypatch.setattr(client.live, "current", lambda key=None: 1 / 0)

        # when
        assert client.post("/predict", ROW).status_code == 500
        client.log.stop()

        # then
        assert kinds(client.log) == {("/predict", 500, "internal"): 1}

    def test_a_model_that_fails_is_counted_by_request(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        # given
        monkeypatch.setattr(client.live.current().predictor, "predict", lambda rows: 1 / 0)

        # when
        assert client.post("/predict", ROW).status_code == 200
        assert client.post("/predict_batch", {"rows": [ROW] * 7}).status_code == 200
        client.log.stop()

        # then
        assert kinds(client.log) == {("/predict", 200, "fallback"): 1, ("/predict_batch", 200, "fallback"): 1}
        assert len(found_in(client.log)) == 8

    def test_a_service_without_its_model_counts_every_answer(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # given: a bundle whose recipe is damaged, so that its baseline answers
        from tests.support import clients

        def damaged(folder: Path, **options: object) -> str:
            sha256 = make_bundle(folder, **options)  # type: ignore[arg-type]
            damage(folder / "predictor.json")
            return sha256

        make_bundle = clients.make_bundle
        monkeypatch.setattr(clients, "make_bundle", damaged)

        # when
        with serving(tmp_path, Settings(prediction_log=str(tmp_path / "log"))) as client:
            assert client.post("/predict", ROW).json()["prediction"] == 7.0

        # then
        assert kinds(client.log) == {("/predict", 200, "fallback"): 1}
