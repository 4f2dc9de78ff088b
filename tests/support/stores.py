"""Artifact stores for tests, and operations that every store supports."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

from zenml.artifact_stores import BaseArtifactStore
from zenml.enums import StackComponentType

from stacks.gcsfs_store import GcsfsArtifactStoreFlavor

OPERATIONS: dict[str, Callable[[BaseArtifactStore, str], object]] = {
    "exists": lambda store, path: store.exists(path),
    "isdir": lambda store, path: store.isdir(path),
    "read": lambda store, path: store.open(path, "rb").read(),
    "write": lambda store, path: put(store, path, b"some"),
    "write 4 MB": lambda store, path: put(store, path, bytes(4_000_000)),
    "write 6 MB": lambda store, path: put(store, path, bytes(6_000_000)),
    "listdir": lambda store, path: store.listdir(path),
    "walk": lambda store, path: list(store.walk(path)),
    "glob": lambda store, path: store.glob(f"{path}/*"),
    "copyfile": lambda store, path: store.copyfile(path, f"{path}2", overwrite=True),
    "rename": lambda store, path: store.rename(path, f"{path}2"),
    "remove": lambda store, path: store.remove(path),
    "rmtree": lambda store, path: store.rmtree(path),
    "size": lambda store, path: store.size(path),
}


def component(kind: type[BaseArtifactStore], config: object, flavor: str) -> BaseArtifactStore:
    now = datetime.now(UTC)
    return kind(
        name="store",
        id=uuid4(),
        config=config,
        flavor=flavor,
        type=StackComponentType.ARTIFACT_STORE,
        user=None,
        created=now,
        updated=now,
    )


def make_store(url: str, path: str | None = None, **options: object) -> BaseArtifactStore:
    """A store in a new folder of the bucket."""
    flavor = GcsfsArtifactStoreFlavor()
    config = flavor.config_class(path=path or f"gs://bucket/{uuid4()}", endpoint_url=url, anonymous=True, **options)
    return component(flavor.implementation_class, config, flavor.name)


def put(store: BaseArtifactStore, path: str, content: bytes) -> str:
    with store.open(path, "wb") as file:
        file.write(content)
    return path


def get(store: BaseArtifactStore, path: str) -> bytes:
    with store.open(path, "rb") as file:
        content: bytes = file.read()
    return content


def tree(store: BaseArtifactStore, *names: str) -> str:
    """A folder with files that hold their names."""
    folder = f"{store.path}/tree"
    for name in names:
        store.makedirs(f"{folder}/{name}".rsplit("/", 1)[0])
        put(store, f"{folder}/{name}", name.encode())
    return folder
