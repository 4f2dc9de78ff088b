"""The W&B account of the active stack, and sessions of W&B's client that open within seconds or fail in one line."""

import base64
import http.client
import json
import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from zenml.client import Client

from tabular.config.offline import MODES, NO_KEY
from tabular.errors import UserError, one_line

INSTEAD = "or set search.backend: optuna, which needs no account"
QUIET = {
    "WANDB_SILENT": "true",
    "WANDB_CONSOLE": "off",
    "WANDB_DISABLE_CODE": "true",
    "WANDB_DISABLE_GIT": "true",
    "WANDB__DISABLE_STATS": "true",
    # Timeouts of W&B's client in seconds; by default it waits for minutes.
    "WANDB_HTTP_TIMEOUT": "10",
    "WANDB_INIT_TIMEOUT": "30",
    "WANDB_FINISH_TIMEOUT": "60",
    "WANDB_FINISH_TIMEOUT_RAISES": "true",
    "WANDB__GRAPHQL_RETRY_MAX": "4",
    "WANDB__FILE_STREAM_RETRY_MAX": "4",
    "WANDB__FILE_TRANSFER_RETRY_MAX": "4",
    # Seconds between two transmissions of rungs; the agent asks as often whether the trial is to end.
    "WANDB__FILE_STREAM_TRANSMIT_INTERVAL": "5",
}
"""Settings of W&B's client during a search; settings in the environment take precedence."""


@dataclass(frozen=True)
class Account:
    """The place of a sweep on W&B's server, and the API key."""

    entity: str | None
    project: str | None
    key: str = field(repr=False)


def account() -> Account:
    """The account of the active stack's W&B tracker.

    Raises:
        UserError: the stack has no W&B tracker.
    """
    for tracker in Client().active_stack.experiment_trackers.values():
        if tracker.flavor == "wandb":
            config: Any = tracker.config
            return Account(config.entity, config.project_name, config.api_key)
    raise UserError(f"search.backend: wandb needs a W&B tracker in the active stack: add one, {INSTEAD}")


def require_online(backend: str) -> None:
    """Refuse a search on W&B's server if that cannot work.

    Args:
        backend: the run configuration's `search.backend`.

    Raises:
        UserError: the stack has no W&B tracker or none with a key, or W&B is set to work offline.
    """
    if backend != "wandb":
        return
    key, mode = account().key, os.environ.get("WANDB_MODE", "online")
    if len(key) < 40 or key == NO_KEY:
        raise UserError(f"search.backend: wandb needs the stack's W&B tracker to have an API key: set it, {INSTEAD}")
    if mode in MODES:
        raise UserError(f"search.backend: wandb needs W&B's server, and WANDB_MODE is '{mode}': unset it, {INSTEAD}")


@contextmanager
def session(account: Account) -> Iterator[None]:
    """Set W&B's client up with an account and a temporary folder; afterwards its settings are restored."""
    import wandb

    before = {name: value for name, value in os.environ.items() if name.startswith("WANDB_")}
    with tempfile.TemporaryDirectory(prefix="wandb-", ignore_cleanup_errors=True) as folder:
        os.environ |= QUIET | before
        os.environ |= {"WANDB_API_KEY": account.key, "WANDB_MODE": "online", "WANDB_DIR": folder}
        wandb.teardown()
        try:
            yield
        finally:
            wandb.teardown()
            for name in [name for name in os.environ if name.startswith("WANDB_")]:
                del os.environ[name]
            os.environ |= before


@contextmanager
def refusals() -> Iterator[None]:
    """Turn the errors of W&B's client into a UserError of one line."""
    import wandb.errors

    try:
        yield
    except wandb.errors.Error as error:
        raise UserError(f"search.backend: wandb: {one_line(error)}: mend that, {INSTEAD}") from error


def require_entry(account: Account) -> None:
    """Check the key with the server, without W&B's client: that one retries for minutes and cannot be stopped.

    Raises:
        UserError: the server cannot be reached, or refuses the key.
    """
    import wandb

    url = wandb.setup().settings.base_url
    headers = {
        "Authorization": "Basic " + base64.b64encode(f"api:{account.key}".encode()).decode(),
        "Content-Type": "application/json",
    }
    question = urllib.request.Request(f"{url}/graphql", b'{"query": "query Viewer { viewer { id } }"}', headers)
    try:
        with urllib.request.urlopen(question, timeout=float(os.environ["WANDB_HTTP_TIMEOUT"])) as answer:
            known = json.load(answer)["data"]["viewer"] is not None
    except urllib.error.HTTPError as error:
        if error.code not in (401, 403):
            raise UserError(f"search.backend: wandb: {url} answers {error.code}: try again, {INSTEAD}") from None
        known = False
    except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
        raise UserError(f"search.backend: wandb: {url} cannot be reached ({error}): try again, {INSTEAD}") from None
    if not known:
        raise UserError(f"search.backend: wandb: {url} refuses the key of the stack's W&B tracker: set it, {INSTEAD}")
