"""`configs/deploy.yaml` from the command line: a service that starts, is seen, and stops."""

import urllib.request

import psutil
import pytest

from tests.support import bentos
from tests.support.ports import free_port
from tests.support.runs import Repository

pytestmark = pytest.mark.slow


def test_a_bento_is_deployed_seen_and_stopped(tmp_path_factory: pytest.TempPathFactory) -> None:
    # given: a repository in which nothing has run, and a Bento
    folder = tmp_path_factory.mktemp("deployed")
    project, port = Repository.copy(folder), free_port()
    command = ["--config", "configs/deploy.yaml", "--set", f"deployment.port={port}"]
    bentos.build(project.home / "bentoml", folder / "sources", "one")

    # when
    deployed = project.run(*command)
    try:
        # then
        assert deployed.returncode == 0, deployed.stdout + deployed.stderr
        assert f"service: tiny:one answers on http://127.0.0.1:{port}/" in deployed.stdout
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=60) as answer:
            assert answer.status == 200
        listed = project.zenml("model-deployer", "models", "list")
        assert listed.returncode == 0, listed.stderr
        assert "✅" in listed.stderr and "deploy" in listed.stderr
    finally:
        # when
        stopped = project.run(*command, "--set", "deployment.action=stop")

    # then
    assert stopped.returncode == 0, stopped.stdout + stopped.stderr
    assert "service: stopped" in stopped.stdout
    lines = [" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])]
    assert not [line for line in lines if str(project.home) in line]
