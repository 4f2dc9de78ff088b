"""Writing the run configuration of a table, with the reason for each choice beside it."""

from typing import Any

import yaml

from tabular.profiling import limits
from tabular.profiling.found import ColumnFound, TableFound
from tabular.profiling.kinds import LEVELS
from tabular.profiling.warnings import IMBALANCE, imbalance


def write(found: TableFound, name: str, location: str, sha256: str, shown: str) -> str:
    """Write the configuration as YAML.

    Args:
        found: the table.
        name: name of the model, and of the file.
        location: value of `data.path`.
        sha256: SHA-256 of the table's file.
        shown: path of the configuration as it is typed on the command line.
    """
    metric, why_metric = limits.metric(found)
    lines = [
        f"# {found.target.column} of {name}: written by `python run.py init` from {found.rows:,} rows.",
        f"#   python run.py --config {shown}",
        "# `python run.py --schema` explains each key. Read the whole file once: values do not say what they mean.",
        *_warned(found),
        "",
        f"model: {{name: {_value(name)}}}",
        "",
        "settings:",
        "  docker: # for a stack whose steps run in containers",
        "    requirements: requirements-cloud.txt",
        "    install_stack_requirements: false",
        "    apt_packages: [libgomp1] # a library that LightGBM and XGBoost load",
        "",
        "parameters:",
        "  seed: 42",
        "",
        *_data(found, location, sha256),
        "",
        *_target(found),
        "",
        *_validation(found),
        "",
        *_split(found),
        "",
        *_stages(found, metric, why_metric),
    ]
    return "\n".join(_one_line(line) for line in lines) + "\n"


def _warned(found: TableFound) -> list[str]:
    """The loud findings, which stand at the head of the file."""
    return [f"# {finding.column}: {finding.text}" for finding in found.findings if finding.level == "loud"]


def _data(found: TableFound, location: str, sha256: str) -> list[str]:
    lines = [
        "  data:",
        f"    path: {_value(location)}",
        f"    # sha256: {sha256} # if it is set, a changed file is refused",
    ]
    dropped = [column for column in found.columns if column.drop is not None and column.name != found.target.column]
    if dropped:
        lines.append("    drop_columns:")
        lines += [f"      - {_value(column.name)} # {column.drop}" for column in dropped]
    if found.drop_duplicates:
        lines.append(f"    drop_duplicates: true # {found.duplicates:,} rows; a row on both sides flatters the score")
    elif found.duplicates:
        lines.append(f"    drop_duplicates: false # {found.duplicates:,} rows repeat others, too many for a mistake")
    return [*lines, *_reading(found)]


def _reading(found: TableFound) -> list[str]:
    reading = found.reading
    lines = []
    if found.is_csv:
        lines.append(f"      separator: {_value(reading.separator)}")
        guess = (
            " # a guess, because every file can be read in this way"
            if reading.encoding in ("cp1252", "latin-1")
            else ""
        )
        lines.append(f"      encoding: {_value(reading.encoding)}{guess}")
        lines.append(f"      decimal: {_value(reading.decimal)}")
        if reading.thousands is not None:
            lines.append(f"      thousands: {_value(reading.thousands)}")
        if reading.trim:
            lines.append("      trim: true # names or values have blanks around them")
    if reading.missing is not None:
        lines.append(f"      missing: {_values(reading.missing)} # spellings of a hole, beside the empty cell")
    if reading.text:
        lines.append(f"      text: {_values(reading.text)} # columns of codes: 2 is not twice 1")
    if reading.dates:
        lines.append(f"      dates: {_values(reading.dates)}")
        if reading.day_first:
            lines.append("      day_first: true # 01/02/2024 is the first of February")
    if reading.target_missing == "drop":
        why = f"{found.target.missing:,} of {found.rows:,} rows have no target, so nothing can be learned from them"
        lines.append(f"      target_missing: drop # {why}")
    return ["    reading:", *lines] if lines else []


def _target(found: TableFound) -> list[str]:
    aim = found.target
    lines = ["  target:", f"    column: {_value(aim.column)}", f"    task: {aim.task} # {aim.why}"]
    if imbalance(found) >= IMBALANCE:
        many = f"the most frequent class has {imbalance(found):,.0f} times as many rows as the rarest one"
        lines.append(f"    class_weight: balanced # {many}")
    return lines


