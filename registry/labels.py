"""Names of the aliases and tags that versions have in the registry."""

from typing import Final

CHAMPION: Final = "champion"
CHALLENGER: Final = "challenger"
STAGING: Final = "staging"

ARCHIVED: Final = "archived"
"""`true` for a version that is out of use."""
BUNDLE: Final = "bundle"
"""Location of the version's bundle: a path or an fsspec URL."""
BUNDLE_SHA256: Final = "bundle_sha256"
"""sha256 of the bundle's `bundle.json`."""
HELD_OUT_SHA256: Final = "held_out_sha256"
"""Content hash of the rows that the version was scored on."""
METRIC: Final = "metric."
"""Prefix of the tags with the version's held-out metrics."""
ZENML_RUN: Final = "zenml_run"
"""Name of the pipeline run that made the version."""
ZENML_MODEL_VERSION: Final = "zenml_model_version"
"""ZenML's id of its own model version."""
RECORDED: Final = frozenset(
    {
        *(BUNDLE, BUNDLE_SHA256, HELD_OUT_SHA256, ZENML_RUN, ZENML_MODEL_VERSION),
        *("algorithm", "data_sha256", "data_source", "gate", "git_commit", "model_sha256", "target_transform", "task"),
    }
)
"""Tags that record how a version was made. They, and those that begin with `METRIC`, are never changed by hand."""
