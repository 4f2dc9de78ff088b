"""JSON for other programs, which know no NaN and no infinity."""

import json
import math
from typing import Any


def json_text(document: Any) -> str:
    """Return plain data (dicts, lists, text, numbers) as indented JSON; a number that is not finite becomes null."""
    return json.dumps(_finite(document), indent=2, ensure_ascii=False, allow_nan=False, default=str)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value
