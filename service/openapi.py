"""The OpenAPI document: what each route accepts and returns, with the inputs of the model that serves."""

from typing import Any, Final

from service.app import REQUEST_ID
from service.bodies import CSV, JSON
from service.settings import Settings
from tabular.arithmetic.dates import iso
from tabular.bundles.bundle import Bundle, Column

Schema = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string"}
_TEXTS: Final[Schema] = {"type": "array", "items": _TEXT}
_TEXT_OR_NULL: Final[Schema] = {"type": ["string", "null"]}
_ID: Final[Schema] = {"type": "string", "pattern": f"^{REQUEST_ID}$"}
_SHARE: Final[Schema] = {"type": "number", "minimum": 0, "maximum": 1}
_CSV: Final[Schema] = _TEXT | {
    "minLength": 1,
    "description": "RFC 4180 in UTF-8 with a header; an empty cell is a missing value.",
}
_REFUSALS: Final = {
    400: "The body is not what its content type says, or has a field twice.",
    401: "A valid key is needed.",
    403: "Without any keys, only the service's own machine may ask for this.",
    405: "The path takes another method.",
    408: "The body arrived too slowly.",
    413: "The body or the batch is too large.",
    415: "The content type is not accepted.",
    422: "A value is refused; the error names the field, the row and the remedy.",
    429: "Too many requests; the header Retry-After says how long to wait.",
    500: "The service failed; its log has the request id.",
    503: "No model is loaded.",
}
_OF_BODIES: Final = (400, 408, 413, 415, 422)
_OF_POSTS: Final = (401, 405, 429, 500, 503)


def document(bundle: Bundle, settings: Settings) -> Schema:
    """Describe the service with the model that serves.

    Args:
        bundle: manifest of the model, for the inputs and the version.
        settings: bounds, and whether keys are needed.
    """
    batch = {JSON: _reference("Batch"), CSV: _CSV}
    refused = (*_OF_BODIES, *_OF_POSTS)
    posts = {
        "predict": _route("Predict one row", "Prediction", refused, {JSON: _reference("Row")}),
        "predict_batch": _route("Predict many rows", "Predictions", refused, batch),
        "feedback": _route(
            "Tell the true value of a prediction", "Accepted", refused, {JSON: _reference("Feedback")}, 202
        ),
        "reload": _route("Look for a newer model now", "Reloaded", (403, *_OF_POSTS)),
    }
    gets = {
        "model_info": _route("Tell which model serves", "ModelInfo", (405, 500, 503)),
        "health": _route("Tell whether the service answers, and how well", "Health", (405, 500)),
        "metrics": _plain("Prometheus metrics"),
        "livez": _plain("Tell whether the process lives"),
        "readyz": _plain("Tell whether the process takes requests"),
    }
    gets["health"]["responses"]["503"] = _answer("Health", "The service cannot answer.")
    components: Schema = {"schemas": _schemas(bundle, settings)}
    for operation in posts.values():
        operation["parameters"] = [{"name": "X-Request-ID", "in": "header", "required": False, "schema": _TEXT}]
        if settings.api_keys:
            operation["security"] = [{"key": []}, {"bearer": []}]
    if settings.api_keys:
        components["securitySchemes"] = {
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            "bearer": {"type": "http", "scheme": "bearer"},
        }
    operations = [("post", name, found) for name, found in posts.items()]
    operations += [("get", name, found) for name, found in gets.items()]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": bundle.name,
            "version": bundle.version,
            "description": f"Predicts {bundle.target} ({bundle.task}, {bundle.algorithm}).",
        },
        "paths": {f"/{name}": {method: {"operationId": name, **found}} for method, name, found in operations},
        "components": components,
    }


