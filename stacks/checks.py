"""Whether the components of a stack can be reached: all at once, and each within seconds."""

import base64
import json
import os
import re
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from zenml.artifact_stores import BaseArtifactStore
from zenml.client import Client
from zenml.enums import StackComponentType as Kind
from zenml.models import ComponentResponse, StackResponse
from zenml.stack import StackComponent

from stacks import registration
from tabular.config.offline import is_offline
from tabular.errors import one_line

SECONDS = 6.0
"""How long all checks together may take."""
ANSWER = 5.0
"""How long one server may take to answer, in seconds."""
WANDB_KEY = re.compile(r"(\w+-)*\w{40,}")


@dataclass(frozen=True)
class Finding:
    """What a check found."""

    what: str
    """Such as `artifact_store 'gcs_emulated'`."""
    state: Literal["ok", "fails", "unchecked"]
    text: str
    """What answered, or what is wrong and what to do."""


class Failing(Exception):
    """A component does not do what it is for; the message says why."""


def check(stack: StackResponse, requirements: str, only_remote: bool = False) -> list[Finding]:
    """Check every component of a stack, side by side.

    Args:
        stack: as registered.
        requirements: the file to install when a package is missing.
        only_remote: leave out what lies on this machine and what has no check: this is how a run makes sure.
    """
    models = {kind: list(parts) for kind, parts in stack.components.items()}
    jobs: list[tuple[str, Callable[[], str] | Finding]] = []
    tracker: StackComponent | None = None
    for kind in sorted(models, key=lambda kind: kind is Kind.MODEL_REGISTRY):  # the registry lies with the tracker
        for model in models[kind]:
            what = f"{kind.value} '{model.name}'"
            try:
                registration.load_flavor(kind, model.flavor_name, requirements)
                component = StackComponent.from_model(model)
                local = component.config.is_local
            except Exception as error:  # a flavor's own code may raise anything
                jobs.append((what, Finding(what, "fails", _line(error))))
                continue
            if kind is Kind.EXPERIMENT_TRACKER and tracker is None:
                tracker = component
            if kind is Kind.MODEL_REGISTRY and tracker is not None:
                component, local = tracker, tracker.config.is_local
            if not (only_remote and local):
                jobs.append((what, _job(model, component, what)))
    if finding := _database(models):
        jobs.append((finding.what, finding))
    found = _side_by_side(jobs)
    return [finding for finding in found if not (only_remote and finding.state == "unchecked")]


def _job(model: ComponentResponse, component: StackComponent, what: str) -> Callable[[], str] | Finding:
    kind = Kind(model.type)
    if kind is Kind.ARTIFACT_STORE:
        return lambda: _artifact_store(cast(BaseArtifactStore, component))
    found = CHECKS.get((kind, model.flavor_name))
    if found is None and kind is Kind.CONTAINER_REGISTRY:
        found = _container_registry
    if found is None:
        here = component.config.is_local
        return Finding(what, "ok" if here else "unchecked", "on this machine" if here else "there is no check for it")
    return lambda: found(component)


def _side_by_side(jobs: list[tuple[str, Callable[[], str] | Finding]]) -> list[Finding]:
    """Run the checks in daemon threads, which never delay the exit; what has not ended in time has failed."""
    found: dict[str, Finding] = {}

    def work(what: str, job: Callable[[], str]) -> None:
        try:
            found[what] = Finding(what, "ok", job())
        except Exception as error:  # every client has its own family of exceptions
            found[what] = Finding(what, "fails", _line(error))

    threads: list[threading.Thread] = []
    for what, job in jobs:
        if isinstance(job, Finding):
            found[what] = job
        else:
            threads.append(threading.Thread(target=work, args=(what, job), daemon=True))
            threads[-1].start()
    deadline = time.monotonic() + SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    late = f"no answer within {SECONDS:.0f} seconds"
    return [found.get(what, Finding(what, "fails", late)) for what, _ in jobs]


def _database(models: Mapping[Kind, list[ComponentResponse]]) -> Finding | None:
    """ZenML's own store, where the steps run on another machine and cannot reach it."""
    [orchestrator, *_] = models[Kind.ORCHESTRATOR]
    if not Client().zen_store.is_local_store() or orchestrator.flavor_name in ("local", "local_docker"):
        return None
    text = "its database lies on this machine, out of the orchestrator's reach; `zenml login URL` connects to a server"
    return Finding("ZenML", "fails", text)


def _artifact_store(store: BaseArtifactStore) -> str:
    """Write, read and delete a small object."""
    content = uuid.uuid4().hex.encode()
    path = os.path.join(store.path, f".stackhouse-check-{content.decode()}")
    if store.config.is_local:
        store.makedirs(store.path)
    with store.open(path, "wb") as file:
        file.write(content)
    try:
        with store.open(path, "rb") as file:
            if file.read() != content:
                raise Failing(f"{store.path} returns other bytes than were written")
    finally:
        store.remove(path)
    return f"{store.path}: wrote, read and deleted an object"


