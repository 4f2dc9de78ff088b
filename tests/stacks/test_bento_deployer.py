"""The model deployer: real Bentos, each in a process of its own, on one port."""

import http.client
import json
import os
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import bentoml
import psutil
import pytest
from zenml.client import Client
from zenml.enums import StackComponentType as Kind

from stacks import files, local, registration
from stacks.bento_deployer import ServiceDown
from stacks.bento_deployment import active_deployer, find_bento, service_config
from stacks.bento_model_deployer import BentoModelDeployer
from stacks.bento_service import BentoService
from tabular.errors import UserError
from tests.support import bentos
from tests.support.ports import free_port
from tests.support.project import ROOT

PATIENCE = 60
"""Seconds for a service to come up, on a machine with much else to do."""


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The test session's BentoML store, with the tiny Bentos."""
    bentos.build(Path(os.environ["BENTOML_HOME"]), tmp_path_factory.mktemp("bentos"), *bentos.VERSIONS)


@pytest.fixture
def deployer(repository: Path, store: None) -> Iterator[BentoModelDeployer]:
    """The deployer of the `local` stack; what it started is stopped."""
    local.activate(repository)
    found = active_deployer()
    yield found
    for service in found.find_model_server():
        found.delete_model_server(service.uuid, timeout=PATIENCE, force=True)


def put(
    deployer: BentoModelDeployer, version: str, port: int, workers: int = 1, timeout: int = PATIENCE
) -> BentoService:
    config = service_config(find_bento(f"tiny:{version}"), "127.0.0.1", port, workers, "deploy", "deploy")
    return deployer.put(config, timeout)


