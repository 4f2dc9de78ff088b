import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tabular.prediction_log import files
from tabular.prediction_log.reading import LogReader
from tabular.prediction_log.records import FEEDBACK, Feedback, Prediction, now
from tabular.prediction_log.writer import PredictionLog
from tests.support.bundles import eventually
from tests.support.logs import add, add_batch, found_in, ids


class TestRecords:
    def test_a_prediction(self, log: PredictionLog) -> None:
        # when
        before = datetime.now(UTC)
        inputs = {"rooms": 5, "age": None, "place": 'in"land\n'}
        log.add(Prediction("r1", None, now(), "houses", "3", 0.5, inputs, "yes", {"no": 0.25, "yes": 0.75}))
        log.stop()

        # then
        [record] = found_in(log)
        assert before <= datetime.fromisoformat(record.pop("time")) <= datetime.now(UTC)
        assert record == {
            "request_id": "r1",
            "row": None,
            "model": "houses",
            "version": "3",
            "latency_ms": 0.5,
            "inputs": inputs,
            "prediction": "yes",
            "probabilities": {"no": 0.25, "yes": 0.75},
        }
        assert (log.written, log.pending, log.dropped) == (1, 0, 0)

    @pytest.mark.parametrize(
        "inputs",
        [
            [{"rooms": 1.5, "place": "a"}, {"rooms": 2.5, "place": "b"}],
            {"rooms": np.array([1.5, 2.5]), "place": ["a", "b"]},
            {"rooms": (1.5, 2.5), "place": np.array(["a", "b"], object)},
        ],
    )
    def test_a_batch_is_a_record_for_each_row(self, inputs: Any, log: PredictionLog) -> None:
        # when
        chances = np.array([[0.9, 0.1], [0.2, 0.8]])
        add_batch(log, "r1", inputs, np.array(["no", "yes"]), chances, ("no", "yes"))
        log.stop()

        # then
        records = found_in(log)
        assert [record["row"] for record in records] == [0, 1]
        assert [record["inputs"] for record in records] == [{"rooms": 1.5, "place": "a"}, {"rooms": 2.5, "place": "b"}]
        assert [record["prediction"] for record in records] == ["no", "yes"]
        assert records[1]["probabilities"] == {"no": 0.2, "yes": 0.8}
        assert {record["request_id"] for record in records} == {"r1"}
        assert log.written == 2

    @pytest.mark.parametrize("rooms", [[1.5, None], [10**400, "\ud800"], [True, {"a": ["\n"]}]])
    def test_the_lines_of_columns_are_those_of_their_records(self, rooms: list[Any], log: PredictionLog) -> None:
        # given: names with characters that mean something in JSON or in a form, and the same values row by row
        columns = {"100 %b": rooms, 'in"land\r\n': ["a", "b"]}
        rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        chances = np.array([[0.9, np.nan], [0.2, 0.8]])

        # when
        add_batch(log, "columns %d", columns, ["no", "yes"], chances, ("no", "%s"))
        for number, row in enumerate(rows):
            shares = dict(zip(("no", "%s"), chances[number].tolist(), strict=True))
            log.add(Prediction("columns %d", number, now(), "houses", "3", 2.0, row, ["no", "yes"][number], shares))
        log.stop()

        # then
        found = sorted(found_in(log), key=lambda record: record.pop("time"))
        by_row = [[record for record in found if record["row"] == number] for number in (0, 1)]
        assert [pair[0] == pair[1] for pair in by_row] == [True, True]
        assert log.written == 4

    @pytest.mark.parametrize("inputs", [{"rooms": [1, 2, 3]}, [{}]])
    def test_a_batch_of_parts_that_differ_in_length_is_lost_and_counted(self, inputs: Any, log: PredictionLog) -> None:
        # when
        add_batch(log, "bad", inputs, [1.0, 2.0])
        add(log, "good")
        log.stop()

        # then
        assert (ids(log), log.dropped, log.written) == (["good"], 2, 1)

    def test_a_batch_of_a_regression(self, log: PredictionLog) -> None:
        # when
        add_batch(log, "r1", {"rooms": [1, None]}, np.array([0.1, np.nan]))
        log.stop()

        # then
        assert [(r["inputs"], r["prediction"], r["probabilities"]) for r in found_in(log)] == [
            ({"rooms": 1}, 0.1, None),
            ({"rooms": None}, None, None),
        ]

    def test_feedback_lies_beside_the_predictions(self, log: PredictionLog, tmp_path: Path) -> None:
        # when
        log.add(Feedback("r1", now(), 2.5))
        add(log, "r1")
        log.add(Feedback("r2", now(), "yes", row=3))
        log.stop()

        # then
        truths = found_in(log, FEEDBACK)
        assert [(truth["request_id"], truth["value"], truth["row"]) for truth in truths] == [
            ("r1", 2.5, None),
            ("r2", "yes", 3),
        ]
        assert ids(log) == ["r1"]
        today = datetime.fromisoformat(truths[0]["time"]).date().isoformat()
        assert {path.parent.name for path in (tmp_path / "log" / FEEDBACK).rglob("*.jsonl")} == {f"date={today}"}

    @pytest.mark.parametrize("value", [10**400, "\ud800", np.float32(1.5), np.int64(3), {1: {2, 3}}])
    def test_odd_values_hold_nothing_up(self, value: Any, log: PredictionLog) -> None:
        # when
        add(log, "before")
        add(log, "odd", {"rooms": value})
        add(log, "after")
        log.stop()

        # then
        assert ids(log) == ["before", "odd", "after"]
        assert log.dropped == 0

    def test_what_is_no_json_at_all_is_counted(self, log: PredictionLog, caplog: pytest.LogCaptureFixture) -> None:
        # given: a value that contains itself
        endless: list[Any] = []
        endless.append(endless)

        # when
        add(log, "endless", {"rooms": endless})
        add(log, "after")
        log.stop()

        # then
        assert ids(log) == ["after"]
        assert (log.dropped, log.written, log.pending) == (1, 1, 0)
        assert "could not be written as JSON" in caplog.text