def _schemas(bundle: Bundle, settings: Settings) -> Schema:
    bounds = {"minItems": 1, "maxItems": settings.max_rows}
    values = {column.name: _value(column) for column in bundle.columns}
    columns = {
        name: {"type": "array", "items": {key: value[key] for key in ("type", "anyOf") if key in value}, **bounds}
        for name, value in values.items()
    }
    answer: Schema = {"type": "number"}
    one: Schema = {}
    many: Schema = {}
    if bundle.task == "classification":
        answer = _TEXT | {"examples": list(bundle.classes[:1])}
        shares = {"type": "array", "items": _SHARE}
        one["probabilities"] = _object(dict.fromkeys(bundle.classes, _SHARE))
        many["probabilities"] = _object(dict.fromkeys(bundle.classes, shares))
    about = {"model_name": _TEXT, "model_version": _TEXT, "request_id": _ID, "warnings": _TEXTS}
    error = {"code": _TEXT, "field": _TEXT_OR_NULL, "message": _TEXT, "remedy": _TEXT}
    return {
        "Row": {
            "type": "object",
            "description": "A value for each input; one that is null or left out is missing, and is imputed.",
            "properties": values,
            "additionalProperties": False,
            "minProperties": 1,
            "examples": [{column.name: _example(column) for column in bundle.columns}],
        },
        "Batch": {
            "oneOf": [
                _object({"rows": {"type": "array", "items": _reference("Row"), **bounds}}),
                _object({"columns": {**_object(columns, ()), "minProperties": 1}}),
            ],
            "description": f"Rows, or columns of one length; at most {settings.max_rows} rows.",
        },
        "Prediction": _object({"prediction": answer, **one, **about}),
        "Predictions": _object({"predictions": {"type": "array", "items": answer}, **many, **about}),
        "Feedback": _object(
            {
                "request_id": _ID,
                "value": answer,
                "row": {"type": ["integer", "null"], "minimum": 0, "maximum": settings.max_rows - 1},
            },
            ("request_id", "value"),
        ),
        "Accepted": _object({"accepted": {"const": True}, "request_id": _ID}),
        "Reloaded": _object({"message": _TEXT, "model_version": _TEXT, "source": _TEXT}),
        "Health": _object(
            {
                "status": {"enum": ["healthy", "degraded", "unhealthy"]},
                "model_loaded": {"type": "boolean"},
                "degraded": {"type": "boolean"},
                "model_version": _TEXT_OR_NULL,
                "source": _TEXT_OR_NULL,
                "uptime_seconds": {"type": "number"},
                "predictions": {"type": "integer", "minimum": 0},
                "warnings": _TEXTS,
            }
        ),
        "ModelInfo": {"type": "object", "required": ["name", "version", "task", "metrics", "columns", "card"]},
        "Error": _object({"error": _object({**error, "row": {"type": ["integer", "null"]}}), "request_id": _ID}),
    }


def _value(column: Column) -> Schema:
    if column.kind == "category":
        known = ", ".join(column.categories[:20])
        return {"type": ["string", "boolean", "number", "null"], "description": f"A category; training saw {known}."}
    seen = ""
    if column.min is not None and column.max is not None:
        shown = iso if column.kind == "date" else "{:g}".format
        seen = f" Training saw {shown(column.min)} to {shown(column.max)}."
    if column.kind == "number":
        return {"type": ["number", "null"], "description": f"A number.{seen}"}
    forms = [{"format": "date"}, {"format": "date-time"}, {"type": "null"}]
    said = f"A day or a moment in ISO 8601; without an offset it is in UTC.{seen}"
    return {"type": ["string", "null"], "anyOf": forms, "description": said}


def _example(column: Column) -> Any:
    if column.kind == "category":
        return column.categories[0] if column.categories else None
    if column.min is None or column.max is None:
        return None
    middle = column.min / 2 + column.max / 2
    return iso(middle) if column.kind == "date" else round(middle, 4)


def _object(properties: Schema, required: tuple[str, ...] | None = None) -> Schema:
    needed = list(properties) if required is None else list(required)
    return {"type": "object", "properties": properties, "required": needed, "additionalProperties": False}


def _reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _answer(name: str, description: str) -> Schema:
    return {"description": description, "content": {JSON: {"schema": _reference(name)}}}


def _route(
    summary: str, returned: str, refusals: tuple[int, ...], accepted: Schema | None = None, status: int = 200
) -> Schema:
    """An operation that answers in JSON.

    Args:
        summary: what it does.
        returned: name of the answer's schema.
        refusals: HTTP status codes of the errors.
        accepted: schema of the body by content type; None for no body.
        status: HTTP status code of the success.
    """
    refused = {str(code): _answer("Error", _REFUSALS[code]) for code in refusals}
    operation: Schema = {"summary": summary, "responses": {str(status): _answer(returned, "Done."), **refused}}
    if accepted is not None:
        content = {kind: {"schema": schema} for kind, schema in accepted.items()}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _plain(summary: str) -> Schema:
    content = {"text/plain": {"schema": _TEXT}}
    refused = {"description": _REFUSALS[405]}
    return {"summary": summary, "responses": {"200": {"description": "Done.", "content": content}, "405": refused}}
