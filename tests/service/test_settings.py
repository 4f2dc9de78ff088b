"""Settings, keys and rate limits."""

from pathlib import Path

import pytest

from service.security import ApiKeys, RateLimit
from service.settings import Settings
from tabular.errors import UserError


def test_variables_are_read() -> None:
    # when
    settings = Settings.from_environment(
        {
            "STACKHOUSE_MANIFEST": "gs://bucket/manifest.json",
            "STACKHOUSE_CACHE": "~/models",
            "STACKHOUSE_API_KEYS": " first, ,second ",
            "STACKHOUSE_RATE_LIMIT": "2.5",
            "STACKHOUSE_MAX_ROWS": "100",
            "STACKHOUSE_TRUSTED_PROXIES": "10.1.2.3/8, ::1",
            "STACKHOUSE_PREDICTION_LOG": "",
            "STACKHOUSE_DATA_DIR": "of somebody else",
            "PATH": "/bin",
        }
    )

    # then
    assert (settings.manifest, settings.cache) == ("gs://bucket/manifest.json", Path.home() / "models")
    assert (settings.api_keys, settings.rate_limit) == (("first", "second"), 2.5)
    assert (settings.max_rows, settings.prediction_log) == (100, None)
    assert settings.trusted_proxies == ("10.0.0.0/8", "::1/128")


def test_nothing_is_needed() -> None:
    assert Settings.from_environment({}).api_keys == ()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("STACKHOUSE_RATE_LIMIT", "many", "rate_limit"),
        ("STACKHOUSE_RATE_LIMIT", "0", "rate_limit"),
        ("STACKHOUSE_WORKERS", "1.5", "workers"),
        ("STACKHOUSE_WANDB_SHARE", "0", "wandb_share"),
        ("STACKHOUSE_WANDB_SHARE", "1.1", "wandb_share"),
        ("STACKHOUSE_POLL_SECONDS", "nan", "poll_seconds"),
        ("STACKHOUSE_HEADER_SECONDS", "0", "header_seconds"),
        ("STACKHOUSE_MAX_CONNECTIONS", "0", "max_connections"),
        ("STACKHOUSE_TRUSTED_PROXIES", "10.0.0.1,proxy.example", "'proxy.example'"),
        ("STACKHOUSE_TRUSTED_PROXIES", "*", "trusted_proxies"),
        ("STACKHOUSE_API_KEY", "first", "the nearest known one is STACKHOUSE_API_KEYS"),
    ],
)
def test_a_mistake_is_reported_in_one_line(name: str, value: str, said: str) -> None:
    with pytest.raises(UserError) as refused:
        Settings.from_environment({name: value})
    assert said in str(refused.value) and "\n" not in str(refused.value)


def test_a_malformed_hash_is_refused_without_being_shown() -> None:
    with pytest.raises(UserError) as refused:
        ApiKeys(["fine", "sha256:secret"])
    assert "key 2" in str(refused.value) and "secret" not in str(refused.value)


def test_tokens_come_back() -> None:
    # given: a clock that stands
    now = [0.0]
    limit = RateLimit(2.0, lambda: now[0])

    # when
    burst = [limit.wait(b"a") for _ in range(5)]
    other = limit.wait(b"b")
    now[0] = 0.5
    later = [limit.wait(b"a"), limit.wait(b"a")]

    # then
    assert burst == [0, 0, 0, 0, 0.5]
    assert other == 0
    assert later == [0, 0.5]
