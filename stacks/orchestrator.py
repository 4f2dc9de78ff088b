"""Checks, before a run, that the active stack's orchestrator can do what the run needs."""

from zenml.client import Client

from tabular.config.monitoring import ScheduleConfig
from tabular.errors import UserError
from tabular.storage.addresses import is_remote


def require_reachable(path: str | None) -> None:
    """Refuse a table on this machine if the steps run on another one.

    Raises:
        UserError: the steps would not find the table.
    """
    orchestrator = Client().active_stack.orchestrator
    if path and not is_remote(path) and orchestrator.config.is_remote:
        raise UserError(
            f"data.path: {path} lies on this machine, and the orchestrator '{orchestrator.name}' runs the steps "
            "elsewhere; put the file into a bucket and give its gs:// or https:// address"
        )


def require_schedulable(schedule: ScheduleConfig | None, file: str) -> None:
    """Refuse a schedule that the orchestrator cannot follow.

    Args:
        file: path of the run configuration, for the line that cron can run instead.

    Raises:
        UserError: the orchestrator cannot run by a schedule.
    """
    if schedule is None:
        return
    orchestrator = Client().active_stack.orchestrator
    if not orchestrator.config.is_schedulable:
        raise UserError(
            f"schedule: the orchestrator '{orchestrator.name}' of the active stack cannot schedule; leave it out, and "
            f"let cron do it: {schedule.cron_expression} cd REPOSITORY && .venv/bin/python run.py --config {file}"
        )
