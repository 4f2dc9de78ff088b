"""The module that BentoML imports: its settings, the model of a Bento, and the way of a request."""

import gc
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import click
import pytest
import uvicorn
import uvicorn.config
from bentoml.exceptions import BentoMLException

from service.connections import Connection
from service.service import Stackhouse, StoredModel, Worker
from tests.support.bundles import make_bundle
from tests.support.clients import asked


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    """A worker over a bundle in a folder, in place of one in BentoML's store."""
    make_bundle(tmp_path / "bundle")
    monkeypatch.setattr(Worker, "model", SimpleNamespace(path=tmp_path / "bundle"))
    monkeypatch.setenv("STACKHOUSE_CACHE", str(tmp_path / "cache"))
    interval = sys.getswitchinterval()
    worker = Stackhouse()
    yield worker
    worker.stop()
    sys.setswitchinterval(interval)
    gc.unfreeze()


def test_a_wrong_setting_is_reported_when_the_service_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    monkeypatch.setenv("STACKHOUSE_WORKERS", "none")

    # when
    with pytest.raises(BentoMLException) as refused:
        Stackhouse.inject_config()

    # then
    said = str(refused.value)
    assert "'workers'" in said and "'none'" in said and "\n" not in said


def test_the_number_of_workers_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    monkeypatch.setenv("STACKHOUSE_WORKERS", "3")

    # when
    Stackhouse.inject_config()

    # then
    assert Stackhouse.config["workers"] == 3


@pytest.mark.parametrize(
    ("keys", "given", "container", "usual", "said"),
    [
        ("", None, False, "127.0.0.1", None),
        ("", "127.0.0.1", False, "127.0.0.1", None),
        ("", "::1", False, "127.0.0.1", None),
        ("", "0.0.0.0", False, "127.0.0.1", "0.0.0.0"),
        ("", "::", False, "127.0.0.1", "::"),
        ("", "192.0.2.7", False, "127.0.0.1", "192.0.2.7"),
        ("", None, True, "0.0.0.0", "0.0.0.0"),
        ("", "127.0.0.1", True, "0.0.0.0", None),
        ("secret", None, False, None, None),
        ("secret", "0.0.0.0", True, None, None),
    ],
)
def test_without_keys_the_service_is_for_this_machine_or_says_that_it_is_open(
    keys: str,
    given: str | None,
    container: bool,
    usual: str | None,
    said: str | None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # given
    monkeypatch.setenv("STACKHOUSE_API_KEYS", keys)
    monkeypatch.delitem(Stackhouse.config, "http", raising=False)
    if container:
        monkeypatch.setenv("BENTOML_CONTAINERIZED", "true")
    with click.Context(click.Command("serve")) as context:
        context.params = {"host": given}

        # when
        Stackhouse.inject_config()

    # then: the host that BentoML uses where the command line names none, and at most one line
    assert Stackhouse.config.get("http", {}).get("host") == usual
    lines = [record.getMessage() for record in caplog.records if record.name == Stackhouse.inner.__module__]
    assert len(lines) == (said is not None)
    assert all(said in line and "STACKHOUSE_API_KEYS" in line and "\n" not in line for line in lines if said)


def test_a_bento_serves_the_model_that_it_was_built_with(monkeypatch: pytest.MonkeyPatch) -> None:
    # given: the description of a Bento, and the model that the service would take otherwise
    monkeypatch.setattr(Worker, "model", StoredModel("stackhouse:latest"))
    monkeypatch.setattr(Stackhouse, "models", [Worker.model])
    built = SimpleNamespace(name="stackhouse", models=[SimpleNamespace(tag="stackhouse:7-abc", metadata={})])

    # when
    Stackhouse.on_load_bento(SimpleNamespace(info=SimpleNamespace(services=[built])))  # type: ignore[arg-type]

    # then
    assert str(Worker.model.tag) == "stackhouse:7-abc"
    assert [str(model.tag) for model in Stackhouse.models] == ["stackhouse:7-abc"]


def test_the_server_that_bentoml_starts_has_our_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    # given: somebody's variable for uvicorn, which would trust every client
    monkeypatch.setitem(uvicorn.config.HTTP_PROTOCOLS, "auto", "")
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")

    # when: the application is built, and then the server, as BentoML's worker does it
    config = uvicorn.Config(Stackhouse.to_asgi(), log_config=None, server_header=False)
    config.load()

    # then
    assert config.http_protocol_class is Connection
    assert config.forwarded_allow_ips == ""


@pytest.mark.usefixtures("worker")
def test_requests_go_to_the_application_and_bentomls_own_routes_to_bentoml() -> None:
    # given
    app = Stackhouse.to_asgi()

    # when
    ours, live, style = (asked(app, "GET", path) for path in ("/health", "/livez", "/static_content/swagger-ui.css"))

    # then
    assert (ours.status_code, ours.json()["source"]) == (200, "bento")
    assert (live.status_code, style.status_code) == (200, 200)
    assert {answer.headers["x-frame-options"] for answer in (ours, live, style)} == {"DENY"}
