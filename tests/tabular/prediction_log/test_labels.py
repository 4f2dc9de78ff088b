"""True values, which come later, and the predictions that they belong to."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.settings import Settings
from tabular.bundles.bundle import Bundle
from tabular.bundles.encoding import Notes
from tabular.prediction_log.records import FEEDBACK, PREDICTIONS
from tabular.prediction_log.windows import Labelled, labelled_rows, read_window
from tests.support.clients import ROW, serving
from tests.support.logs import HOUR, NOON, WINDOW, at, predicted, predicted_batch, truth, write


def labels(folder: Path, bundle: Bundle) -> Labelled:
    return read_window(str(folder / "log"), bundle, *WINDOW, 1000, labelled=WINDOW).labelled


def rows(folder: Path, most: int = 100) -> list[tuple[dict[str, Any], float | str]]:
    return labelled_rows(str(folder / "log"), "houses", *WINDOW, most)


class TestLabelled:
    def test_values_that_come_after_the_window_count(self, tmp_path: Path, bundle: Bundle) -> None:
        # given
        write(tmp_path / "log", PREDICTIONS, *(predicted(at(n), f"r{n}", answer=float(n)) for n in range(4)))
        late = [truth("r2", 20.0, minutes=60 * 24 * 3), truth("r1", 10.0), truth("nobody's", 5.0)]
        write(tmp_path / "log", FEEDBACK, *late)

        # when
        found = labels(tmp_path, bundle)

        # then
        assert found.times.tolist() == [at(1).timestamp(), at(2).timestamp()]
        assert (found.predicted.tolist(), found.actual.tolist()) == ([1.0, 2.0], [10.0, 20.0])
        assert (found.actual.dtype, found.probabilities) == (np.float64, None)

    def test_the_span_is_its_own(self, tmp_path: Path, bundle: Bundle) -> None:
        # given: a prediction of ten days ago, and one of now
        old = NOON - timedelta(days=10)
        write(tmp_path / "log", PREDICTIONS, predicted(old, "old", answer=1.0), predicted(at(1), "new", answer=2.0))
        write(tmp_path / "log", FEEDBACK, truth("old", 10.0), truth("new", 20.0))

        # when
        found = read_window(str(tmp_path / "log"), bundle, *WINDOW, 10, (old, old + HOUR))

        # then
        assert (found.labelled.actual.tolist(), found.predicted.tolist()) == ([10.0], [2.0])

    def test_the_newest_value_wins_wherever_it_lies(self, tmp_path: Path, bundle: Bundle) -> None:
        # given
        write(tmp_path / "log", PREDICTIONS, predicted(at(1), "r1"))
        write(tmp_path / "log", FEEDBACK, truth("r1", 1.0, 2), truth("r1", 3.0, 4), truth("r1", 2.0, 3))
        write(tmp_path / "log", FEEDBACK, truth("r1", 0.0, 1))

        # then
        assert labels(tmp_path, bundle).actual.tolist() == [3.0]

    def test_of_an_id_that_is_sent_twice_the_newest_prediction_counts(self, tmp_path: Path, bundle: Bundle) -> None:
        # given
        write(tmp_path / "log", PREDICTIONS, *(predicted(at(n), "same", answer=float(n)) for n in (1, 3, 2)))
        write(tmp_path / "log", FEEDBACK, truth("same", 10.0))

        # when
        found = labels(tmp_path, bundle)

        # then
        assert (found.predicted.tolist(), found.actual.tolist()) == ([3.0], [10.0])

    def test_rows_of_a_batch_are_named_by_their_number(self, tmp_path: Path, bundle: Bundle) -> None:
        # given: also a number that the batch does not have, and none at all
        write(tmp_path / "log", PREDICTIONS, *predicted_batch(at(1), "b", {"rooms": [1.0, 2.0, 3.0]}, [1.0, 2.0, 3.0]))
        write(
            tmp_path / "log", FEEDBACK, truth("b", 30.0, row=2), truth("b", 10.0, row=0), truth("b", 9.0, row=3),
            truth("b", 8.0),
        )  # fmt: skip

        # when
        found = read_window(str(tmp_path / "log"), bundle, *WINDOW, 10, WINDOW)

        # then
        pairs = zip(found.labelled.predicted, found.labelled.actual, strict=True)
        assert (sorted(pairs), found.unreadable) == ([(1.0, 10.0), (3.0, 30.0)], 0)

    def test_labels_and_probabilities(self, tmp_path: Path, classifier: Bundle) -> None:
        # given: the classes in another order, and a true label that the model does not know
        single = predicted(at(1), "r", answer="yes", probabilities={"yes": 0.75, "no": 0.25})
        first = predicted(at(2), "b", answer="no", row=0, probabilities={"yes": 0.1, "no": 0.9})
        second = predicted(at(2), "b", answer="yes", row=1, probabilities={"yes": 0.8, "no": 0.2})
        write(tmp_path / "log", PREDICTIONS, single, first, second)
        write(tmp_path / "log", FEEDBACK, truth("r", "perhaps"), truth("b", "no", row=0), truth("b", "no", row=1))

        # when
        found = labels(tmp_path, classifier)

        # then
        assert (found.predicted.tolist(), found.actual.tolist()) == ([1, 0, 1], ["perhaps", "no", "no"])
        assert found.probabilities is not None
        assert found.probabilities.tolist() == [[0.25, 0.75], [0.9, 0.1], [0.2, 0.8]]

    @pytest.mark.parametrize("chances", [None, {"no": 0.5}, {"no": 0.5, "yes": "half"}])
    def test_what_does_not_fit_is_counted(self, chances: Any, tmp_path: Path, classifier: Bundle) -> None:
        # given: also a true value of another task
        good = predicted(at(1), "good", answer="yes", probabilities={"no": 0.5, "yes": 0.5})
        number = predicted(at(1), "number", answer="yes", probabilities={"no": 0.5, "yes": 0.5})
        bad = predicted(at(1), "bad", answer="yes", probabilities=chances)
        write(tmp_path / "log", PREDICTIONS, good, number, bad)
        write(tmp_path / "log", FEEDBACK, truth("good", "no"), truth("number", 1.0), truth("bad", "no"))

        # when
        found = read_window(str(tmp_path / "log"), classifier, *WINDOW, 10, WINDOW)

        # then
        assert (found.labelled.actual.tolist(), found.unreadable) == (["no"], 2)

    def test_other_versions_are_left_out(self, tmp_path: Path, bundle: Bundle) -> None:
        # given
        others = [predicted(at(1), "r1", version="2"), predicted(at(1), "r2", model="flats")]
        write(tmp_path / "log", PREDICTIONS, *others)
        write(tmp_path / "log", FEEDBACK, truth("r1", 1.0), truth("r2", 1.0))

        # then
        assert len(labels(tmp_path, bundle).times) == 0

    def test_what_a_service_wrote_is_found(self, tmp_path: Path) -> None:
        # given
        began = datetime.now(UTC)
        with serving(tmp_path, Settings(prediction_log=str(tmp_path / "log"))) as client:
            single = client.post("/predict", ROW).json()
            batch = client.post("/predict_batch", "rooms,place\n3,inland\n,moon\n", "text/csv").json()
            client.post("/predict", {"roms": 3})
            client.post("/feedback", {"request_id": single["request_id"], "value": 90.0})
            client.post("/feedback", {"request_id": batch["request_id"], "value": 95.0, "row": 1})
            of = client.live.current().bundle
        span = began, datetime.now(UTC)

        # when
        found = read_window(str(tmp_path / "log"), of, *span, 10, span)

        # then
        assert found.predicted.tolist() == [100.0] * 3
        assert found.notes == Notes({"age": 2, "rooms": 1}, {"place": 1}, {})
        assert (found.requests.rows, found.refusals) == (3, {(422, "unknown_field"): 1})
        assert (found.labelled.actual.tolist(), found.unreadable) == ([90.0, 95.0], 0)
        assert [row for row, _ in labelled_rows(str(tmp_path / "log"), of.name, *span, 10)] == [
            ROW,
            {"rooms": None, "place": "moon"},
        ]


class TestLabelledRows:
    def test_raw_inputs_of_every_version(self, tmp_path: Path) -> None:
        # given
        write(
            tmp_path / "log",
            PREDICTIONS,
            predicted(at(3), "r1", {"rooms": 3, "place": None}),
            predicted(at(1), "r2", {"age": 7.5}, version="2"),
            *predicted_batch(at(2), "b1", {"rooms": [1.0, None], "place": ["a", "é"]}, [1.0, 2.0]),
            *predicted_batch(at(4), "b2", [{"rooms": 5.0}, {"rooms": 6.0}], [1.0, 2.0]),
            predicted(at(5), "r3"),
            predicted(at(5), "r4", model="flats"),
            predicted(at(60), "r5"),
        )
        single = [truth(name, number) for number, name in enumerate(("r1", "r2", "r4", "r5"))]
        write(tmp_path / "log", FEEDBACK, *single, truth("b1", "label", row=1), truth("b2", 60.0, row=1))

        # then
        assert rows(tmp_path) == [
            ({"age": 7.5}, 1.0),
            ({"rooms": None, "place": "é"}, "label"),
            ({"rooms": 3, "place": None}, 0.0),
            ({"rooms": 6.0}, 60.0),
        ]
        assert [value for _, value in rows(tmp_path, most=2)] == [0.0, 60.0]

    def test_nothing_is_there(self, tmp_path: Path) -> None:
        assert rows(tmp_path) == []

    def test_what_does_not_fit_is_left_out(self, tmp_path: Path) -> None:
        # given
        write(tmp_path / "log", PREDICTIONS, predicted(at(1), "r1", [1]), predicted(at(1), "r2"))
        write(tmp_path / "log", FEEDBACK, truth("r1", 1.0), truth("r2", 3.0))

        # then
        assert rows(tmp_path) == [({"rooms": 3.0}, 3.0)]
