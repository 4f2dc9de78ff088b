"""The answers of each route."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pytest

from service.settings import Settings
from tests.support.bundles import eventually
from tests.support.clients import ROW, Client, serving

CLASSES = {"classes": ("no", "yes"), "value": (0.0, np.log(3.0))}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with serving(tmp_path, Settings(prediction_log=str(tmp_path / "log"))) as client:
        yield client


@pytest.fixture
def classifier(tmp_path: Path) -> Iterator[Client]:
    with serving(tmp_path, Settings(), **CLASSES) as client:
        yield client


def metric(client: Client, line: str) -> float:
    found = re.search(rf"^{re.escape(line)} (\S+)$", client.get("/metrics").text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def schema(client: Client, name: str) -> dict[str, Any]:
    document = client.get("/openapi.json").json()
    return {"$ref": f"#/components/schemas/{name}", "components": document["components"]}


def test_one_row(client: Client) -> None:
    # when
    answer = client.post("/predict", ROW, x_request_id="order-7")

    # then
    expected = {"prediction": 100.0, "model_name": "houses", "model_version": "1"}
    assert answer.json() == {**expected, "request_id": "order-7", "warnings": []}
    assert answer.headers["x-request-id"] == "order-7"


def test_a_log_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    # given: a folder that cannot be made
    (tmp_path / "file").write_text("")
    with serving(tmp_path / "service", Settings(prediction_log=str(tmp_path / "file" / "log"))) as client:
        # when
        client.post("/predict", ROW)

        # then: it is said where operators look
        assert eventually(lambda: bool(client.get("/health").json()["warnings"]))
        [warning] = client.get("/health").json()["warnings"]
        assert "the prediction log waits, 1 rows so far" in warning
        assert eventually(lambda: metric(client, "stackhouse_prediction_log_waiting") == 1)


def test_logged_rows_are_counted(client: Client) -> None:
    # when
    client.post("/predict", ROW)

    # then
    assert eventually(lambda: metric(client, 'stackhouse_prediction_log_rows_total{state="written"}') == 1)
    assert metric(client, 'stackhouse_prediction_log_rows_total{state="dropped"}') == 0
    assert client.get("/health").json()["warnings"] == []


def test_one_row_of_a_classifier(classifier: Client) -> None:
    # when
    answer = classifier.post("/predict", ROW).json()

    # then
    assert answer["prediction"] == "yes"
    assert answer["probabilities"] == pytest.approx({"no": 0.25, "yes": 0.75})


def test_a_batch_of_a_classifier(classifier: Client) -> None:
    # when
    answer = classifier.post("/predict_batch", {"rows": [ROW, ROW]}).json()

    # then
    assert answer["predictions"] == ["yes", "yes"]
    assert answer["probabilities"]["no"] == pytest.approx([0.25, 0.25])


@pytest.mark.parametrize("given", ["a b", "x" * 129, "-dash", "new\tline", ""])
def test_an_odd_request_id_is_replaced(given: str, client: Client) -> None:
    # when
    first, second = (client.post("/predict", ROW, x_request_id=given).json()["request_id"] for _ in range(2))

    # then
    assert given not in (first, second) and first != second


def test_missing_values_and_unknown_categories_are_accepted_and_counted(client: Client) -> None:
    # when
    answer = client.post("/predict", {"rooms": None, "place": "the moon"})

    # then
    assert answer.status_code == 200
    assert answer.json()["warnings"] == ["'place': unknown category in 1 row(s)"]
    assert metric(client, 'stackhouse_missing_values_total{column="rooms"}') == 1
    assert metric(client, 'stackhouse_missing_values_total{column="age"}') == 1
    assert metric(client, 'stackhouse_unknown_categories_total{column="place"}') == 1


def test_numbers_beyond_training_are_warned_of(client: Client) -> None:
    assert client.post("/predict", {"rooms": 1000}).json()["warnings"] == [
        "'rooms': beyond the training data in 1 row(s)"
    ]


@pytest.mark.parametrize("form", ["rows", "columns", "csv"])
def test_a_batch_in_every_form(form: str, client: Client) -> None:
    # given: the same three rows, with a hole and an unknown category
    table = pd.DataFrame({"rooms": [1.0, np.nan, 3.0], "place": ["inland", "the moon", "missing"]})
    records = [{"rooms": 1.0, "place": "inland"}, {"place": "the moon"}, {"rooms": 3.0, "place": "missing"}]
    columns = {"rooms": [1.0, None, 3.0], "place": ["inland", "the moon", "missing"]}
    content, kind = {
        "rows": ({"rows": records}, "application/json"),
        "columns": ({"columns": columns}, "application/json"),
        "csv": (table.to_csv(index=False), "text/csv; charset=utf-8"),
    }[form]

    # when
    answer = client.post("/predict_batch", content, kind)

    # then
    assert answer.status_code == 200, answer.text
    assert answer.json()["predictions"] == [100.0] * 3
    assert answer.json()["warnings"] == ["'place': unknown category in 1 row(s)"]
    assert metric(client, 'stackhouse_missing_values_total{column="rooms"}') == 1
    assert metric(client, 'stackhouse_missing_values_total{column="age"}') == 3
    assert metric(client, 'stackhouse_predictions_total{model_version="1",route="/predict_batch"}') == 3


def test_model_info(client: Client) -> None:
    # when
    info = client.get("/model_info").json()

    # then
    assert (info["name"], info["version"], info["metrics"]) == ("houses", "1", {"r2": 0.8})
    assert info["card"].startswith("# houses")
    assert [column["name"] for column in info["columns"]] == ["rooms", "age", "place"]


def test_health_counts(client: Client) -> None:
    # given
    client.post("/predict", ROW)
    client.post("/predict_batch", {"rows": [ROW, ROW]})

    # when
    health = client.get("/health").json()

    # then
    assert (health["status"], health["model_loaded"], health["predictions"]) == ("healthy", True, 3)
    assert health["warnings"] == []


def test_a_baseline_is_flagged(tmp_path: Path) -> None:
    # given: a bundle whose model is damaged
    with serving(tmp_path, Settings(), median=7.0) as healthy:
        (tmp_path / "bundle" / "predictor.json").write_text("{}")
        healthy.live.__init__(None, tmp_path / "bundle", tmp_path / "other")  # type: ignore[misc]
        healthy.live.start()

        # when
        answer, health = healthy.post("/predict", ROW).json(), healthy.get("/health")
        counted = metric(healthy, 'stackhouse_fallback_total{source="baseline"}')

    # then
    assert answer["prediction"] == 7.0
    assert answer["warnings"][0].startswith("degraded")
    assert (health.status_code, health.json()["status"], health.json()["model_loaded"]) == (200, "degraded", False)
    assert counted == 1


def test_without_any_model_the_service_says_so(tmp_path: Path) -> None:
    # given
    with serving(tmp_path, Settings()) as client:
        client.live.__init__(None, None, tmp_path / "other")  # type: ignore[misc]

        # when
        health, answer = client.get("/health"), client.post("/predict", ROW)

    # then
    assert (health.status_code, health.json()["status"]) == (503, "unhealthy")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "no_model")


def test_a_model_that_fails_on_an_input_is_stood_in_for(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    monkeypatch.setattr(type(client.live.current().predictor), "predict", lambda self, rows: 1 / 0)

    # when
    answer = client.post("/predict", ROW).json()

    # then
    assert answer["prediction"] == 7.0
    assert answer["warnings"][0].startswith("degraded")
    assert metric(client, 'stackhouse_fallback_total{source="failed"}') == 1


def test_an_answer_that_is_not_finite_is_refused(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    monkeypatch.setattr(type(client.live.current().predictor), "predict", lambda self, rows: np.array([1.0, np.inf]))

    # when
    answer = client.post("/predict_batch", {"rows": [ROW, ROW]})

    # then
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "no_finite_answer")
    assert answer.json()["error"]["row"] == 1


def test_refusals_are_counted_under_known_names(client: Client) -> None:
    # given
    client.post("/predict", {"rooms": "x"})
    client.post("/predict", {"made up": 1})

    # then
    assert metric(client, 'stackhouse_validation_failures_total{code="invalid_type",field="rooms"}') == 1
    assert metric(client, 'stackhouse_validation_failures_total{code="unknown_field",field="other"}') == 1
    assert "made up" not in client.get("/metrics").text


def test_metrics_name_the_version(client: Client) -> None:
    # given
    client.post("/predict", ROW)

    # then
    assert metric(client, 'stackhouse_model_info{model_name="houses",model_version="1"}') == 1
    assert metric(client, 'stackhouse_prediction_seconds_count{model_version="1",route="/predict"}') == 1
    assert metric(client, 'stackhouse_requests_total{route="/predict",status="200"}') == 1


def test_feedback_and_predictions_are_written(client: Client, tmp_path: Path) -> None:
    # when
    client.post("/predict", ROW, x_request_id="one")
    answer = client.post("/feedback", {"request_id": "one", "value": 120})

    # then
    assert (answer.status_code, answer.json()) == (202, {"accepted": True, "request_id": "one"})

    def lines() -> list[dict[str, Any]]:
        files = (path for path in (tmp_path / "log").rglob("*") if path.is_file())
        return [json.loads(line) for path in files for line in path.read_text().splitlines()]

    assert eventually(lambda: len(lines()) == 2)
    assert {line.get("value", line.get("prediction")) for line in lines()} == {100.0, 120.0}


@pytest.mark.parametrize(
    "feedback",
    [
        {},
        [],
        {"request_id": "one"},
        {"request_id": "a b", "value": 1},
        {"request_id": 1, "value": 1},
        {"request_id": "one", "value": "high"},
        {"request_id": "one", "value": None},
        {"request_id": "one", "value": 1, "row": -1},
        {"request_id": "one", "value": 1, "extra": 1},
        '{"request_id": "one", "value": NaN}',
        '{"request_id": "one", "value": 1e999}',
    ],
)
def test_bad_feedback_is_refused(feedback: Any, client: Client) -> None:
    # when
    answer = client.post("/feedback", feedback)

    # then
    assert (answer.status_code, bool(answer.json()["error"]["remedy"])) == (422, True)


def test_a_label_as_feedback(classifier: Client) -> None:
    # when
    right, wrong = (classifier.post("/feedback", {"request_id": "one", "value": value}) for value in ("yes", 1))

    # then
    assert [right.status_code, wrong.status_code] == [202, 422]


@pytest.mark.parametrize("bundle", [{}, CLASSES], ids=["regression", "classification"])
def test_answers_are_as_the_document_says(bundle: dict[str, Any], tmp_path: Path) -> None:
    # given
    with serving(tmp_path, Settings(), "127.0.0.1", **bundle) as client:
        document = client.get("/openapi.json").json()
        value = "yes" if bundle else 1.5
        requests = [
            ("post", "/predict", ROW),
            ("post", "/predict", {}),
            ("post", "/predict", "["),
            ("post", "/predict_batch", {"rows": [ROW]}),
            ("post", "/predict_batch", {"columns": {"rooms": [1]}}),
            ("post", "/predict_batch", {"rows": []}),
            ("post", "/feedback", {"request_id": "one", "value": value}),
            ("post", "/feedback", {}),
            ("post", "/reload", ""),
            ("get", "/health", ""),
            ("get", "/model_info", ""),
        ]

        for method, path, content in requests:
            # when
            answer = client.post(path, content) if method == "post" else client.get(path)

            # then
            documented = document["paths"][path][method]["responses"][str(answer.status_code)]
            if "$ref" in documented:  # what several paths share
                documented = document["components"]["responses"][documented["$ref"].rpartition("/")[2]]
            reference = documented["content"]["application/json"]["schema"]
            jsonschema.Draft202012Validator({**reference, "components": document["components"]}).validate(answer.json())


def test_the_document_describes_the_inputs(client: Client) -> None:
    # given
    row = jsonschema.Draft202012Validator(schema(client, "Row"))

    # then
    row.validate(ROW)
    row.validate({"rooms": None})
    for bad in ({}, {"rooms": "3"}, {"made up": 1}):
        assert not row.is_valid(bad)
    batch = jsonschema.Draft202012Validator(schema(client, "Batch"))
    batch.validate({"rows": [ROW]})
    assert not batch.is_valid({"rows": []})


def test_the_page_loads_nothing_from_elsewhere(client: Client) -> None:
    # when
    page = client.get("/")

    # then
    assert page.headers["content-type"].startswith("text/html")
    assert "http" not in page.text
