"""Give the version its alias, and write the release manifest."""

from typing import Annotated

from zenml import get_step_context, log_metadata, step

from materializers.bundle import FOLDER
from materializers.caching import depends_on
from registry import releases as releasing
from registry.gated_promotion import follow_gate
from registry.releases import open_releases
from tabular import names
from tabular.bundles.bundle import MANIFEST, digest
from tabular.bundles.making.folder import BundleFolder
from tabular.reports.registered import Promotion, Registration
from tabular.reports.training import GateDecision


@step(cache_policy=depends_on(releasing))
def promote(
    registration: Registration, bundle: BundleFolder, decision: GateDecision
) -> Annotated[Promotion, names.PROMOTION]:
    """Record where the version's bundle lies, then carry out the gate's decision.

    A model is released when it can be served, so this comes after `package`. A version that somebody has rolled back
    is not released again when a cached run is repeated. The bundle has been loaded, so all of its files have the sha256
    that they were written with.
    """
    releases = open_releases(registration.name)
    where = f"{get_step_context().inputs['bundle'][0].uri}/{FOLDER}"
    releases.note_bundle(registration.version, where, digest((bundle.path / MANIFEST).read_bytes()))
    promotion = follow_gate(releases, registration.version, decision, f"the gate decided: {decision.decision}")
    releases.rewrite_manifest()
    log_metadata(metadata={"promotion": promotion.model_dump(mode="json")}, infer_model=True)
    return promotion
