"""`python run.py serve`: serve the newest packaged model over HTTP, and train one first if there is none."""

import errno
import os
import socket
import sys
from pathlib import Path

import click

from commands.common.machine import ensure_sound
from tabular.errors import UserError


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True, help="Port to listen on.")
@click.pass_obj
def serve(root: Path, port: int) -> None:
    """Serve the released model, and each model that is released later; train one first if there is none.

    A model that was never released, because the gate rejected it or it was trained on the sample, is served from the
    newest Bento, as `bentoml serve` does. STACKHOUSE_MANIFEST names another release to follow. Without a key in
    STACKHOUSE_API_KEYS, only this machine is answered; BENTOML_HOST names another address to listen on.
    """
    _check_port(port)
    ensure_sound(root, runs=True)
    _ensure_model(root)
    _follow_release(root)
    click.echo(f"the page of the service: http://localhost:{port}/")
    os.chdir(root)
    os.execv(sys.executable, [sys.executable, "-m", "bentoml", "serve", "--port", str(port)])


def _check_port(port: int) -> None:
    """Refuse a port on which nobody can listen, before any work."""
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("", port))
        except OSError as error:
            problem = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
            raise UserError(f"port {port} {problem}; --port chooses another") from None


def _follow_release(root: Path) -> None:
    """Point the service at the release manifest of the newest model, if that model was ever released."""
    if os.environ.get("STACKHOUSE_MANIFEST"):
        return
    import bentoml
    from zenml.client import Client

    from registry.store import MANIFEST, folder_of
    from stacks import local
    from stacks.gcsfs_store import StoreUnreachable
    from tabular import names
    from tabular.bundles import bundle
    from tabular.storage import places

    newest = bentoml.models.get(f"{names.BENTO_NAME}:latest")
    name = bundle.read(Path(newest.path)).name
    local.activate(root)
    store = Client().active_stack.artifact_store
    folder = folder_of(store, name)
    try:
        folder.read(MANIFEST)
    except places.NotThere:
        return
    except StoreUnreachable as error:
        click.echo(f"{error}; the service follows the release as soon as it can", err=True)
    location = places.join(folder.location, MANIFEST)
    os.environ["STACKHOUSE_MANIFEST"] = location
    if address := getattr(store.config, "endpoint_url", None):
        os.environ.setdefault("STORAGE_EMULATOR_HOST", address)
    click.echo(f"it follows the release {location}")


def _ensure_model(root: Path) -> None:
    """Make sure that BentoML's store has a model: the one of the newest bundle, or a new one."""
    import bentoml

    from registry import bento
    from tabular import names

    if any(model.tag.name == names.BENTO_NAME for model in bentoml.models.list()):
        return
    from commands.common.selection import newest
    from stacks import local

    local.activate(root)
    found = newest(names.BUNDLE)
    if found is not None:
        bundle = found.load()
        click.echo(f"kept in BentoML's store: {bento.keep(bundle.path, bento.version_of(bundle))}")
        return
    from commands import training
    from commands.common import arguments
    from commands.common.execution import RunRequest

    click.echo("no model is packaged yet: training one")
    configuration = arguments.read(root / "configs" / "train.yaml", ())
    code = training.run(RunRequest(configuration), root)
    if code != 0:
        sys.exit(code)
