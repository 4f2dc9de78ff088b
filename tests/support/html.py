"""Pages as a browser would read them, and text that must never become markup."""

from html.parser import HTMLParser

HOSTILE = "<script>alert('x')</script>&\"$"


class Parsed(HTMLParser):
    """The tags with their attributes, the whole text, and that of the captions and of the cells of each row."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.rows: list[list[str]] = []
        self.captions: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag == "figcaption":
            self.captions.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data
        if "figcaption" in self.open:
            self.captions[-1] += data

    def row(self, start: str) -> list[str]:
        return next(row for row in self.rows if row[0].startswith(start))


def assert_harmless(html: str) -> None:
    """Check that the page is complete, runs no script and loads nothing."""
    parsed = Parsed(html)
    assert parsed.open == []
    assert {tag for tag, _ in parsed.tags}.isdisjoint({"script", "link", "iframe", "object"})
    assert all(word not in html for word in ("<script", "http:", "https:", "url("))
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'" in html