class TestFiles:
    def test_a_new_day_is_a_new_folder(self, log: PredictionLog, monkeypatch: pytest.MonkeyPatch) -> None:
        # given: the last moments of a day
        midnight = datetime(2026, 11, 22, tzinfo=UTC).timestamp()
        for number, moment in enumerate((midnight - 0.25, midnight - 0.125, midnight)):
            monkeypatch.setattr(time, "time", lambda at=moment: at)
            add(log, f"r{number}")
        log.stop()

        # then
        assert log.destination
        days = {"2026-11-21": ["r0", "r1"], "2026-11-22": ["r2"]}
        for day, expected in days.items():
            start = datetime.fromisoformat(f"{day}T00:00Z")
            [found] = LogReader(log.destination).read(Prediction, (start, start + timedelta(days=1)))
            assert [record.request_id for record in found] == expected
        assert found_in(log)[1]["time"] == "2026-11-21T23:59:59.875000Z"

    def test_a_large_file_is_followed_by_another(
        self, log: PredictionLog, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        # given
        monkeypatch.setattr(files, "ROLL_BYTES", 1000)

        # when
        for number in range(20):
            add(log, f"r{number}")
            assert eventually(lambda n=number: log.written == n + 1)  # type: ignore[misc]

        # then
        sizes = [path.stat().st_size for path in (tmp_path / "log").rglob("*.jsonl")]
        assert len(sizes) > 1
        assert max(sizes) < 1300
        assert sorted(ids(log)) == sorted(f"r{number}" for number in range(20))

    def test_a_file_that_is_deleted_is_begun_again(self, log: PredictionLog, tmp_path: Path) -> None:
        # given
        add(log, "r0")
        assert eventually(lambda: log.written == 1)
        for path in (tmp_path / "log").rglob("*.jsonl"):
            path.unlink()

        # when
        add(log, "r1")
        log.stop()

        # then
        assert ids(log) == ["r1"]

    def test_a_torn_line_is_left_out_and_counted(self, log: PredictionLog, tmp_path: Path) -> None:
        # given
        for number in range(3):
            add(log, f"r{number}")
        log.stop()
        [path] = (tmp_path / "log").rglob("*.jsonl")
        path.write_bytes(path.read_bytes()[:-20])

        # when
        reader, now = LogReader(str(tmp_path / "log")), datetime.now(UTC)
        [found] = reader.read(Prediction, (now - timedelta(minutes=1), now))

        # then
        assert [record.request_id for record in found] == ["r0", "r1"]
        assert reader.unreadable == 1

    def test_no_destination_keeps_nothing(self) -> None:
        # when
        log = PredictionLog(None)
        log.start()
        add(log, "r")
        log.stop()

        # then
        assert (log.pending, log.written, log.dropped) == (0, 0, 0)

    def test_every_line_is_json_of_its_own(self, log: PredictionLog, tmp_path: Path) -> None:
        # when
        add(log, "r1")
        log.stop()

        # then
        [path] = (tmp_path / "log").rglob("*.jsonl")
        [line, rest] = path.read_bytes().split(b"\n")
        assert (json.loads(line)["request_id"], rest) == ("r1", b"")
