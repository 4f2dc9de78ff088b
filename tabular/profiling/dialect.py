"""The encoding of a CSV file, and the separator of its values."""

import csv
import io
import re

from tabular.config.base import column_name
from tabular.config.reading import ReadingConfig, Separator, text_encoding
from tabular.errors import UserError
from tabular.table.parsing import ZIP, above

SAMPLE = 200_000
"""Number of characters at the beginning of the file by which the separator is judged."""
MARKS = {b"\xff\xfe\0\0": "utf-32", b"\0\0\xfe\xff": "utf-32", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
"""Encodings by their byte order mark; the longer marks come first."""
GUESSES = ("cp1252", "latin-1")
"""Encodings in which nearly every file can be read."""
ENCODINGS = (
    *(
        "cp949",
        "gb18030",
        "big5hkscs",
        "cp932",
        "euc_jp",
        "cp1251",
        "koi8_r",
        "cp866",
        "iso8859_5",
        "cp1250",
        "iso8859_2",
        "cp1253",
    ),
    *("cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "cp874", "cp850", "mac_roman", "mac_cyrillic", *GUESSES),
)
"""Encodings of older programs, those first that few texts of another encoding fit."""
LINES = 100
"""Number of lines among which the header is looked for."""
SHOWN = 60
CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
SEPARATORS: tuple[Separator, ...] = (",", ";", "\t", "|")


def sniff(content: bytes, name: str, given: str | None, skip: int) -> ReadingConfig:
    """Find the encoding and the separator of a CSV file; the other settings keep their defaults.

    Args:
        given: the encoding, if it is known.
        skip: number of lines before the header.

    Raises:
        UserError: the file is not a text, it has too few lines, or there is no such encoding.
    """
    try:
        found = encoding(content) if given is None else text_encoding(given)
    except ValueError as error:
        raise UserError(f"--encoding: {error}") from None
    text = _beginning(content, found)
    if len(CONTROL.findall(text)) > len(text) / 100 and not content.startswith(b"PK"):
        raise UserError(f"{name} is not a table: its bytes are not text; give a CSV or Parquet file")
    is_whole = len(text) < SAMPLE
    text = text[above(text, skip, name) :]
    return ReadingConfig(encoding=found, skip=skip, separator=separator(text, is_whole))


def advice(content: bytes, reading: ReadingConfig, target: str, name: str, error: str) -> str:
    """What to tell a person whose file cannot be read, or has no such target, as it was read.

    The target's name is looked for in the first lines, and, if the file is not UTF-8, in the usual encodings.

    Args:
        error: what was wrong; it is the answer where nothing better is found.
    """
    found = encoding(content)
    is_guess = found in GUESSES
    for candidate in dict.fromkeys((reading.encoding, found, *(ENCODINGS if is_guess else ()))):
        try:
            text = content.decode(candidate)
        except UnicodeDecodeError:
            continue
        at = _header(text, target)
        if at is None:
            continue
        if (candidate, at) == (reading.encoding, reading.skip):
            return error
        lines = f"the header is line {at + 1}: give --skip {at}" if at != reading.skip else ""
        if candidate == reading.encoding:
            return f"{name} begins with lines above its header, such as {_first(text)!r}; {lines}"
        return (
            f"{name} is not {'UTF-8' if is_guess else reading.encoding}; read as {candidate} it has the column "
            f"'{target}': give --encoding {candidate}{'; ' if lines else ''}{lines}"
        )
    text = _beginning(content, reading.encoding)
    if content.startswith(ZIP) or _first(text)[:1] in ("<", "{", "["):
        return error
    if is_guess:
        say = "say with --encoding how it is written, such as cp949, gb18030, big5, shift_jis or cp1251"
        if target.isascii():  # it reads the same in all of them
            return f"{error}; the file is not UTF-8: where its names look wrong, {say}"
        return f"--target: {name} is not UTF-8, and read as {reading.encoding} it has no column '{target}'; {say}"
    cells = [max(line.count(mark) for mark in SEPARATORS) for line in _lines(text)]
    usual = max(set(cells), key=cells.count)
    at = cells.index(usual)
    if usual and at > reading.skip:
        seems = f"the header seems to be line {at + 1}: give --skip {at}"
        return f"{name} begins with lines above its header, such as {_first(text)!r}; {seems}"
    return error


def _beginning(content: bytes, name: str) -> str:
    text = content.decode("utf-8-sig" if name == "utf-8" else name, errors="replace")
    return text[:SAMPLE].removeprefix("\ufeff")


def _lines(text: str) -> list[str]:
    return re.split(r"\r\n|\n|\r", text[:SAMPLE].removeprefix("\ufeff"))[:LINES]


def _first(text: str) -> str:
    return next((line for line in _lines(text) if line.strip()), "")[:SHOWN]


def _header(text: str, target: str) -> int | None:
    """Number of lines above the first line that has the target among its cells; None where there is none."""
    wanted = column_name(target).strip()
    for place, line in enumerate(_lines(text)):
        for mark in SEPARATORS:
            cells = line.split(mark)
            if len(cells) > 1 and wanted in {column_name(cell).strip(' "') for cell in cells}:
                return place
    return None


def encoding(content: bytes) -> str:
    """The encoding of a text: UTF-16 and UTF-8 can be recognised, a Western European one is the last resort."""
    for mark, marked in MARKS.items():
        if content.startswith(mark):
            return marked
    beginning = content[:2000]
    if beginning.count(0) > len(beginning) / 4:
        return "utf-16-le" if beginning[1::2].count(0) > beginning[::2].count(0) else "utf-16-be"
    for candidate in ("utf-8", GUESSES[0]):
        try:
            content.decode(candidate)
        except UnicodeDecodeError:
            continue
        return candidate
    return GUESSES[1]


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
