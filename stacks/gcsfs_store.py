"""The artifact store flavor `gcsfs`: Google Cloud Storage, or anything that speaks its JSON API, with today's gcsfs.

ZenML's own `gcp` flavor is tied to an old gcsfs and reaches only Google. This flavor takes its place: its address can
be set, and a store that is down leads to one clear error within seconds. Neither gcsfs nor Google's libraries are
imported before the store is used.
"""

import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from zenml.integrations.gcp.flavors.gcp_artifact_store_flavor import GCPArtifactStoreConfig, GCPArtifactStoreFlavor

if TYPE_CHECKING:
    from stacks.gcsfs_artifact_store import GcsfsArtifactStore

FLAVOR = "gcsfs"


class StoreUnreachable(RuntimeError):
    """Nothing answers at the address of the artifact store.

    This is not an OSError, because gcsfs and fsspec take many of those to mean that there is no such file.
    """


class BucketMissing(RuntimeError):
    """The artifact store answers that it has no such bucket. This is not an OSError, for the same reason."""


class GcsfsArtifactStoreConfig(GCPArtifactStoreConfig):
    """The address of the bucket and how to reach it. Credentials are given as for ZenML's `gcp` flavor."""

    endpoint_url: str | None = Field(
        default=None, description="Address of an emulator or a private endpoint, as in http://127.0.0.1:9024."
    )
    anonymous: bool = Field(default=False, description="Send no credentials, even if this machine has some.")
    project: str | None = Field(default=None, description="The Google Cloud project the requests are made for.")
    hierarchical_namespace: bool = Field(
        default=False,
        description="Ask Google's storage control API (gRPC) for the kind of the bucket. Emulators do not support it.",
    )
    timeout: float = Field(
        default=8.0,
        gt=0,
        description="Seconds to wait for a connection, and for each piece of a response. A whole transfer has none.",
    )

    @field_validator("endpoint_url")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
            raise ValueError(f"{value!r} is not an address such as http://127.0.0.1:9024, without a path")
        return value.rstrip("/")


class GcsfsArtifactStoreFlavor(GCPArtifactStoreFlavor):
    """The `gcsfs` flavor. It needs the same from a service connector as the `gcp` flavor."""

    @property
    def name(self) -> str:
        return FLAVOR

    @property
    def display_name(self) -> str:
        return "GCS (gcsfs)"

    @property
    def config_class(self) -> type[GcsfsArtifactStoreConfig]:
        return GcsfsArtifactStoreConfig

    @property
    def implementation_class(self) -> type["GcsfsArtifactStore"]:
        # The store itself chooses its class of file system. For any other code in this process that opens gs://, this
        # variable decides: with gRPC, gcsfs would wait for an emulator without end.
        os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
        from stacks.gcsfs_artifact_store import GcsfsArtifactStore

        return GcsfsArtifactStore
