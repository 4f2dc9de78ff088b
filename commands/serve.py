"""`python run.py serve`: the newest packaged model behind HTTP, trained first where there is none."""

import os
import sys
from pathlib import Path

import click


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True, help="Where it listens.")
@click.pass_obj
def serve(root: Path, port: int) -> None:
    """Serve the newest packaged model, as `bentoml serve` does; without one, train first."""
    _ensure_model(root)
    click.echo(f"the page of the service: http://localhost:{port}/")
    os.chdir(root)
    os.execv(sys.executable, [sys.executable, "-m", "bentoml", "serve", "--port", str(port)])


def _ensure_model(root: Path) -> None:
    """Have a model in BentoML's store: that of the newest bundle where the store has lost it, or a new one."""
    import bentoml

    from steps import bento

    if any(model.tag.name == bento.NAME for model in bentoml.models.list()):
        return
    from commands.selection import newest
    from stacks import local
    from steps import names

    local.activate(root)
    found = newest(names.BUNDLE)
    if found is not None:
        bundle = found.load()
        click.echo(f"kept in BentoML's store: {bento.keep(bundle.path, bento.version_of(bundle))}")
        return
    from commands import arguments, training
    from commands.execution import Plan

    click.echo("no model is packaged yet: training one")
    configuration = arguments.read(root / "configs" / "train.yaml", ())
    code = training.run(Plan(configuration, (), None, use_cache=True), root)
    if code != 0:
        sys.exit(code)
