import math
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from tabular.errors import UserError
from tabular.monitoring import exposition
from tabular.reports.training import Interval
from tabular.reports.verdicts import MonitoringFinding, Performance, ServiceTraffic, Verdict

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]

PERFORMANCE = Performance(
    rows=120,
    start="2026-11-20T00:00:00+00:00",
    end="2026-11-21T00:00:00+00:00",
    metric="wmape",
    metrics={"wmape": Interval(value=12.5, low=11.0, high=14.0)},
    held_out={"wmape": 10.0},
)
TRAFFIC = ServiceTraffic(
    requests=80,
    rows=100,
    p50_ms=0.5,
    p95_ms=2.0,
    p99_ms=None,
    rows_per_second=0.1,
    peak_requests=9,
    failed=3,
    fallback=2,
    refused=17,
    causes={"422 unknown_field": 17, "500 internal": 3},
)


def finding(
    subject: str = "rooms", kind: str = "distribution", value: float = 0.25, psi: float | None = 0.75
) -> MonitoringFinding:
    return MonitoringFinding.model_validate(
        {"kind": kind, "subject": subject, "level": "alert", "measure": "KS distance", "value": value, "psi": psi}
        | {"words": "the rooms have drifted"}
    )


def verdict(**changes: object) -> Verdict:
    found = Verdict(
        source="log",
        model="houses",
        version="3",
        start="2026-11-20T00:00:00+00:00",
        end="2026-11-21T00:00:00+00:00",
        rows=100,
        level="alert",
        reasons=["the rooms have drifted"],
        findings=[finding(), finding("p99", "latency", 900.0, None)],
        traffic=TRAFFIC,
        performance=PERFORMANCE,
        retrain=True,
        violations=2,
        windows=3,
    )
    return found.model_copy(update=changes)


def text(verdict: Verdict) -> str:
    return generate_latest(exposition.registry(verdict)).decode()


def series(text: str) -> Series:
    """By name and labels, without those that all of them have."""
    common = {("model", "houses"), ("version", "3"), ("source", "log")}
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            assert common <= set(sample.labels.items())
            found[sample.name, frozenset(sample.labels.items()) - common] = sample.value
    return found


def value(found: Series, name: str, **labels: str) -> float:
    return found[name, frozenset(labels.items())]


class TestText:
    def test_the_verdict_itself(self) -> None:
        # when
        found = series(text(verdict()))

        # then
        assert value(found, "stackhouse_monitor_level") == 2
        assert value(found, "stackhouse_monitor_rows") == 100
        assert value(found, "stackhouse_monitor_retrain") == 1
        assert value(found, "stackhouse_monitor_violations") == 2
        end = datetime(2026, 11, 21, tzinfo=UTC).timestamp()
        assert value(found, "stackhouse_monitor_window_end_timestamp_seconds") == end
        assert value(found, "stackhouse_monitor_window_start_timestamp_seconds") == end - 86400

    @pytest.mark.parametrize(("level", "number"), [("not_enough_data", -1), ("ok", 0), ("warn", 1)])
    def test_levels_are_numbers(self, level: str, number: int) -> None:
        assert value(series(text(verdict(level=level))), "stackhouse_monitor_level") == number

    def test_drift_is_of_columns_and_levels_are_of_all_findings(self) -> None:
        # when
        found = series(text(verdict()))

        # then
        drift = {"column": "rooms", "kind": "distribution"}
        assert value(found, "stackhouse_drift", **drift, measure="KS distance") == 0.25
        assert value(found, "stackhouse_drift_psi", **drift) == 0.75
        assert [name for name, _ in found].count("stackhouse_drift") == 1
        assert value(found, "stackhouse_monitor_finding_level", kind="latency", subject="p99") == 2

    def test_performance_comes_with_its_interval(self) -> None:
        # when
        found = series(text(verdict()))

        # then
        bounds = [value(found, "stackhouse_performance", metric="wmape", bound=end) for end in ("low", "value", "high")]
        assert bounds == [11.0, 12.5, 14.0]
        assert value(found, "stackhouse_performance_held_out", metric="wmape") == 10.0
        assert value(found, "stackhouse_performance_rows") == 120

    def test_the_service_is_told_of_in_base_units(self) -> None:
        # when
        found = series(text(verdict()))

        # then
        assert value(found, "stackhouse_monitor_latency_seconds", quantile="0.95") == 0.002
        assert ("stackhouse_monitor_latency_seconds", frozenset({("quantile", "0.99")})) not in found
        counts = {
            answer: value(found, "stackhouse_monitor_requests", answer=answer) for answer in ("predicted", "failed")
        }
        assert counts == {"predicted": 80, "failed": 3}
        assert value(found, "stackhouse_monitor_error_ratio") == 0.05
        assert value(found, "stackhouse_monitor_refused_ratio") == 0.17

    def test_what_a_verdict_does_not_have_is_left_out(self) -> None:
        # when: too few rows, and nobody asked
        nobody = TRAFFIC.model_copy(update={"requests": 0, "failed": 0, "fallback": 0, "refused": 0, "p50_ms": None})
        bare = verdict(findings=[], performance=None, traffic=nobody, level="not_enough_data")
        found = series(text(bare))

        # then
        names = {name for name, _ in found}
        assert not {"stackhouse_drift", "stackhouse_performance", "stackhouse_monitor_error_ratio"} & names
        assert not any(math.isnan(number) for number in found.values())

    def test_names_that_people_chose_are_escaped(self) -> None:
        # when
        found = series(text(verdict(findings=[finding('ro"oms\n\\')])))

        # then
        assert value(found, "stackhouse_drift_psi", column='ro"oms\n\\', kind="distribution") == 0.75


