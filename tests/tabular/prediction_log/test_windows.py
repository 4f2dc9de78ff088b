"""Reading a part of the log: which rows, which requests, which true values."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tabular.bundles.bundle import Bundle
from tabular.bundles.encoding import Encoder
from tabular.prediction_log import reading, rows
from tabular.prediction_log.records import ERRORS, PREDICTIONS, Refusals, lines
from tabular.prediction_log.windows import LogWindow, read_window
from tabular.storage import places
from tests.support.logs import HOUR, NOON, WINDOW, at, predicted, predicted_batch, write
from tests.support.strays import strew


def window(folder: Path, bundle: Bundle, most: int = 1000, **options: Any) -> LogWindow:
    return read_window(str(folder / "log"), bundle, *WINDOW, most, **options)


def rooms(found: LogWindow) -> list[float]:
    return sorted(found.rows.numbers[:, 0].tolist())


class TestRows:
    def test_they_are_encoded_as_the_service_encoded_them(self, tmp_path: Path, bundle: Bundle) -> None:
        # given: single rows, and batches by row and by column
        inputs = [
            {"rooms": 3, "age": 20.5, "place": "inland", "heating": "gas"},
            {"rooms": 99.0, "place": None, "heating": "coal"},
            {"age": None, "place": "sea"},
        ]
        by_column = {"rooms": [1.0, None] * 50, "place": ["inland", "moon"] * 50, "heating": [None, "gas"] * 50}
        write(
            tmp_path / "log",
            PREDICTIONS,
            *(predicted(at(0), f"r{number}", row, float(number)) for number, row in enumerate(inputs)),
            *predicted_batch(at(1), "b1", inputs, [3.0, 4.0, 5.0]),
            *predicted_batch(at(2), "b2", {"rooms": [7, None], "heating": ["gas", None]}, np.array([6.0, 7.0])),
            *predicted_batch(at(3), "b3", by_column, np.full(100, 8.0)),
        )

        # when
        found = window(tmp_path, bundle)

        # then
        small = [{"rooms": 7, "heating": "gas"}, {"rooms": None, "heating": None}]
        large = [dict(zip(by_column, values, strict=True)) for values in zip(*by_column.values(), strict=True)]
        encoded, notes = Encoder(bundle.columns).rows([*inputs, *inputs, *small, *large])
        order = np.lexsort((*found.rows.codes.T, *found.rows.numbers.T, found.predicted))
        answers = np.array([0, 1, 2, 3, 4, 5, 6, 7, *[8] * 100], float)
        wanted = np.lexsort((*encoded.codes.T, *encoded.numbers.T, answers))
        np.testing.assert_array_equal(found.rows.numbers[order], encoded.numbers[wanted])
        np.testing.assert_array_equal(found.rows.codes[order], encoded.codes[wanted])
        np.testing.assert_array_equal(found.predicted[order], answers[wanted])
        assert found.notes == notes
        assert found.unreadable == 0

    def test_the_window_is_half_open(self, tmp_path: Path, bundle: Bundle) -> None:
        # given
        moments = [NOON - timedelta(microseconds=1), NOON, NOON + HOUR - timedelta(microseconds=1), NOON + HOUR]
        write(tmp_path / "log", PREDICTIONS, *(predicted(m, f"r{n}", {"rooms": n}) for n, m in enumerate(moments)))

        # then
        assert rooms(window(tmp_path, bundle)) == [1, 2]

    def test_only_days_that_the_window_touches_are_read(
        self, tmp_path: Path, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # given
        for day in range(-2, 3):
            write(tmp_path / "log", PREDICTIONS, predicted(NOON + timedelta(days=day), f"d{day}", {"rooms": day + 3}))
        met: list[str] = []
        real = places.read
        monkeypatch.setattr(places, "read", lambda location, seconds: met.append(location) or real(location, seconds))  # type: ignore[func-returns-value]

        # when: a day that ends at midnight
        start = NOON.replace(hour=0)
        found = read_window(str(tmp_path / "log"), bundle, start, start + timedelta(days=1), 10)

        # then
        assert rooms(found) == [3]
        assert [Path(location).parent.name for location in met] == ["date=2025-11-21"]

    def test_an_offset_from_utc_is_heeded(self, tmp_path: Path, bundle: Bundle) -> None:
        # given
        write(tmp_path / "log", PREDICTIONS, predicted(NOON.replace(hour=0), "r"))

        # when: the first minute of that day, as Tokyo tells it
        start = datetime.fromisoformat("2025-11-21T09:00:00+09:00")
        found = read_window(str(tmp_path / "log"), bundle, start, start + timedelta(minutes=1), 10)

        # then
        assert len(found.predicted) == 1

    @pytest.mark.parametrize("chunk", [1, 2000, 10**6])
    def test_of_too_many_rows_the_newest_are_taken(
        self, chunk: int, tmp_path: Path, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # given: files whose times overlap, read in chunks, and little that is held
        monkeypatch.setattr(rows, "SLACK", 5)
        monkeypatch.setattr(reading, "CHUNK_BYTES", chunk)
        for file in range(3):
            records = [
                predicted(at(number / 60), f"r{number}", {"rooms": number, "heating": None if number % 2 else "coal"})
                for number in range(file, 90, 3)
            ]
            write(tmp_path / "log", PREDICTIONS, *records)

        # when
        found = window(tmp_path, bundle, most=11)

        # then: and the notes are about these
        assert rooms(found) == list(range(79, 90))
        assert (found.notes.missing["heating"], found.notes.unknown["heating"]) == (6, 5)
        assert len(found.requests.times) == 90

    def test_labels_become_codes(self, tmp_path: Path, classifier: Bundle) -> None:
        # given
        answers = ("yes", "no", "perhaps", 1.0)
        write(tmp_path / "log", PREDICTIONS, *(predicted(at(n), f"r{n}", answer=a) for n, a in enumerate(answers)))

        # when
        found = window(tmp_path, classifier)

        # then
        assert found.predicted.dtype == np.int64
        assert (sorted(found.predicted.tolist()), found.unreadable) == ([-1, 0, 1], 1)

    def test_nothing_is_there(self, tmp_path: Path, bundle: Bundle, classifier: Bundle) -> None:
        # when
        found = window(tmp_path, bundle, labelled=WINDOW)

        # then
        assert (found.rows.numbers.shape, found.rows.codes.shape, found.predicted.shape) == ((0, 2), (0, 2), (0,))
        assert len(found.requests.times) == len(found.labelled.times) == found.unreadable == 0
        assert (found.refusals, found.other_versions, found.labelled.probabilities) == ({}, {}, None)
        chances = window(tmp_path, classifier, labelled=WINDOW).labelled.probabilities
        assert chances is not None
        assert chances.shape == (0, 2)

    @pytest.mark.parametrize("chunk", [2000, 10**6])
    def test_many_objects_of_a_store(self, chunk: int, bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
        # given: one for each flush, some with a torn end, and nothing in the days before
        monkeypatch.setattr(reading, "CHUNK_BYTES", chunk)
        folder = f"memory://{bundle.model_sha256}"
        for number in range(50):
            records = [predicted(at(number), inputs={"rooms": number + half / 2}) for half in (0, 1)]
            content = lines(records) + (b"{" if number % 10 == 0 else b"")
            places.write(f"{folder}/log/predictions/date=2025-11-21/{number:06d}.jsonl", content)

        # when
        found = read_window(f"{folder}/log", bundle, NOON - timedelta(days=3), NOON + HOUR, 1000)

        # then
        assert rooms(found) == [number / 2 for number in range(100)]
        assert found.unreadable == 5

    def test_a_store_that_is_down(self, bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:1")
        with pytest.raises(places.Unreachable, match="gs://bucket/log/predictions/date=2025-11-21 "):
            read_window("gs://bucket/log", bundle, *WINDOW, 10)


class TestDamage:
    def test_what_does_not_fit_is_counted_and_the_rest_is_read(self, tmp_path: Path, bundle: Bundle) -> None:
        # given
        good = predicted(at(1), "good", {"rooms": 3.0})
        bad = [
            *(predicted(at(1), "bad", row) for row in ({"rooms": "three"}, {"garden": 1}, {}, [])),
            predicted(at(1), "lacks something", latency_ms=None),
            predicted(at(1).replace(tzinfo=None), "no offset"),
            predicted(at(1), "no answer", answer=None),
            predicted(at(1), "a label", answer="yes"),
        ]
        mixed = predicted_batch(at(1), "mixed", [{"rooms": 4.0}, {"rooms": True}], [1.0, 2.0])
        columns = predicted_batch(at(1), "columns", {"rooms": [5.0] * 70 + ["x"]}, [1.0] * 71)
        write(tmp_path / "log", PREDICTIONS, good, *bad, *mixed, *columns, torn=b'{"request_id": "to')
        write(tmp_path / "log", PREDICTIONS, predicted(at(2), "in another file", {"rooms": 6.0}))

        # when
        found = window(tmp_path, bundle)

        # then: the bad ones, a row of each batch, and the torn line
        assert rooms(found) == [3.0, 4.0, *[5.0] * 70, 6.0]
        assert found.unreadable == len(bad) + 2 + 1
        assert found.predicted.shape == (73,)

    def test_inputs_that_are_no_text_are_one_row(self, tmp_path: Path, bundle: Bundle) -> None:
        # given: half a character, as the log's own fallback writes it
        odd = predicted(at(1), "odd", {"rooms": 4.0, "place": "\ud800"})
        write(tmp_path / "log", PREDICTIONS, predicted(at(1), "good"), odd)

        # then
        found = window(tmp_path, bundle)
        assert (rooms(found), found.unreadable) == ([3.0], 1)

    def test_a_file_that_is_cleared_out_meanwhile(
        self, tmp_path: Path, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # given
        write(tmp_path / "log", PREDICTIONS, predicted(at(1), "kept"))
        files = places.files
        monkeypatch.setattr(places, "files", lambda folder, seconds: [*files(folder, seconds), f"{folder}/gone.jsonl"])

        # then
        assert rooms(window(tmp_path, bundle)) == [3.0]


class TestTraffic:
    def test_requests_are_those_of_all_versions_and_others_are_counted(self, tmp_path: Path, bundle: Bundle) -> None:
        # given
        write(
            tmp_path / "log",
            PREDICTIONS,
            predicted(at(1), "r1", latency_ms=0.25),
            predicted(at(2), "r2", version="2", latency_ms=0.75),
            *predicted_batch(at(3), "r3", [{"rooms": 1.0}] * 4, [1.0] * 4, version="2"),
            predicted(at(4), "r4", model="flats", version="9"),
            predicted(at(70), "r5", version="2"),
        )

        # when
        found = window(tmp_path, bundle)

        # then
        assert len(found.predicted) == 1
        assert found.other_versions == {"2": 5, "flats 9": 1}
        assert found.requests.times.tolist() == [at(n).timestamp() for n in (1, 2, 3)]
        assert found.requests.latency_ms.tolist() == [0.25, 0.75, 2.5]
        assert found.requests.rows == 6

    def test_refusals_are_summed(self, tmp_path: Path, bundle: Bundle) -> None:
        # given
        write(
            tmp_path / "log",
            ERRORS,
            Refusals(at(-1), "/predict", 422, "unknown_field", 100),
            Refusals(at(0), "/predict", 422, "unknown_field", 3),
            Refusals(at(1), "/predict_batch", 422, "unknown_field", 4),
            Refusals(at(2), "/predict", 200, "fallback", 5),
            Refusals(at(60), "/predict", 500, "internal", 100),
            torn=b"{",
        )

        # when
        found = window(tmp_path, bundle)

        # then
        assert found.refusals == {(200, "fallback"): 5, (422, "unknown_field"): 7}
        assert found.unreadable == 1


def test_what_a_desktop_leaves_in_the_log_is_passed_over(tmp_path: Path, bundle: Bundle) -> None:
    # given
    write(tmp_path / "log", PREDICTIONS, predicted(at(1), "r", {"rooms": 2}))
    [file] = (tmp_path / "log").rglob("*.jsonl")
    strew(file.parent)
    (file.parent / f"._{file.name}").write_bytes(b"\0\0\n\0")
    (file.parent / f"{file.name}~").write_bytes(file.read_bytes())

    # when
    found = window(tmp_path, bundle)

    # then
    assert rooms(found) == [2] and found.unreadable == 0
