"""What the command line puts into the environment of every command and of every program that it starts."""

import urllib.request

import pytest
from requests.utils import should_bypass_proxies

from run import complete

LOOPBACK = ("127.0.0.1:4482", "localhost:3000", "[::1]:3000")


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"no_proxy": ""},
        {"NO_PROXY": "intranet.example"},
        {"no_proxy": "intranet.example, 10.0.0.0/8,"},
        {"no_proxy": "intranet.example", "NO_PROXY": "localhost,other.example"},
        {"NO_PROXY": "*"},
        {"no_proxy": "intranet.example,*"},
    ],
)
def test_this_machine_is_never_asked_through_a_proxy(given: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    environment = dict(given)
    # when: twice, as in a program that another one has started
    complete(environment)
    complete(environment)
    # then: whichever of the two names a program reads
    assert environment["no_proxy"] == environment["NO_PROXY"]
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert all(urllib.request.proxy_bypass_environment(host) for host in LOOPBACK)
    assert all(should_bypass_proxies(f"http://{host}/", no_proxy=None) for host in LOOPBACK)
    # then: what was given counts as before
    wanted = any("*" in text for text in given.values())
    assert bool(urllib.request.proxy_bypass_environment("elsewhere.example")) is wanted
    assert not given or "intranet" not in str(given) or urllib.request.proxy_bypass_environment("intranet.example")


def test_what_is_set_already_is_kept() -> None:
    environment = {"DO_NOT_TRACK": "0"}
    complete(environment)
    assert environment["DO_NOT_TRACK"] == "0" and environment["ZENML_ANALYTICS_OPT_IN"] == "false"
