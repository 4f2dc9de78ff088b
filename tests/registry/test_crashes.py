"""SIGKILL between any two writes of a promotion: there is always a champion, and the next command completes it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient

from registry.release_checks import verify
from registry.store import LocalStore
from tabular.storage import places
from tabular.storage.atomic import UNFINISHED
from tests.support.kills import killed
from tests.support.released import Shop, promote, roll_back

WRITES = {
    MlflowClient: (
        "set_registered_model_alias",
        "delete_registered_model_alias",
        "set_registered_model_tag",
        "set_model_version_tag",
        "log_text",
    ),
    LocalStore: ("create", "write"),
    places: ("write",),
}
"""Everything that changes something another process can see."""
MANY = 40
"""More than any change has."""


@pytest.fixture
def released(shop: Shop) -> Shop:
    """Version 1 was champion, version 2 is, and version 3 challenges it."""
    promote(shop, "1")
    promote(shop, "2")
    promote(shop, "3", "challenger")
    return shop


@pytest.mark.parametrize(
    ("work", "wins"), [(lambda shop: promote(shop, "3"), "3"), (roll_back, "1")], ids=["promote", "roll back"]
)
def test_a_kill_between_two_writes_leaves_a_champion_and_the_next_command_completes_it(
    released: Shop, another: Callable[[Shop, str], Shop], work: Callable[[Shop], None], wins: str
) -> None:
    seen: list[str] = []
    for writes in range(1, MANY):
        # given: a change that is killed right after one of its writes
        shop = another(released, f"after-{writes}")
        if not killed(writes, WRITES, lambda shop=shop: work(shop)):
            break

        # then: the registry has one champion, and the manifest names one whose bundle is there
        aliases, served, _ = shop.state()
        assert aliases["champion"] in {"2", wins} and served in {"2", wins}
        seen.append(served)

        # when: the next command, whatever it is, begins
        releases = shop.releases
        releases.settle()

        # then: all is as if nothing had happened
        assert [finding for finding in verify(releases) if not finding.ok] == []
        assert shop.state() == ({"champion": wins} | ({"challenger": "3"} if wins == "1" else {}), wins, 4)
    else:
        pytest.fail("the change never ended")

    # then: it was killed before the manifest was written, and after
    assert {"2", wins} == set(seen) and len(seen) >= 7


def test_a_kill_before_the_decision_changes_nothing(released: Shop, tmp_path: Path) -> None:
    # given: the entry was written under its unfinished name, and not yet under its own
    before = released.state()
    (released.folder / "releases" / "history" / f"{UNFINISHED}abc").write_text('{"half')

    # when
    released.releases.settle()

    # then
    assert released.state() == before
    assert [finding for finding in verify(released.releases) if not finding.ok] == []
