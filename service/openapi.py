"""The OpenAPI document: what each route takes and gives, with the inputs of the model that serves."""

import re
from typing import Any, Final

from service.bodies import CSV, JSON
from service.settings import Settings
from tabular.arithmetic.dates import iso
from tabular.bundles.bundle import Bundle, Column

REQUEST_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
Schema = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string"}
_NUMBER: Final[Schema] = {"type": "number"}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
_REFUSALS: Final = {
    400: "The body is not what its content type says, or a field is twice in it.",
    401: "A valid key is needed.",
    403: "Without any keys, only the service's own machine may ask for this.",
    404: "There is no such path.",
    405: "The path has another method.",
    408: "The body came too slowly.",
    413: "The body or the batch is too large.",
    415: "The content type is not taken.",
    422: "A value is refused; the error names the field, the row and the remedy.",
    429: "Too many requests; the header Retry-After says how long to wait.",
    500: "The service failed; its log has the request id.",
    503: "No model is loaded.",
}
_PROTECTED: Final = (401, 429)
_BODY: Final = (400, 408, 413, 415, 422)


def document(bundle: Bundle, settings: Settings) -> Schema:
    """The document for the model that serves.

    Args:
        bundle: for the inputs and the version.
        settings: for the bounds, and whether keys are asked for.
    """
    row = _row(bundle)
    paths: Schema = {
        "/predict": {"post": _post("Predict one row", "predict", {JSON: _reference("Row")}, "Prediction", _BODY)},
        "/predict_batch": {
            "post": _post("Predict many rows", "predict_batch", _batch_bodies(), "Predictions", (*_BODY,))
        },
        "/feedback": {
            "post": _post(
                "Tell the true value of a prediction",
                "feedback",
                {JSON: _reference("Feedback")},
                "Accepted",
                _BODY,
                202,
            )
        },
        "/reload": {"post": _post("Look for a newer model now", "reload", None, "Reloaded", (403,))},
        "/model_info": {"get": _get("What serves", "model_info", "ModelInfo", (503,))},
        "/health": {"get": _get("Whether the service answers, and how well", "health", "Health", ())},
        "/metrics": {"get": _plain("Prometheus metrics", "metrics", "text/plain")},
        "/livez": {"get": _plain("Whether the process lives", "livez", "text/plain")},
        "/readyz": {"get": _plain("Whether the process takes requests", "readyz", "text/plain")},
    }
    paths["/health"]["get"]["responses"]["503"] = _answer("Health", "The service cannot answer.")
    components: Schema = {"schemas": {"Row": row, **_schemas(bundle, row, settings)}}
    if settings.api_keys:
        components["securitySchemes"] = {
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            "bearer": {"type": "http", "scheme": "bearer"},
        }
        for path in ("/predict", "/predict_batch", "/feedback", "/reload"):
            paths[path]["post"]["security"] = [{"key": []}, {"bearer": []}]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": bundle.name,
            "version": bundle.version,
            "description": f"Predicts {bundle.target} ({bundle.task}, {bundle.algorithm}).",
        },
        "paths": paths,
        "components": components,
    }


def _row(bundle: Bundle) -> Schema:
    return {
        "type": "object",
        "description": "A value for each input; one that is null or left out is missing, and is filled in.",
        "properties": {column.name: _value(column) for column in bundle.columns},
        "additionalProperties": False,
        "minProperties": 1,
        "examples": [{column.name: _example(column) for column in bundle.columns}],
    }


def _value(column: Column) -> Schema:
    if column.kind == "category":
        known = ", ".join(column.categories[:20])
        return {"type": ["string", "boolean", "number", "null"], "description": f"A category; training saw {known}."}
    if column.kind == "date":
        seen = (
            "" if column.min is None or column.max is None else f" Training saw {iso(column.min)} to {iso(column.max)}."
        )
        forms = [{"format": "date"}, {"format": "date-time"}, {"type": "null"}]
        said = f"A day or a moment in ISO 8601; without an offset it is in UTC.{seen}"
        return {"type": ["string", "null"], "anyOf": forms, "description": said}
    seen = f" Training saw {column.min:g} to {column.max:g}." if None not in (column.min, column.max) else ""
    return {"type": ["number", "null"], "description": f"A number.{seen}"}


def _example(column: Column) -> Any:
    if column.kind == "category":
        return column.categories[0] if column.categories else None
    if column.min is None or column.max is None:
        return None
    middle = column.min / 2 + column.max / 2
    return iso(middle) if column.kind == "date" else round(middle, 4)


def _batch_bodies() -> Schema:
    return {
        JSON: _reference("Batch"),
        CSV: {
            "type": "string",
            "minLength": 1,
            "description": "RFC 4180 in UTF-8 with a header; an empty cell is missing.",
        },
    }


