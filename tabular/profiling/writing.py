"""Writing the run configuration of a table, with the reason for each choice beside it."""

from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tabular.config.reading import NumberConfig
from tabular.profiling import limits
from tabular.profiling.found import ColumnFound, TableFound
from tabular.profiling.kinds import LEVELS
from tabular.profiling.warnings import IMBALANCE, imbalance
from tabular.table.spelling import LATEST

TEMPLATE = "configuration.yaml.j2"


def write(found: TableFound, name: str, location: str, sha256: str, shown: str) -> str:
    """Write the configuration as YAML.

    Args:
        location: value of `data.path`.
        sha256: SHA-256 of the table's file.
        shown: path of the configuration as it is typed on the command line.
    """
    # The finalizer keeps each value on one line: a comment may quote the table, and a table may contain line breaks.
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        finalize=lambda value: "".join(letter if letter.isprintable() else " " for letter in str(value)),
    )
    environment.filters |= {"yaml": _flow, "thousands": "{:,}".format, "set": _set}
    return environment.get_template(TEMPLATE).render(
        found=found,
        name=name,
        location=location,
        sha256=sha256,
        shown=shown,
        limits=limits,
        latest=LATEST,
        rules=_rules,
        target_rules=_target_rules,
        seen=_seen,
        encoded=[c.name for c in found.inputs if c.kind == "category" and not c.levels and c.distinct > LEVELS],
        LEVELS=LEVELS,
        imbalance=imbalance(found),
        IMBALANCE=IMBALANCE,
    )


def _set(how: NumberConfig) -> dict[str, Any]:
    return how.model_dump(mode="json", exclude_defaults=True)


def _rules(column: ColumnFound, places: tuple[str, str] | None) -> dict[str, Any]:
    rules: dict[str, Any] = {}
    if column.kind == "date":
        rules["kind"] = "date"
        rules["earliest"], rules["latest"] = limits.day_range(column)
    elif column.low is not None:
        rules["kind"] = "number"
        low, high = limits.number_range(column)
        if column.kind == "boolean":
            low, high = 0.0, 1.0
        elif places is not None and column.name in places:
            edge = 180.0 if column.name == places[0] else 90.0
            low, high = max(low, -edge), min(high, edge)
        rules |= {"min": low, "max": high}
    else:
        rules["kind"] = "category"
        if column.levels:
            rules["categories"] = list(column.levels)
    return rules | {"max_missing": limits.max_missing(column)}


def _target_rules(found: TableFound, column: ColumnFound) -> dict[str, Any]:
    if found.target.task == "classification":
        return {"kind": "category", "categories": sorted(found.target.classes)}
    low, high = limits.number_range(column)
    return {"kind": "number", "min": low, "max": high}


def _seen(column: ColumnFound) -> str:
    holes = f"{column.missing:,} holes" if column.missing else "no holes"
    if column.low is not None and column.high is not None:
        return f"{column.low:.6g} to {column.high:.6g}, {holes}"
    return f"{column.why}, {holes}"


class _OneLineDumper(yaml.SafeDumper):
    """A dumper that writes a text with line breaks on one line."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "'" if text.isdigit() else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style if text.isprintable() else '"')


_OneLineDumper.add_representer(str, _text)


def _flow(item: Any) -> str:
    """A value as YAML on one line, with quotes if they are needed, and with whole numbers written without decimals."""
    text = yaml.dump(
        _whole(item), Dumper=_OneLineDumper, default_flow_style=True, width=10**9, allow_unicode=True, sort_keys=False
    )
    return text.removesuffix("...\n").strip()


def _whole(item: Any) -> Any:
    if isinstance(item, dict):
        return {key: _whole(value) for key, value in item.items()}
    if isinstance(item, list | tuple):
        return [_whole(value) for value in item]
    return int(item) if isinstance(item, float) and item.is_integer() and abs(item) < 1e15 else item