class TestTextfile:
    def test_a_file_is_replaced(self, tmp_path: Path) -> None:
        # given
        path = tmp_path / "houses.prom"
        exposition.write_textfile(str(path), verdict(rows=1))

        # when
        exposition.write_textfile(str(path), verdict())

        # then
        assert path.read_text() == text(verdict())
        assert list(tmp_path.iterdir()) == [path]

    def test_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match=r"^[^\n]*m.prom: cannot write it \(no such file or directory\); correct"):
            exposition.write_textfile(str(tmp_path / "none" / "m.prom"), verdict())


class _Gateway(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status: int | None = 200
        self.got: list[tuple[str, str, str]] = []
        self.is_over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: _Gateway

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        self.server.got.append((self.command, self.path, body))
        if self.server.status is None:
            self.server.is_over.wait(30)
            return
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def gateway() -> Iterator[_Gateway]:
    server = _Gateway()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.is_over.set()
    server.shutdown()
    thread.join()
    server.server_close()


class TestPush:
    def test_a_group_is_replaced(self, gateway: _Gateway) -> None:
        # when
        exposition.push(gateway.url, verdict())

        # then
        assert gateway.got == [("PUT", "/metrics/job/stackhouse_monitor/model/houses/source/log", text(verdict()))]

    def test_a_gateway_that_refuses(self, gateway: _Gateway) -> None:
        gateway.status = 400
        with pytest.raises(UserError, match=f"^{gateway.url}: cannot push the verdict \\(it answered 400\\); is the"):
            exposition.push(gateway.url, verdict())

    def test_a_gateway_that_hangs(self, gateway: _Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
        gateway.status = None
        monkeypatch.setattr(exposition, "SECONDS", 0.2)
        with pytest.raises(UserError, match="no answer within 0 seconds"):
            exposition.push(gateway.url, verdict())

    def test_no_gateway(self) -> None:
        with pytest.raises(UserError, match=r"^http://127.0.0.1:1: cannot push the verdict \(connection refused\)"):
            exposition.push("http://127.0.0.1:1", verdict())

    def test_a_password_in_an_address_is_not_said(self) -> None:
        with pytest.raises(UserError, match="cannot push the verdict") as raised:
            exposition.push("http://me:hidden@127.0.0.1:1", verdict())
        assert "hidden" not in str(raised.value)

    @pytest.mark.parametrize("address", ["", "http://", "ftp//x", "http://a:b"])
    def test_an_address_that_is_none(self, address: str) -> None:
        with pytest.raises(UserError, match="cannot push the verdict"):
            exposition.push(address, verdict())
