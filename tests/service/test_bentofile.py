"""The Bento holds the modules that the service imports, and no other."""

from pathlib import Path

import yaml

from tests.support import imports
from tests.support.project import ROOT

READ = {Path("service/openapi.json"), Path("service/page.html"), Path("service/requirements.txt")}
"""Files that the service or BentoML reads without importing them."""


def test_the_bento_gets_exactly_what_the_service_imports() -> None:
    # given: the patterns, each of which matches something
    patterns = yaml.safe_load((ROOT / "bentofile.yaml").read_text())["include"]
    matched = {pattern: {path.relative_to(ROOT) for path in ROOT.glob(pattern)} for pattern in patterns}
    assert [pattern for pattern, paths in matched.items() if not paths] == [], "these patterns match no file"

    # when
    given, needed = set().union(*matched.values()), READ | imports.service()

    # then
    assert sorted(needed - given) == [], "add these files to `include` of bentofile.yaml"
    assert sorted(given - needed) == [], "the service does not import these files: take them out of bentofile.yaml"