def _mlflow(tracker: StackComponent) -> str:
    config: Any = tracker.config
    address = str(cast(Any, tracker).get_tracking_uri())
    if not address.startswith(("http://", "https://")):
        from mlflow import MlflowClient

        MlflowClient(address, address).search_experiments(max_results=1)
        return f"{address}: opened"
    headers = {}
    if config.tracking_token:
        headers["Authorization"] = f"Bearer {config.tracking_token}"
    elif config.tracking_username:
        headers["Authorization"] = _basic(config.tracking_username, config.tracking_password)
    for what in ("experiments", "registered-models"):
        status, _ = _ask(f"{address.rstrip('/')}/api/2.0/mlflow/{what}/search?max_results=1", headers)
        if status in (401, 403):
            raise Failing(f"{address} refuses the login ({status}); correct it in the environment and apply again")
        if status != 200:
            raise Failing(f"{address} answered {status} and not as an MLflow server does; correct the address")
    return f"{address}: experiments and models answer"


def _wandb(tracker: StackComponent) -> str:
    key = str(cast(Any, tracker.config).api_key)
    if is_offline(key, os.environ):
        return "offline: runs are left in the folder wandb/ for `wandb sync`"
    if not WANDB_KEY.fullmatch(key):
        raise Failing("WANDB_API_KEY does not look like a key: it has at least 40 letters and digits")
    server = os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai").rstrip("/")
    query = json.dumps({"query": "query Viewer { viewer { username } }"}).encode()
    headers = {"Authorization": _basic("api", key), "Content-Type": "application/json"}
    status, body = _ask(f"{server}/graphql", headers, query)
    viewer = json.loads(body).get("data", {}).get("viewer") if status == 200 else None
    if not viewer:
        raise Failing(f"{server} does not accept WANDB_API_KEY (it answered {status}); correct it and apply again")
    return f"{server}: logged in as {viewer.get('username')}"


def _kubernetes(orchestrator: StackComponent) -> str:
    from kubernetes import client

    config: Any = orchestrator.config
    version = client.VersionApi(cast(Any, orchestrator).get_kube_client()).get_code(_request_timeout=ANSWER)
    return f"context {config.kubernetes_context}: Kubernetes {version.git_version}"


def _vertex(orchestrator: StackComponent) -> str:
    config: Any = orchestrator.config
    address = f"https://{config.location}-aiplatform.googleapis.com"
    _ask(address, {})
    return f"{address}: answers"


def _container_registry(registry: StackComponent) -> str:
    config: Any = registry.config
    host = str(config.uri).removeprefix("https://").split("/")[0]
    status, _ = _ask(f"https://{host}/v2/", {})
    return f"{host}: answers ({status})"


def _docker(_: StackComponent) -> str:
    import docker

    try:
        docker.from_env(timeout=int(ANSWER)).ping()
    except docker.errors.DockerException:
        raise Failing("no Docker engine answers on this machine, and it builds the images; start Docker") from None
    return "Docker answers"


CHECKS: dict[tuple[Kind, str], Callable[[StackComponent], str]] = {
    (Kind.EXPERIMENT_TRACKER, "mlflow"): _mlflow,
    (Kind.EXPERIMENT_TRACKER, "wandb"): _wandb,
    (Kind.MODEL_REGISTRY, "mlflow"): _mlflow,
    (Kind.ORCHESTRATOR, "kubernetes"): _kubernetes,
    (Kind.ORCHESTRATOR, "vertex"): _vertex,
    (Kind.IMAGE_BUILDER, "local"): _docker,
}
"""How to check, by kind and flavor; artifact stores and container registries are checked alike whatever the flavor."""


def _ask(address: str, headers: Mapping[str, str], body: bytes | None = None) -> tuple[int, bytes]:
    """Status and body of an HTTP answer; an error status is an answer too."""
    request = urllib.request.Request(address, data=body, headers=dict(headers))
    try:
        with urllib.request.urlopen(request, timeout=ANSWER) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        server = "/".join(address.split("/")[:3])
        raise Failing(f"cannot reach {server}: {getattr(reason, 'strerror', None) or reason}") from None


def _basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def _line(error: Exception) -> str:
    """The error in one line of readable length, with its type where the message alone says little."""
    text = one_line(error)
    if type(error).__module__.partition(".")[0] not in ("stacks", "tabular"):
        text = f"{type(error).__name__}: {text}"
    return text if len(text) <= 300 else f"{text[:297]}..."
