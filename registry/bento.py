"""A bundle as a model in BentoML's store, and the Bento that serves it."""

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tabular.bundles.bundle import MANIFEST, digest, parse
from tabular.bundles.making.folder import BundleFolder
from tabular.names import BENTO_NAME
from tabular.storage.repository import ROOT


def version_of(bundle: BundleFolder) -> str:
    """Version of the stored model and of the Bento: the registry's version and the beginning of the bundle's sha256."""
    manifest = (bundle.path / MANIFEST).read_bytes()
    return f"{parse(manifest, str(bundle.path / MANIFEST)).version}-{digest(manifest)[:12]}"


def keep(folder: Path, version: str) -> str:
    """Put a bundle into BentoML's model store, in place of one with the same version. Returns `stackhouse:VERSION`."""
    import bentoml
    from bentoml.exceptions import NotFound
    from bentoml.models import ModelContext

    tag = f"{BENTO_NAME}:{version}"
    with contextlib.suppress(NotFound):
        bentoml.models.delete(tag)
    context = ModelContext(framework_name=BENTO_NAME, framework_versions={})
    with bentoml.models.create(tag, module=BENTO_NAME, api_version="v1", context=context, signatures={}) as model:
        shutil.copytree(folder, model.path, dirs_exist_ok=True)
    return tag


def build(version: str) -> str:
    """Build the Bento that `bentofile.yaml` describes, with the newest model of the store.

    Another process builds it, because BentoML imports the service, which reads its own settings. Returns the tag.

    Raises:
        RuntimeError: BentoML refuses to build it; the message holds its reason.
    """
    import bentoml
    from bentoml.exceptions import NotFound

    tag = f"{BENTO_NAME}:{version}"
    with contextlib.suppress(NotFound):
        bentoml.delete(tag)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STACKHOUSE_")}
    done = subprocess.run(
        [sys.executable, "-m", "bentoml", "build", "--version", version, "--output", "tag", "."],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"`bentoml build` failed: {(done.stderr or done.stdout).strip()}")
    return tag
