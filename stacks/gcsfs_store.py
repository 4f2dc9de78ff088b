"""The artifact store flavor `gcsfs`: Google Cloud Storage, or anything that speaks its JSON API, with today's gcsfs.

ZenML's own `gcp` flavor is tied to an old gcsfs and reaches Google only. This one takes its place: it can be pointed
at another address, and a store that is down is one clear error within seconds. Neither gcsfs nor Google's libraries
are imported before the store is used.
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
    """Nothing answers where the artifact store should be.

    Not an OSError, because gcsfs and fsspec take many of those for "there is no such file".
    """


class BucketMissing(RuntimeError):
    """The artifact store answers and has no such bucket. Not an OSError, for the same reason."""


class GcsfsArtifactStoreConfig(GCPArtifactStoreConfig):
    """Where the bucket is and how to reach it. Credentials are those of ZenML's `gcp` flavor."""

    endpoint_url: str | None = Field(
        default=None, description="Address of an emulator or a private endpoint, as in http://127.0.0.1:9024."
    )
    anonymous: bool = Field(default=False, description="Send no credentials, whatever this machine could find.")
    project: str | None = Field(default=None, description="The Google Cloud project the requests are made for.")
    hierarchical_namespace: bool = Field(
        default=False,
        description="Ask Google's storage control API (gRPC) what kind of bucket this is. Emulators do not speak it.",
    )
    timeout: float = Field(
        default=8.0,
        gt=0,
        description="Seconds to wait for a connection, and for each piece of an answer; never for a whole transfer.",
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
    """The `gcsfs` flavor; what it asks of a service connector is what the `gcp` flavor asks."""

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
        # The store itself chooses its class of file system. Whoever else opens gs:// in this process gets what gcsfs
        # makes of this variable, and with gRPC an emulator is waited for without end.
        os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
        from stacks.gcsfs_artifact_store import GcsfsArtifactStore

        return GcsfsArtifactStore
