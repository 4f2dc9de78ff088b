"""What the orchestrator of the active stack can do."""

import pytest
from zenml.client import Client

from stacks.orchestrator import require_reachable, require_schedulable
from tabular.config.monitoring import ScheduleConfig
from tabular.errors import UserError


def active(monkeypatch: pytest.MonkeyPatch, schedulable: bool = False, remote: bool = False) -> None:
    """Put a stack in the place of the active one: what matters here is its orchestrator alone."""

    class Stack:
        class orchestrator:
            name = "team"

            class config:
                is_schedulable = schedulable
                is_remote = remote

    monkeypatch.setattr(Client, "active_stack", Stack)


def test_a_schedule_needs_an_orchestrator_that_can(monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    schedule = ScheduleConfig(cron_expression="5 * * * *")
    active(monkeypatch, schedulable=True)

    # then
    require_schedulable(schedule, "configs/monitor.yaml")

    # given
    active(monkeypatch, schedulable=False)

    # then
    require_schedulable(None, "configs/monitor.yaml")
    with pytest.raises(UserError, match=r"'team' .* cannot schedule; .* 5 \* \* \* \* cd REPOSITORY && "):
        require_schedulable(schedule, "configs/monitor.yaml")


def test_steps_that_run_elsewhere_do_not_get_a_file_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    active(monkeypatch, remote=True)

    # then
    require_reachable("gs://bucket/table.csv")
    require_reachable(None)
    with pytest.raises(UserError, match=r"data.path: table.csv lies on this machine, .* 'team' .* gs:// or https://"):
        require_reachable("table.csv")

    # given: everything runs here
    active(monkeypatch)

    # then
    require_reachable("table.csv")
