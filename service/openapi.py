"""The OpenAPI document: what each route accepts and returns, with the inputs of the model that serves."""

from pathlib import Path
from typing import Any, Final

import msgspec

from service.app import REQUEST_ID
from service.settings import Settings
from tabular.arithmetic.dates import iso
from tabular.bundles.bundle import Bundle, Column

Schema = dict[str, Any]

TEMPLATE: Final = Path(__file__).with_name("openapi.json").read_bytes()
"""The document without what depends on the model and on the settings."""


def document(bundle: Bundle, settings: Settings) -> Schema:
    """Describe the service with the model that serves."""
    found: Schema = msgspec.json.decode(TEMPLATE)
    description = f"Predicts {bundle.target} ({bundle.task}, {bundle.algorithm})."
    found["info"] = {"title": bundle.name, "version": bundle.version, "description": description}
    if settings.api_keys:
        for methods in found["paths"].values():
            if "post" in methods:
                methods["post"]["security"] = [{"key": []}, {"bearer": []}]
    else:
        del found["components"]["securitySchemes"]
    schemas = found["components"]["schemas"]
    schemas["RequestId"]["pattern"] = f"^{REQUEST_ID}$"
    schemas["Feedback"]["properties"]["row"]["maximum"] = settings.max_rows - 1
    values = {column.name: _value(column) for column in bundle.columns}
    schemas["Row"] |= {"properties": values, "examples": [{column.name: _example(column) for column in bundle.columns}]}
    schemas["Batch"]["description"] = f"Rows, or columns of one length; at most {settings.max_rows} rows."
    rows, columns = (option["properties"] for option in schemas["Batch"]["oneOf"])
    rows["rows"]["maxItems"] = settings.max_rows
    for name, value in values.items():
        items = {key: value[key] for key in ("type", "anyOf") if key in value}
        listed = {"type": "array", "items": items, "minItems": 1, "maxItems": settings.max_rows}
        columns["columns"]["properties"][name] = listed
    if bundle.task == "classification":
        schemas["Answer"] = {"type": "string", "examples": list(bundle.classes[:1])}
        share = {"type": "number", "minimum": 0, "maximum": 1}
        for name, value in (("Prediction", share), ("Predictions", {"type": "array", "items": share})):
            shares: Schema = {"type": "object", "properties": dict.fromkeys(bundle.classes, value)}
            shares |= {"required": list(bundle.classes), "additionalProperties": False}
            schemas[name]["properties"]["probabilities"] = shares
            schemas[name]["required"].append("probabilities")
    return found


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
