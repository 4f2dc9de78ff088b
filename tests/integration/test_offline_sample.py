"""Without a network the run ends well on the built-in sample, and nobody can overlook it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.runs import Trained, overrides

pytestmark = pytest.mark.slow

NAME = "offline"
WORDS = "THE BUILT-IN SAMPLE"


@pytest.fixture(scope="module")
def offline(trained: Trained) -> tuple[list[str], dict[str, Any]]:
    """What a run without a network says, line by line, and its summary."""
    samples = trained.project.path / "configs" / "samples"
    spec = yaml.safe_load((samples / "california.yaml").read_text()) | {"rows": 400}
    Path(samples / "small.yaml").write_text(yaml.safe_dump(spec, sort_keys=False))
    finished = trained.project.run(
        *overrides(
            "data.url=http://127.0.0.1:9/housing.tgz",
            "data.sample=configs/samples/small.yaml",
            f"model.name={NAME}",
            "selection.algorithms=[linear]",
            "features.clusters=null",
            "search.trials=2",
            "evaluation.bootstrap=100",
            "evaluation.folds=2",
            "gate.limits={}",
        )
    )
    (samples / "small.yaml").unlink()
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout.splitlines(), trained.project.summary()


def test_the_first_and_the_last_line_say_so(offline: tuple[list[str], dict[str, Any]]) -> None:
    lines, _ = offline
    assert WORDS in lines[0] and "no network" in lines[0]
    assert WORDS in lines[-1] and "never promoted" in lines[-1]


def test_the_summary_says_so(offline: tuple[list[str], dict[str, Any]]) -> None:
    _, summary = offline
    assert summary["data"]["data_source"] == "sample"
    assert summary["data"]["rows"] == 400
    assert summary["gate"] == "keep"
    assert "sample" in summary["gate_reasons"][0]


def test_the_model_is_tagged_and_not_promoted(trained: Trained, offline: tuple[list[str], dict[str, Any]]) -> None:
    # given
    _, summary = offline

    # then: though there is no champion that it could be worse than
    assert summary["model"]["alias"] == "challenger"
    assert trained.project.registered(NAME) == (1, {"challenger": "1"})
    [version] = trained.project.registry().search_model_versions(f"name = '{NAME}'")
    assert version.tags["data_source"] == "sample"
    assert "built-in sample" in str(version.description)
