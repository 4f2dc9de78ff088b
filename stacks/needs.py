"""What a run on a stack needs from the environment, found out before any work."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from zenml.client import Client
from zenml.enums import StackComponentType
from zenml.models import ComponentResponse, StackResponse

from stacks.files import VARIABLE, StackFile
from tabular.config.offline import NO_KEY

REFERENCE = re.compile(r"\{\{\s*(?P<secret>[^.\s}]+)\.(?P<key>[^\s}]+)\s*\}\}")


def missing(stack: StackResponse, file: StackFile | None, environment: Mapping[str, str]) -> dict[str, str]:
    """Find the environment variables that a run on a stack needs and that are not set.

    What `apply` has stored in ZenML is not needed again. What remains are secrets that ZenML no longer has, and the
    variables that the clients of a cloud read themselves.

    Returns:
        The description of each missing variable, by its name.
    """
    found: dict[str, str] = {}
    for kind, components in stack.components.items():
        for component in components:
            found |= _lost_secrets(kind, component, file)
            if component.flavor_name == "wandb":
                found |= _wandb(component, environment)
            if component.connector is not None:
                continue
            if component.flavor_name in ("gcsfs", "gcp") and kind is StackComponentType.ARTIFACT_STORE:
                found |= _google(component)
            if component.flavor_name == "kubernetes" and kind is StackComponentType.ORCHESTRATOR:
                found |= _kubernetes(component, environment)
    return found


def _lost_secrets(kind: StackComponentType, component: ComponentResponse, file: StackFile | None) -> dict[str, str]:
    """The variables behind the secrets that the component refers to and that ZenML does not have."""
    lost: dict[str, str] = {}
    for setting, value in component.configuration.items():
        match = REFERENCE.fullmatch(value) if isinstance(value, str) else None
        if match is None or _secret(match) is not None:
            continue
        parts = file.components.get(kind, ()) if file else ()
        texts = [part.secrets[setting] for part in parts if part.name == component.name and setting in part.secrets]
        names = [match["name"] for text in texts for match in VARIABLE.finditer(text)]
        what = f"the {setting} of {kind.value} '{component.name}'; ZenML's secret '{match['secret']}' is gone"
        known = file.variables if file else {}
        lost |= {name: known.get(name, what) for name in names} or {setting.upper(): what}
    return lost


def _secret(reference: re.Match[str]) -> str | None:
    """The value that a reference such as `{{secret.key}}` stands for."""
    try:
        secret = Client().get_secret(reference["secret"], allow_partial_name_match=False)
    except KeyError:
        return None
    return secret.secret_values.get(reference["key"])


def _wandb(component: ComponentResponse, environment: Mapping[str, str]) -> dict[str, str]:
    match = REFERENCE.fullmatch(str(component.configuration.get("api_key", "")))
    key = _secret(match) if match else component.configuration.get("api_key")
    if environment.get("WANDB_MODE") != "online" or key != NO_KEY:
        return {}
    text = "your W&B key, from https://wandb.ai/authorize; then apply the stack again, or unset WANDB_MODE"
    return {"WANDB_API_KEY": text}


def _google(store: ComponentResponse) -> dict[str, str]:
    if store.configuration.get("anonymous") or store.configuration.get("authentication_secret"):
        return {}
    import google.auth
    from google.auth.exceptions import GoogleAuthError

    try:
        google.auth.default()
    except GoogleAuthError:
        text = "the key file of a Google service account; or run `gcloud auth application-default login`"
        return {"GOOGLE_APPLICATION_CREDENTIALS": text}
    return {}


def _kubernetes(orchestrator: ComponentResponse, environment: Mapping[str, str]) -> dict[str, str]:
    if orchestrator.configuration.get("incluster"):
        return {}
    files = environment.get("KUBECONFIG", "").split(os.pathsep)
    if any(Path(file).is_file() for file in files if file) or (Path.home() / ".kube" / "config").is_file():
        return {}
    context = orchestrator.configuration.get("kubernetes_context")
    return {"KUBECONFIG": f"a file that knows the cluster '{context}', such as `kubectl config view --raw` prints"}
