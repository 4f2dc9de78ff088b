"""Two registered versions side by side, on a page for people."""

from pathlib import Path

from mlflow.entities.model_registry import ModelVersion

from registry.release_view import ReleaseView
from registry.version_gate import RegisteredVersion, between
from tabular.learning import comparison
from tabular.learning.comparison import Comparison
from tabular.pages.comparison_page import comparison_page
from tabular.pages.pictures import png_files
from tabular.storage import places


def compare(releases: ReleaseView, a: ModelVersion, b: ModelVersion, page: Path) -> Comparison:
    """Put version `b` beside version `a`, with a paired test where there are rows that neither was trained on.

    Args:
        releases: of the model.
        a: the one that stands, most often the champion.
        b: the one that would take its place.
        page: where the page is written, HTML with its picture.

    Returns:
        What the page shows.

    Raises:
        UserError: one of them was registered without its `model_config.yaml`, or the page cannot be written.
    """
    old, new = (RegisteredVersion(releases.client, releases.name, str(version.version)) for version in (a, b))
    found = comparison.compare(old.config, new.config, between(new, old))
    text = comparison_page(found, f"{releases.name}: {found.a} and {found.b}", png_files(found))
    places.write(str(page), text.encode())
    return found
