import json
from pathlib import Path
from typing import Any

import pytest

from tabular.bundles import manifest as release
from tabular.storage import places
from tests.support.bundles import read_manifest, write_manifest

CHANGED = {"at": "2026-11-21T14:05:00+00:00", "by": "someone", "why": "better on the held-out rows"}
WHOLE = {
    "format": 1,
    "revision": 7,
    "name": "california-housing",
    "champion": {"version": "3", "bundle": "bundles/3", "sha256": "a" * 64},
    "challenger": {"version": "4", "bundle": "gs://bucket/4", "sha256": "b" * 64},
    "traffic": {"champion": 0.9, "challenger": 0.1},
    "changed": CHANGED,
}


def test_what_was_written_is_read(tmp_path: Path) -> None:
    # given
    location = f"{tmp_path}/releases/release.json"
    wanted = release.Manifest.model_validate_json(json.dumps(WHOLE))

    # when
    write_manifest(location, wanted)

    # then
    assert read_manifest(location) == wanted
    assert json.loads(places.read(location)) == WHOLE
    assert release.bundle_location(location, wanted.champion) == f"{tmp_path}/releases/bundles/3"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"traffic": {"champion": 0.9, "challenger": 0.2}}, "'traffic': the shares sum to 1.1; make them sum to 1"),
        ({"traffic": {"champion": 1.5, "challenger": -0.5}}, "'traffic.champion': Input should be less than or equal"),
        ({"challenger": None}, "traffic.challenger is above 0 and there is no challenger"),
        ({"champion": None}, "'champion': Input should be an object"),
        ({"champion": {"version": "3", "bundle": "b", "sha256": "A" * 64}}, "'champion.sha256'"),
        ({"revision": 0}, "'revision': Input should be greater than or equal to 1"),
        ({"revision": "7"}, "'revision': Input should be a valid integer"),
        ({"format": 2}, "'format': Input should be 1"),
        ({"changed": CHANGED | {"at": "2026-11-21T14:05:00"}}, "'changed.at': '2026-11-21T14:05:00' has no offset"),
        ({"changed": CHANGED | {"at": "yesterday"}}, "'changed.at': Invalid isoformat string: 'yesterday'"),
        ({"champoin": {}}, "unknown key 'champoin'; the nearest known key is 'champion'"),
    ],
)
def test_an_invalid_manifest_is_refused(change: dict[str, Any], said: str, tmp_path: Path) -> None:
    # given
    file = tmp_path / "release.json"
    file.write_text(json.dumps(WHOLE | change))

    # then
    with pytest.raises(release.BadManifest) as raised:
        read_manifest(str(file))
    assert str(raised.value).startswith(f"{file}: ")
    assert said in str(raised.value)


def test_the_champion_is_required_and_the_challenger_is_not(tmp_path: Path) -> None:
    # given
    least = {key: WHOLE[key] for key in ("format", "revision", "name", "champion", "changed")}

    # then
    found = release.parse(json.dumps(least).encode(), "here")
    assert (found.challenger, found.traffic.champion) == (None, 1.0)
    with pytest.raises(release.BadManifest, match="here: 'champion': Field required; write the release manifest again"):
        release.parse(json.dumps({key: least[key] for key in least if key != "champion"}).encode(), "here")
