"""Whose W&B a search goes to, and where it is refused before any work."""

from types import SimpleNamespace

import pytest

from tabular.errors import UserError
from trackers import wandb_account
from trackers.wandb_account import Account, require_online

KEY = "0123456789abcdef" * 3


def _stack(monkeypatch: pytest.MonkeyPatch, **keys: str) -> None:
    """An active stack with trackers of these flavors."""
    trackers = {
        flavor: SimpleNamespace(flavor=flavor, config=SimpleNamespace(entity="e", project_name="p", api_key=key))
        for flavor, key in keys.items()
    }
    client = SimpleNamespace(active_stack=SimpleNamespace(experiment_trackers=trackers))
    monkeypatch.setattr(wandb_account, "Client", lambda: client)


@pytest.mark.parametrize(
    ("keys", "mode", "wrong"),
    [
        ({"mlflow": KEY}, None, "tracker in the active stack"),
        ({"mlflow": KEY, "wandb": "0" * 40}, None, "API key"),
        ({"wandb": "0" * 40}, "offline", "API key"),
        ({"wandb": "short"}, None, "API key"),
        ({"wandb": KEY}, "offline", "WANDB_MODE is 'offline'"),
        ({"wandb": KEY}, "dryrun", "WANDB_MODE is 'dryrun'"),
        ({"wandb": KEY}, "disabled", "WANDB_MODE is 'disabled'"),
    ],
)
def test_offline_it_is_refused(
    monkeypatch: pytest.MonkeyPatch, keys: dict[str, str], mode: str | None, wrong: str
) -> None:
    # given
    _stack(monkeypatch, **keys)
    monkeypatch.delenv("WANDB_MODE")
    if mode:
        monkeypatch.setenv("WANDB_MODE", mode)

    # when
    with pytest.raises(UserError, match=wrong) as refused:
        require_online("wandb")

    # then
    assert "search.backend: optuna" in str(refused.value)
    assert "\n" not in str(refused.value)
    require_online("optuna")


def test_online_it_is_not_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    _stack(monkeypatch, mlflow="", wandb=KEY)
    monkeypatch.delenv("WANDB_MODE")
    require_online("wandb")
    assert wandb_account.account() == Account("e", "p", KEY)
