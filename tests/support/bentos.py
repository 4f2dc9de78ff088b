"""Tiny real Bentos: one that serves, its successor, one that fails at import, and one whose workers fail."""

import os
import subprocess
import sys
from pathlib import Path

SERVICE = """
import os
import bentoml

@bentoml.service
class Tiny:
    def __init__(self) -> None:
        {worker}

    @bentoml.api
    def predict(self, x: float) -> float:
        return {factor} * x

{module}
"""
BUILDING = "os.environ.get('STACKHOUSE_TEST_BUILDS')"
VERSIONS = {
    "one": {"factor": "2", "worker": "pass", "module": ""},
    "two": {"factor": "3", "worker": "pass", "module": ""},
    "import-fails": {"factor": "4", "worker": "pass", "module": f"assert {BUILDING}, 'no such library here'"},
    "worker-fails": {"factor": "5", "worker": "raise ValueError('no such model here')", "module": ""},
}
PROGRAM = """
import sys, bentoml
for version in sys.argv[1:]:
    bentoml.build("service:Tiny", name="tiny", version=version, build_ctx=version, python={"lock_packages": False})
"""


def build(home: Path, folder: Path, *versions: str) -> None:
    """Build Bentos `tiny:VERSION`, the last one newest, in another process.

    Args:
        home: of BentoML.
        folder: an empty one, for the sources.
        versions: of VERSIONS.
    """
    for version in versions:
        (folder / version).mkdir(parents=True)
        (folder / version / "service.py").write_text(SERVICE.format(**VERSIONS[version]))
    environment = os.environ | {"BENTOML_HOME": str(home), "STACKHOUSE_TEST_BUILDS": "1"}
    command = [sys.executable, "-c", PROGRAM, *versions]
    subprocess.run(command, cwd=folder, env=environment, check=True, timeout=120, capture_output=True)