def _validation(found: TableFound) -> list[str]:
    lines = [
        "  validation: # rules for a newer file; ranges and shares of holes have some slack",
        f"    min_rows: {max(2, found.used // 2)} # half of the rows of this table",
        f"    max_duplicate_share: {limits.duplicate_share(found):g} # {100 * found.duplicate_share:.2g}% at present",
        "    columns:",
    ]
    for column in found.columns:
        if column.name == found.target.column:
            lines.append(f"      {_value(column.name)}: {_flow(_target_rules(found, column))} # the target")
        elif column.drop is None:
            lines.append(f"      {_value(column.name)}: {_flow(_rules(column, found.places))} # {_seen(column)}")
    return lines


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


def _split(found: TableFound) -> list[str]:
    lines = ["  split:", "    held_out: 0.2"]
    if found.target.task == "classification":
        lines.append(f"    stratify: {_value(found.target.column)} # both parts have the same shares of the classes")
    else:
        lines.append("    stratify: null # a column whose shares are the same in both parts; a regression needs none")
    return lines


def _stages(found: TableFound, metric: str, why_metric: str) -> list[str]:
    strategies, why_strategies = limits.strategies(found)
    algorithms, why_algorithms = limits.algorithms(found)
    trials, why_trials = limits.trials(found)
    slices = limits.slices(found)
    lines = ["  imputation:", f"    # {why_strategies}", f"    strategies: {_flow(strategies)}", ""]
    lines += _features(found)
    lines += ["  selection:", f"    # {why_algorithms}", f"    algorithms: {_flow(algorithms)}"]
    lines += [f"    metric: {metric} # {why_metric}", "", "  search:", "    spaces: configs/search"]
    lines += [f"    trials: {trials} # {why_trials}", ""]
    if slices:
        lines += ["  evaluation:", f"    slices: {_values(slices)} # columns with few categories", ""]
    example = "{r2: 0.7, wmape: 20.0}" if found.target.task == "regression" else "{f1_macro: 0.7}"
    return [
        *lines,
        "  gate:",
        f"    metric: {metric}",
        "    # After the first run has shown what is normal, set the worst values that a model may have on held-out",
        f"    # rows, such as {example}. A model beyond them means that something upstream is broken.",
        "    limits: {}",
    ]


def _features(found: TableFound) -> list[str]:
    lines = []
    many = [column.name for column in found.inputs if _is_high(column)]
    if many:
        lines.append(f"    # More than {LEVELS} categories: they are replaced by the mean of the target.")
        lines.append(f"    target_encoding: {_values(many)}")
    counts = limits.cluster_counts(found.used)
    if found.places is not None and counts:
        lines += [
            "    clusters:",
            f"      columns: {_values(found.places)} # longitude and latitude",
            f"      counts: {_flow(counts)} # a hundred rows or more in each; the cross-validated error decides",
        ]
    return ["  features:", *lines, ""] if lines else []


def _is_high(column: ColumnFound) -> bool:
    return column.kind == "category" and not column.levels and column.distinct > LEVELS


def _values(items: Any) -> str:
    return _flow([str(item) for item in items])


class _OneLineDumper(yaml.SafeDumper):
    """A dumper that writes a text with line breaks on one line."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "'" if text.isdigit() else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style if text.isprintable() else '"')


_OneLineDumper.add_representer(str, _text)


def _value(item: Any) -> str:
    """One value as YAML on one line, with quotes if they are needed."""
    text = yaml.dump(
        item, Dumper=_OneLineDumper, default_flow_style=True, width=10**9, allow_unicode=True, sort_keys=False
    )
    return text.removesuffix("...\n").strip()


def _flow(item: Any) -> str:
    """A list or a mapping as YAML on one line, with whole numbers written without decimals."""
    return _value(_whole(item))


def _whole(item: Any) -> Any:
    if isinstance(item, dict):
        return {key: _whole(value) for key, value in item.items()}
    if isinstance(item, list):
        return [_whole(value) for value in item]
    return int(item) if isinstance(item, float) and item.is_integer() and abs(item) < 1e15 else item


def _one_line(text: str) -> str:
    """The text on one line: a comment may quote the table, and a table may contain line breaks."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
