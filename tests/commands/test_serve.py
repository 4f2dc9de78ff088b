"""`run.py serve`: what can be known before any work."""

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from commands.serve import serve
from tabular.errors import UserError


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "0.0.0.0", "::"])
def test_a_port_that_is_taken_is_told_before_any_work(host: str, tmp_path: Path) -> None:
    # given: another program that listens, in a folder in which nothing could be served
    is_new = ":" in host
    family = socket.AF_INET6 if is_new else socket.AF_INET
    with socket.create_server((host, 0), family=family, dualstack_ipv6=is_new) as other:
        port = other.getsockname()[1]

        # when
        typed = CliRunner().invoke(serve, ["--port", str(port)], obj=tmp_path)

    # then
    assert isinstance(typed.exception, UserError)
    assert str(typed.exception) == f"port {port} is taken; --port chooses another"
    assert typed.output == ""