def predict(port: int) -> float:
    """What a service makes of 1, over a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("POST", "/predict", json.dumps({"x": 1}), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        assert answer.status == 200
        return float(answer.read())
    finally:
        connection.close()


def processes(deployer: BentoModelDeployer) -> list[psutil.Process]:
    """The supervisors that a deployer has started and that still run."""
    found = [process for process in psutil.process_iter(["cmdline"]) if process.info["cmdline"]]
    return [process for process in found if deployer.local_path in " ".join(process.info["cmdline"])]


@pytest.mark.slow
def test_an_update_keeps_the_port_and_somebody_always_answers(deployer: BentoModelDeployer) -> None:
    # given: a service with two workers
    port = free_port()
    first = put(deployer, "one", port, workers=2)
    [supervisor] = processes(deployer)
    assert len(supervisor.children()) == 2
    assert predict(port) == 2

    # when: it is asked without a pause while its successor takes over
    answers: Counter[float] = Counter()
    failures: list[Exception] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            try:
                answers[predict(port)] += 1
            except Exception as error:
                failures.append(getattr(error, "reason", error))

    asking = [threading.Thread(target=ask) for _ in range(4)]
    for thread in asking:
        thread.start()
    try:
        second = put(deployer, "two", port)
    finally:
        done.set()
        for thread in asking:
            thread.join()

    # then: but for a connection that still waited in the old one's queue when that was closed, nothing failed
    assert [error for error in failures if not isinstance(error, ConnectionResetError)] == []
    assert len(failures) <= max(1, sum(answers.values()) // 1000)
    assert set(answers) == {2, 3}
    assert predict(port) == 3
    assert not supervisor.is_running()
    assert [service.uuid for service in deployer.services(port)] == [second.uuid] != [first.uuid]
    assert second.config.port == first.config.port == port
    info = deployer.get_model_server_info(second)
    assert (info["BENTO_TAG"], info["PREDICTION_URL"]) == ("tiny:two", f"http://127.0.0.1:{port}/")

    # when: the same is asked for again
    again = put(deployer, "two", port)

    # then
    assert again.uuid == second.uuid and again.status.pid == second.status.pid


@pytest.mark.slow
def test_a_bento_that_fails_at_import_is_an_error_and_the_old_one_stays(deployer: BentoModelDeployer) -> None:
    # given
    port = free_port()
    first = put(deployer, "one", port)
    [supervisor] = processes(deployer)

    # when
    says = f"tiny:import-fails on port {port} has ended instead of answering.*AssertionError: no such library here"
    with pytest.raises(ServiceDown, match=f"(?s)the service of {says}"):
        put(deployer, "import-fails", port)

    # then: no process, no record and no file is left of it, and the old one answers
    assert processes(deployer) == [supervisor]
    assert [service.uuid for service in deployer.services(port)] == [first.uuid]
    assert [folder.name for folder in Path(deployer.local_path).iterdir()] == [str(first.uuid)]
    assert predict(port) == 2


@pytest.mark.slow
def test_a_service_whose_workers_fail_is_an_error_in_time(deployer: BentoModelDeployer) -> None:
    # given
    port = free_port()

    # when: BentoML starts its worker again and again
    says = f"tiny:worker-fails on port {port} did not answer within 8 s.*ValueError: no such model here"
    with pytest.raises(ServiceDown, match=f"(?s)the service of {says}"):
        put(deployer, "worker-fails", port, timeout=8)

    # then
    assert processes(deployer) == []
    assert deployer.services(port) == []


@pytest.mark.slow
def test_a_stopped_service_is_known_and_starts_again(deployer: BentoModelDeployer) -> None:
    # given
    port = free_port()
    service = put(deployer, "one", port)

    # when
    deployer.stop_model_server(service.uuid, timeout=PATIENCE)

    # then
    assert processes(deployer) == []
    assert [known.is_running for known in deployer.services(port)] == [False]

    # when
    deployer.start_model_server(service.uuid, timeout=PATIENCE)

    # then
    assert predict(port) == 2

    # when: its supervisor dies
    [supervisor] = processes(deployer)
    family = [supervisor, *supervisor.children()]
    for process in family:
        process.kill()
    psutil.wait_procs(family, timeout=PATIENCE)

    # then: what is asked for is started, though ZenML has a record that is just like it
    assert put(deployer, "one", port).uuid != service.uuid
    assert predict(port) == 2


def test_a_port_of_another_program_is_refused(deployer: BentoModelDeployer) -> None:
    # given
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = int(other.getsockname()[1])

        # then
        with pytest.raises(ServiceDown, match=f"port {port} cannot be used: Address already in use"):
            put(deployer, "one", port)
    assert processes(deployer) == []
    assert deployer.services(port) == []


def test_a_bento_is_found_by_its_tag(store: None) -> None:
    assert str(find_bento("tiny:one").tag) == "tiny:one"
    assert str(find_bento("tiny").tag) == str(find_bento("latest").tag) == f"tiny:{list(bentos.VERSIONS)[-1]}"
    for tag in ("tiny:none", "huge", "not a tag"):
        with pytest.raises(UserError, match=f"there is no Bento '{tag}'; the newest are tiny:worker-fails, tiny:"):
            find_bento(tag)


def test_an_empty_store_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    monkeypatch.setattr(bentoml.bentos, "list", list)

    # then
    with pytest.raises(UserError, match="there is no Bento in BentoML's store; a training run builds one"):
        find_bento("latest")


def test_a_stack_without_the_deployer_says_what_to_do(repository: Path) -> None:
    # given: ZenML's own stack
    with pytest.raises(UserError, match="'default' has no model deployer.*`python run.py stacks apply local`"):
        active_deployer()


def test_apply_adds_the_deployer_to_a_stack_of_before(repository: Path) -> None:
    # given: a `local` stack that was made when it had no deployer
    stack = files.read(ROOT, "local")
    before = stack.model_copy(
        update={"components": {kind: parts for kind, parts in stack.components.items() if kind != "model_deployer"}}
    )
    registration.apply("local", before)
    assert Kind.MODEL_DEPLOYER not in Client().get_stack("local").components

    # when
    changes = {change.what: change.action for change in registration.apply("local", stack) if change.action != "keep"}

    # then
    assert changes == {
        "flavor 'bento'": "register",
        "model_deployer 'local_bento'": "register",
        "stack 'local'": "update",
    }
    assert [part.flavor_name for part in Client().get_stack("local").components[Kind.MODEL_DEPLOYER]] == ["bento"]
