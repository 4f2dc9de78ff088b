"""A schedule in a run configuration: for orchestrators that can."""

from zenml.client import Client

from tabular.config.monitoring import ScheduleConfig
from tabular.errors import UserError


def ensure_schedulable(schedule: ScheduleConfig | None, file: str) -> None:
    """Raise UserError, with a line for cron, where the active stack's orchestrator cannot run by a schedule."""
    if schedule is None:
        return
    orchestrator = Client().active_stack.orchestrator
    if not orchestrator.config.is_schedulable:
        raise UserError(
            f"schedule: the orchestrator '{orchestrator.name}' of the active stack cannot schedule; leave it out, and "
            f"let cron do it: {schedule.cron_expression} cd REPOSITORY && .venv/bin/python run.py --config {file}"
        )