def _schemas(bundle: Bundle, row: Schema, settings: Settings) -> Schema:
    most = {"minItems": 1, "maxItems": settings.max_rows}
    columns = {
        name: {
            "type": "array",
            "items": {key: value[key] for key in ("type", "anyOf") if key in value},
            **most,
        }
        for name, value in row["properties"].items()
    }
    answer = _number_or_label(bundle)
    about = {
        "model_name": _TEXT,
        "model_version": _TEXT,
        "request_id": _identifier(),
        "warnings": {"type": "array", "items": _TEXT},
    }
    share = {"type": "number", "minimum": 0, "maximum": 1}
    shares = dict.fromkeys(bundle.classes, share)
    lists = {name: {"type": "array", "items": share} for name in bundle.classes}
    one = {"prediction": answer} | ({"probabilities": _object(shares)} if bundle.classes else {})
    many: Schema = {"predictions": {"type": "array", "items": answer}}
    many |= {"probabilities": _object(lists)} if bundle.classes else {}
    nothing = {"type": ["string", "null"]}
    return {
        "Batch": {
            "oneOf": [
                _object({"rows": {"type": "array", "items": _reference("Row"), **most}}),
                _object({"columns": {**_object(columns, ()), "minProperties": 1}}),
            ],
            "description": f"Rows, or columns of one length; at most {settings.max_rows} rows.",
        },
        "Prediction": _object(one | about),
        "Predictions": _object(many | about),
        "Feedback": _object(
            {
                "request_id": _identifier(),
                "value": answer,
                "row": {"type": ["integer", "null"], "minimum": 0, "maximum": settings.max_rows - 1},
            },
            ("request_id", "value"),
        ),
        "Accepted": _object({"accepted": {"const": True}, "request_id": _identifier()}),
        "Reloaded": _object({"message": _TEXT, "model_version": _TEXT, "source": _TEXT}),
        "Health": _object(
            {
                "status": {"enum": ["healthy", "degraded", "unhealthy"]},
                "model_loaded": {"type": "boolean"},
                "degraded": {"type": "boolean"},
                "model_version": nothing,
                "source": nothing,
                "uptime_seconds": _NUMBER,
                "predictions": _COUNT,
                "warnings": {"type": "array", "items": _TEXT},
            }
        ),
        "ModelInfo": {"type": "object", "required": ["name", "version", "task", "metrics", "columns", "card"]},
        "Error": _object(
            {
                "error": _object(
                    {
                        "code": _TEXT,
                        "field": nothing,
                        "message": _TEXT,
                        "remedy": _TEXT,
                        "row": {"type": ["integer", "null"]},
                    }
                ),
                "request_id": _identifier(),
            }
        ),
    }


def _number_or_label(bundle: Bundle) -> Schema:
    return _NUMBER if bundle.task == "regression" else {"type": "string", "examples": list(bundle.classes[:1])}


def _identifier() -> Schema:
    return {"type": "string", "pattern": f"^{REQUEST_ID.pattern}$"}


def _object(properties: Schema, required: tuple[str, ...] | None = None) -> Schema:
    needed = list(properties) if required is None else list(required)
    return {"type": "object", "properties": properties, "required": needed, "additionalProperties": False}


def _reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _answer(name: str, description: str) -> Schema:
    return {"description": description, "content": {JSON: {"schema": _reference(name)}}}


def _post(
    summary: str, name: str, taken: Schema | None, given: str, refusals: tuple[int, ...], status: int = 200
) -> Schema:
    refused = {str(code): _answer("Error", _REFUSALS[code]) for code in (*refusals, *_PROTECTED, 405, 500, 503)}
    operation: Schema = {
        "operationId": name,
        "summary": summary,
        "responses": {str(status): _answer(given, "Done."), **refused},
        "parameters": [
            {"name": "X-Request-ID", "in": "header", "required": False, "schema": _TEXT},
        ],
    }
    if taken is not None:
        content = {kind: {"schema": schema} for kind, schema in taken.items()}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _get(summary: str, name: str, given: str, refusals: tuple[int, ...]) -> Schema:
    refused = {str(code): _answer("Error", _REFUSALS[code]) for code in (*refusals, 405, 500)}
    return {"operationId": name, "summary": summary, "responses": {"200": _answer(given, "Done."), **refused}}


def _plain(summary: str, name: str, kind: str) -> Schema:
    content = {kind: {"schema": _TEXT}}
    return {
        "operationId": name,
        "summary": summary,
        "responses": {"200": {"description": "Done.", "content": content}, "405": {"description": _REFUSALS[405]}},
    }
