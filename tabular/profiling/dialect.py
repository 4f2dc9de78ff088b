"""The encoding of a CSV file, and the separator of its values."""

import csv
import io
import re

from tabular.config.reading import ReadingConfig, Separator
from tabular.errors import UserError

SAMPLE = 200_000
"""Number of characters at the beginning of the file by which the separator is judged."""
UTF16 = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
SEPARATORS: tuple[Separator, ...] = (",", ";", "\t", "|")


def sniff(content: bytes, name: str) -> ReadingConfig:
    """Find the encoding and the separator of a CSV file; the other settings keep their defaults.

    Raises:
        UserError: the file is not a text.
    """
    found = encoding(content)
    text = content.decode("utf-8-sig" if found == "utf-8" else found, errors="replace")[:SAMPLE]
    if len(CONTROL.findall(text)) > len(text) / 100 and not content.startswith(b"PK"):
        raise UserError(f"{name} is not a table: its bytes are not text; give a CSV or Parquet file")
    return ReadingConfig(encoding=found, separator=separator(text, is_whole=len(text) < SAMPLE))


def encoding(content: bytes) -> str:
    """The encoding of a text: UTF-16 and UTF-8 can be recognised, a Western European one is the last resort."""
    if content[:2] in UTF16:
        return UTF16[content[:2]]
    beginning = content[:2000]
    if beginning.count(0) > len(beginning) / 4:
        return "utf-16-le" if beginning[1::2].count(0) > beginning[::2].count(0) else "utf-16-be"
    for candidate in ("utf-8", "cp1252"):
        try:
            content.decode(candidate)
        except UnicodeDecodeError:
            continue
        return candidate
    return "latin-1"


def separator(text: str, is_whole: bool) -> Separator:
    """The separator that occurs in most lines as often as in the header; of two such, the one that makes more columns.

    Args:
        is_whole: whether the text is the whole file, so that its last line is complete.
    """
    scores: dict[Separator, tuple[float, int]] = {}
    for candidate in SEPARATORS:
        try:
            lines = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=candidate) if row]
        except csv.Error:
            continue
        header, *rows = (lines if is_whole or len(lines) < 3 else lines[:-1]) or [[]]
        if len(header) > 1:
            alike = sum(len(row) == len(header) for row in rows) / max(1, len(rows))
            scores[candidate] = (alike, len(header))
    return max(scores, key=lambda candidate: scores[candidate]) if scores else ","
