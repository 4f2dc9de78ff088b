"""A page that compares two registered versions."""

from pathlib import Path

from mlflow.entities.model_registry import ModelVersion

from registry.release_view import ReleaseView
from registry.version_gate import RegisteredVersion, between
from tabular.learning import comparison
from tabular.learning.comparison import Comparison
from tabular.pages.html_pages import comparison_page
from tabular.pages.pictures import png_files
from tabular.storage import places


def compare(releases: ReleaseView, a: ModelVersion, b: ModelVersion, page: Path) -> Comparison:
    """Compare version `b` with version `a`, with a paired test if there are rows that neither was trained on.

    Args:
        releases: the releases of the model.
        a: the present version, most often the champion.
        b: the version that would take its place.
        page: file that the page is written to, HTML with its pictures.

    Returns:
        The comparison that the page shows.

    Raises:
        UserError: one of them was registered without its `model_config.yaml`, or the page cannot be written.
    """
    old, new = (RegisteredVersion(releases.client, releases.name, str(version.version)) for version in (a, b))
    found = comparison.compare(old.config, new.config, between(new, old))
    text = comparison_page(found, f"{releases.name}: {found.a} and {found.b}", png_files(found))
    places.write(str(page), text.encode())
    return found
