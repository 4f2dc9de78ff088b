"""Make what the service serves: a bundle, the model in BentoML's store, and the Bento."""

from typing import Annotated

import pandas as pd
from sklearn.pipeline import Pipeline
from zenml import log_metadata, step
from zenml.types import MarkdownString

from materializers.bundle import BundleMaterializer
from materializers.caching import depends_on
from registry import bento
from tabular import names
from tabular.bundles.making import write as writing
from tabular.bundles.making.folder import BundleFolder
from tabular.bundles.making.report import PackageReport
from tabular.config.stages import TargetConfig
from tabular.learning.model_config import ModelConfig
from tabular.storage.repository import ROOT


@step(cache_policy=depends_on(bento, writing), output_materializers={names.BUNDLE: BundleMaterializer})
def package(
    model: Pipeline,
    train_rows: pd.DataFrame,
    test_rows: pd.DataFrame,
    model_config: ModelConfig,
    card: MarkdownString,
    target: TargetConfig,
) -> tuple[
    Annotated[BundleFolder, names.BUNDLE],
    Annotated[PackageReport, names.PACKAGE_REPORT],
    Annotated[str, names.BENTO],
]:
    """Compile the model, compare the compiled one with it on every held-out row, and package what may serve.

    The training rows give the ranges, categories and reference statistics of the bundle.

    Returns:
        The bundle, the result of the comparison, and the tag of the Bento.
    """
    origin = writing.Origin(
        name=model_config.name,
        version=model_config.version,
        created=model_config.created,
        algorithm=model_config.algorithm,
        data_sha256=model_config.data.sha256,
        data_source=model_config.data.source,
        metrics={name: interval.value for name, interval in model_config.metrics.items()},
        card=str(card),
    )
    bundle = BundleFolder(ROOT / ".cache" / "bundles" / f"{origin.name}-{origin.version}")
    report = writing.write(bundle.path, model, train_rows, test_rows, target, origin)
    version = bento.version_of(bundle)
    log_metadata(metadata={"bento_model": bento.keep(bundle.path, version)})
    tag = bento.build(version)
    return bundle, report, tag
