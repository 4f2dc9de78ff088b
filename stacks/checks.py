"""Checks that reach every component of a stack: all components at the same time, each within seconds."""

import base64
import functools
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
from typing import Any, Literal, NoReturn, cast

from zenml.artifact_stores import BaseArtifactStore
from zenml.client import Client
from zenml.enums import StackComponentType as Kind
from zenml.models import ComponentResponse, StackResponse
from zenml.stack import StackComponent

from stacks import registration
from stacks.files import StackFile
from tabular.config.offline import is_offline
from tabular.errors import one_line

SECONDS = 6.0
"""The time that all checks together may take."""
ANSWER = 5.0
"""Seconds within which a server must answer."""
LONGEST = 300
"""Characters that are shown of an error."""
WANDB_KEY = re.compile(r"(\w+-)*\w{40,}")


@dataclass(frozen=True)
class ComponentState:
    """The result of checking one component of a stack."""

    what: str
    """Kind and name of the component, such as `artifact_store 'gcs_emulated'`."""
    state: Literal["ok", "fails", "unchecked"]
    text: str
    """What answered, or what is wrong and how to mend it."""


class CheckFailed(Exception):
    """The component does not work; the message says why."""


class Unchecked(Exception):
    """The component cannot be checked; the message says why."""


def check(stack: StackResponse, file: StackFile | None, only_remote: bool = False) -> list[ComponentState]:
    """Check the components of a stack at the same time.

    Args:
        file: the stack's file, which names the requirements to install when a package is missing; None if it has none.
        only_remote: leave out components on this machine, and those that cannot be checked, as a run does beforehand.
    """
    requirements = file.requirements if file else "requirements-cloud.txt"
    jobs: dict[str, Callable[[], str]] = {}
    tracker: StackComponent | None = None
    # The registry comes last, because it is a part of the tracker's server.
    for kind, models in sorted(stack.components.items(), key=lambda item: item[0] is Kind.MODEL_REGISTRY):
        for model in models:
            what = f"{kind.value} '{model.name}'"
            try:
                registration.load_flavor(kind, model.flavor_name, requirements)
                component = StackComponent.from_model(model)
                local = component.config.is_local
            except Exception as error:  # a flavor's own code may raise anything
                jobs[what] = functools.partial(_raise, error)
                continue
            if kind is Kind.EXPERIMENT_TRACKER and tracker is None:
                tracker = component
            if kind is Kind.MODEL_REGISTRY and tracker is not None:
                component, local = tracker, tracker.config.is_local
            if not (only_remote and local):
                jobs[what] = functools.partial(_check_of(kind, model.flavor_name), component)
    if _is_database_out_of_reach(stack.components):
        text = (
            "its database lies on this machine, out of the orchestrator's reach; `zenml login URL` connects to a server"
        )
        jobs["ZenML"] = functools.partial(_raise, CheckFailed(text))
    found = _side_by_side(jobs)
    return [one for one in found if not (only_remote and one.state == "unchecked")]


def ask(address: str, headers: Mapping[str, str], body: bytes | None = None) -> tuple[int, bytes]:
    """Send an HTTP request, and return the status and the body of the response, also where the status is an error.

    Raises:
        CheckFailed: nothing answers at the address.
    """
    request = urllib.request.Request(address, data=body, headers=dict(headers))
    try:
        with urllib.request.urlopen(request, timeout=ANSWER) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        server = "/".join(address.split("/")[:3])
        raise CheckFailed(f"cannot reach {server}: {getattr(reason, 'strerror', None) or reason}") from None


def _side_by_side(jobs: Mapping[str, Callable[[], str]]) -> list[ComponentState]:
    """Run the checks in daemon threads, which never delay the exit; a check that has not ended in time has failed."""
    found: dict[str, ComponentState] = {}

    def work(what: str, job: Callable[[], str]) -> None:
        try:
            found[what] = ComponentState(what, "ok", job())
        except Unchecked as error:
            found[what] = ComponentState(what, "unchecked", str(error))
        except Exception as error:  # every client has its own family of exceptions
            found[what] = ComponentState(what, "fails", _in_one_line(error))

    threads = [threading.Thread(target=work, args=job, daemon=True) for job in jobs.items()]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    late = f"no answer within {SECONDS:.0f} seconds"
    return [found.get(what, ComponentState(what, "fails", late)) for what in jobs]


def _check_of(kind: Kind, flavor: str) -> Callable[[StackComponent], str]:
    if kind is Kind.ARTIFACT_STORE:
        return _artifact_store
    return CHECKS.get((kind, flavor), _container_registry if kind is Kind.CONTAINER_REGISTRY else _nothing)


