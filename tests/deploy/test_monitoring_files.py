"""What Grafana and Prometheus are given asks only for what the service and the monitor say."""

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from service.metrics import Metrics
from tabular.bundles.encoding import Notes
from tabular.monitoring import exposition
from tabular.prediction_log.writer import PredictionLog
from tests.support.project import ROOT
from tests.support.verdicts import found, performance, traffic, verdict

DEPLOY = ROOT / "deploy"
SCRAPED = {"job", "instance"}
"""Labels that Prometheus adds."""
Queries = list[tuple[str, str]]


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DEPLOY / "grafana" / "stackhouse.json").read_text())
    return found


def rules() -> list[dict[str, Any]]:
    content = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())
    return [rule for group in content["groups"] for rule in group["rules"]]


def queries() -> Queries:
    """Every query, and the text that its labels are shown in."""
    panels = [
        (target["expr"], target["legendFormat"])
        for panel in dashboard()["panels"]
        for target in panel.get("targets", ())
    ]
    variables = [(one["definition"], "") for one in dashboard()["templating"]["list"] if one["type"] == "query"]
    shown = [(rule["expr"], "".join(rule["annotations"].values()).replace("$labels.", "")) for rule in rules()]
    return panels + variables + shown


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The labels of each metric that there is, the service's and the monitor's."""
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    metrics.predicted("1", "/predict", 1, 0.1)
    metrics.answered("/predict", 200)
    metrics.noticed(Notes({"rooms": 1}, {"rooms": 1}, {"rooms": 1}))
    metrics.refused("rooms", "invalid_type")
    metrics.fell_back("failed", 1)
    metrics.logged(PredictionLog(str(tmp_path_factory.mktemp("log"))))
    metrics.serving("houses", "1")
    full = verdict(1, found("rooms", 0.25, "alert", psi=0.75), traffic=traffic(), performance=performance())
    families = [*registry.collect(), *exposition.registry(full).collect()]
    return {sample.name: set(sample.labels) for family in families for sample in family.samples}


def test_there_are_queries() -> None:
    assert len(queries()) > 30


@pytest.mark.parametrize(("query", "shown"), queries())
def test_a_query_names_metrics_and_labels_that_there_are(query: str, shown: str, known: dict[str, set[str]]) -> None:
    # when
    names = set(re.findall(r"\bstackhouse_\w+", re.sub(r'"[^"]*"', '""', query)))
    grouped = [part for group in re.findall(r"\b(?:by|on) \(([^)]*)\)", query) for part in group.split(", ")]
    labels = {*grouped, *re.findall(r"(\w+)\s*(?:=~|!=|!~|=)\s*\"", query), *re.findall(r"{{\s*(\w+)", shown)}
    if query.startswith("label_values"):
        labels.add(query.rstrip(")").rpartition(", ")[2])

    # then
    assert names or "up" in query
    assert names <= known.keys()
    assert labels <= SCRAPED.union(*(known[name] for name in names))


def test_every_metric_of_the_service_is_somewhere_in_the_dashboard(known: dict[str, set[str]]) -> None:
    # when
    asked = "".join(query for query, _ in queries())
    unseen = {name for name in known if name not in asked and not name.endswith(("_created", "_sum", "_count"))}

    # then
    assert unseen == {"stackhouse_monitor_violations", "stackhouse_monitor_window_start_timestamp_seconds"}


def test_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    # when
    panels = dashboard()["panels"]
    ids = [panel["id"] for panel in panels]
    places = [(panel["title"], panel["gridPos"]) for panel in panels]

    # then
    assert len(set(ids)) == len(ids)
    assert all(place["x"] + place["w"] <= 24 for _, place in places)
    assert not [(a, b) for (a, one), (b, other) in combinations(places, 2) if _overlap(one, other)]


def test_panels_take_the_source_that_is_chosen_and_say_what_they_show() -> None:
    for panel in dashboard()["panels"]:
        if panel["type"] != "row":
            assert {source["datasource"]["uid"] for source in [panel, *panel["targets"]]} == {"${datasource}"}
            assert panel["description"]


def test_rules_have_names_of_their_own_and_say_what_to_do() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names)
    assert all(rule["annotations"].keys() == {"summary", "description"} for rule in rules())
    assert all(rule["labels"]["severity"] in ("critical", "warning") for rule in rules())


def test_prometheus_reads_the_rules_and_scrapes_the_job_that_they_name() -> None:
    # when
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    jobs = {job["job_name"]: job for job in config["scrape_configs"]}

    # then
    assert [Path(name).name for name in config["rule_files"]] == ["alerts.yml"]
    assert {name for rule in rules() for name in re.findall(r'job="(\w+)"', rule["expr"])} <= jobs.keys()
    assert jobs["stackhouse"]["static_configs"] == [{"targets": ["localhost:3000"]}]
    assert jobs["pushgateway"]["honor_labels"]  # or the labels of a verdict would be renamed


def _overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return all(
        one[place] < other[place] + other[size] and other[place] < one[place] + one[size]
        for place, size in (("x", "w"), ("y", "h"))
    )
