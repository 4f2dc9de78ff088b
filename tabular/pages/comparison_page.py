"""One page about two versions side by side: what differs, what they score and the picture."""

from collections.abc import Mapping

from tabular.learning.comparison import Comparison
from tabular.pages import rendering


def comparison_page(comparison: Comparison, title: str, pictures: Mapping[str, bytes]) -> str:
    """One HTML page that needs nothing else.

    Args:
        comparison: the numbers.
        title: the heading, plain text.
        pictures: PNG files by name, in the order in which they are shown; for the names see `tabular.pages.pictures`.
    """
    tests = {test.metric: test for test in comparison.tests}
    return rendering.html("comparison.html", comparison=comparison, tests=tests, title=title, pictures=pictures)