def _is_database_out_of_reach(components: Mapping[Kind, list[ComponentResponse]]) -> bool:
    """Whether the steps run on another machine and ZenML's own database is a file on this one."""
    [orchestrator, *_] = components[Kind.ORCHESTRATOR]
    return Client().zen_store.is_local_store() and orchestrator.flavor_name not in ("local", "local_docker")


def _raise(error: Exception) -> NoReturn:
    raise error


def _nothing(component: StackComponent) -> str:
    if component.config.is_local:
        return "on this machine"
    raise Unchecked("there is no check for it")


def _artifact_store(component: StackComponent) -> str:
    """Write, read and delete a small object."""
    store = cast(BaseArtifactStore, component)
    content = uuid.uuid4().hex.encode()
    path = os.path.join(store.path, f".stackhouse-check-{content.decode()}")
    if store.config.is_local:
        store.makedirs(store.path)
    with store.open(path, "wb") as file:
        file.write(content)
    try:
        with store.open(path, "rb") as file:
            if file.read() != content:
                raise CheckFailed(f"{store.path} returns other bytes than were written")
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
        status, _ = ask(f"{address.rstrip('/')}/api/2.0/mlflow/{what}/search?max_results=1", headers)
        if status in (401, 403):
            raise CheckFailed(f"{address} refuses the login ({status}); correct it in the environment and apply again")
        if status != 200:
            raise CheckFailed(f"{address} answered {status} and not as an MLflow server does; correct the address")
    return f"{address}: experiments and models answer"


def _wandb(tracker: StackComponent) -> str:
    key = str(cast(Any, tracker.config).api_key)
    if is_offline(key, os.environ):
        return "offline: runs are left in the folder wandb/ for `wandb sync`"
    if not WANDB_KEY.fullmatch(key):
        raise CheckFailed("WANDB_API_KEY does not look like a key: it has at least 40 letters and digits")
    server = os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai").rstrip("/")
    query = json.dumps({"query": "query Viewer { viewer { username } }"}).encode()
    headers = {"Authorization": _basic("api", key), "Content-Type": "application/json"}
    status, body = ask(f"{server}/graphql", headers, query)
    viewer = json.loads(body).get("data", {}).get("viewer") if status == 200 else None
    if not viewer:
        raise CheckFailed(f"{server} does not accept WANDB_API_KEY (it answered {status}); correct it and apply again")
    return f"{server}: logged in as {viewer.get('username')}"


def _kubernetes(orchestrator: StackComponent) -> str:
    from kubernetes import client

    config: Any = orchestrator.config
    version = client.VersionApi(cast(Any, orchestrator).get_kube_client()).get_code(_request_timeout=ANSWER)
    return f"context {config.kubernetes_context}: Kubernetes {version.git_version}"


def _vertex(orchestrator: StackComponent) -> str:
    address = f"https://{cast(Any, orchestrator.config).location}-aiplatform.googleapis.com"
    ask(address, {})
    return f"{address}: answers"


def _container_registry(registry: StackComponent) -> str:
    host = str(cast(Any, registry.config).uri).removeprefix("https://").split("/")[0]
    status, _ = ask(f"https://{host}/v2/", {})
    return f"{host}: answers ({status})"


def _docker(_: StackComponent) -> str:
    import docker

    try:
        docker.from_env(timeout=int(ANSWER)).ping()
    except docker.errors.DockerException:
        raise CheckFailed("no Docker engine answers on this machine, and it builds the images; start Docker") from None
    return "Docker answers"


CHECKS: dict[tuple[Kind, str], Callable[[StackComponent], str]] = {
    (Kind.EXPERIMENT_TRACKER, "mlflow"): _mlflow,
    (Kind.EXPERIMENT_TRACKER, "wandb"): _wandb,
    (Kind.MODEL_REGISTRY, "mlflow"): _mlflow,
    (Kind.ORCHESTRATOR, "kubernetes"): _kubernetes,
    (Kind.ORCHESTRATOR, "vertex"): _vertex,
    (Kind.IMAGE_BUILDER, "local"): _docker,
}
"""The check by kind and flavor; all artifact stores are checked in one way, and so are all container registries."""


def _basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def _in_one_line(error: Exception) -> str:
    """The error in one line of readable length, with its type if it is not an error of this project."""
    text = one_line(error)
    if type(error).__module__.partition(".")[0] not in ("stacks", "tabular"):
        text = f"{type(error).__name__}: {text}"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
