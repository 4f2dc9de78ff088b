"""Make what the service serves: a bundle, the model in BentoML's store, and the Bento."""

from datetime import UTC, datetime
from typing import Annotated

import pandas as pd
from sklearn.pipeline import Pipeline
from zenml import log_metadata, step

from materializers.bundle import BundleMaterializer
from materializers.caching import depends_on
from registry import bento
from registry import mlflow_registry as registry
from tabular import names
from tabular.bundles.making import write as writing
from tabular.bundles.making.folder import BundleFolder
from tabular.bundles.making.report import PackageReport
from tabular.config.stages import TargetConfig
from tabular.reports.registered import Registration
from tabular.reports.training import BestParameters, Evaluation, Provenance
from tabular.storage.repository import ROOT


@step(cache_policy=depends_on(bento, writing), output_materializers={names.BUNDLE: BundleMaterializer})
def package(
    model: Pipeline,
    train_rows: pd.DataFrame,
    test_rows: pd.DataFrame,
    provenance: Provenance,
    best_parameters: BestParameters,
    evaluation: Evaluation,
    registration: Registration,
    target: TargetConfig,
) -> tuple[
    Annotated[BundleFolder, names.BUNDLE],
    Annotated[PackageReport, names.PACKAGE_REPORT],
    Annotated[str, names.BENTO],
]:
    """Compile the model, compare the compiled one with it on every held-out row, and package what may serve.

    Args:
        model: the fitted pipeline.
        train_rows: for ranges, categories and reference statistics.
        test_rows: for the comparison.
        provenance, best_parameters, evaluation, registration: what the bundle says of the model.
        target: the target and the task.

    Returns:
        The bundle, what was found out, and the tag of the Bento.
    """
    stored = registry.registry_client().get_model_version(registration.name, registration.version)
    origin = writing.Origin(
        name=registration.name,
        version=registration.version,
        created=datetime.fromtimestamp(stored.creation_timestamp / 1000, UTC).isoformat(timespec="seconds"),
        algorithm=best_parameters.algorithm,
        data_sha256=provenance.sha256,
        data_source=provenance.data_source,
        metrics={name: interval.value for name, interval in evaluation.metrics.items()},
        card=stored.description or "",
    )
    bundle = BundleFolder(ROOT / ".cache" / "bundles" / f"{registration.name}-{registration.version}")
    report = writing.write(bundle.path, model, train_rows, test_rows, target, origin)
    version = bento.version_of(bundle)
    log_metadata(metadata={"bento_model": bento.keep(bundle.path, version)})
    tag = bento.build(version)
    return bundle, report, tag
