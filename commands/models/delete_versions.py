"""The commands that delete versions: `delete` and `prune`."""

import click

from commands.common.answering import ModelsCommand
from commands.common.session import open_to_change
from commands.models.group import ChangeOptions, changes, models
from commands.models.planned_change import PlannedChange, carry_out


@models.command()
@click.argument("version", metavar="V")
@changes
def delete(request: ModelsCommand, options: ChangeOptions, version: str) -> None:
    """Delete a version that has no alias, with the model, the bundle and the Bento that only it uses."""
    from registry import plans, retention

    session = open_to_change(request.root, request.model)
    found = session.version(version)
    number = str(found.version)
    plans.refuse_aliased(session.base.aliases, number, "deleted")
    removals = retention.removals_of(session.client, [found], session.root)
    plan = PlannedChange("delete", number, plans.remove(session.base, removals, "delete"))
    carry_out(request, options, session, plan, "`python run.py models versions`")


@models.command()
@click.option(
    "--keep", required=True, type=click.IntRange(min=1), metavar="N", help="Number of newest versions to keep."
)
@click.option(
    "--window",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    metavar="W",
    help="Number of last champions to keep for a rollback, the present one included.",
)
@changes
def prune(request: ModelsCommand, options: ChangeOptions, keep: int, window: int) -> None:
    """Delete old versions, except those with an alias and the last champions."""
    from registry import plans, retention
    from registry.mlflow_registry import versions

    session = open_to_change(request.root, request.model)
    safe = plans.protected(session.base, session.releases.history.read(), window)
    old = [found for found in versions(session.client, session.name)[keep:] if str(found.version) not in safe]
    removals = retention.removals_of(session.client, old, session.root)
    change = plans.remove(session.base, removals, "prune") if removals else None
    carry_out(request, options, session, PlannedChange("prune", None, change), "`python run.py models versions`")
