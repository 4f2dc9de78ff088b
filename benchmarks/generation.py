"""Requests that Hypothesis makes up from the parts of the known attacks, from their words, and from any bytes."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from attacks import CSV, JSON, Attack, attacks
from frame import ROOT
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as draw
from hypothesis.database import DirectoryBasedExampleDatabase

KNOWN: Final = [attack for _, attack in attacks()]
WORDS: Final = (
    *'{}[],:"\\\n\r\t ;#$',
    *("rooms", "age", "place", "sold", "rows", "columns", "request_id", "value", "row"),
    *(
        '"rooms":',
        '"rows":[',
        '"columns":{',
        '":1,"',
        "[[",
        "{},",
        "[],",
        '""',
        "\r\n",
        "\r\n\r\n",
        "\\u0000",
        "\\ud800",
    ),
    *("0", "-0", "1e5", "1E400", "-1e-400", "9" * 400, "0.1", "null", "true", "false", "NaN", "Infinity", "2020-02-30"),
    *("HTTP/1.1", "Content-Length: 5", "Transfer-Encoding: chunked", "Expect: 100-continue", "Connection: close"),
)
ANY: Final = draw.characters(max_codepoint=255)
TEXT: Final = draw.lists(draw.sampled_from(WORDS) | draw.text(ANY, max_size=4), max_size=5).map("".join)
PART: Final = TEXT.filter(bool)
PATHS: Final = sorted({attack.path for attack in KNOWN if attack.path})
MADE_UP: Final = draw.one_of(
    draw.builds(Attack, draw.sampled_from(PATHS), draw.sampled_from((JSON, CSV)), TEXT, PART, TEXT, TEXT),
    draw.builds(
        lambda known, part, end, closing: replace(known, part=part, end=end, closing=closing),
        *(draw.sampled_from(KNOWN), PART, TEXT, TEXT),
    ),
    draw.builds(
        lambda known, other, path: replace(known, path=path, part=other.part, closing=other.closing),
        *(draw.sampled_from(KNOWN), draw.sampled_from(KNOWN), draw.sampled_from(PATHS)),
    ),
)
SECONDS: Final = 0.5


def tried(exchange: Callable[[Attack, int], int], cases: int, size: int) -> str:
    """Send made-up requests.

    Args:
        exchange: sends a request of an attack in a size and returns the status code of its answer.
        cases: number of requests, without the repetitions of one that failed.
        size: bytes of a request.

    Returns:
        A request that was not answered within half a second by a status below 500; empty if there is none.
    """

    def is_answered(attack: Attack) -> bool:
        began = time.monotonic()
        status = exchange(attack, size)
        if not attack.path and status == 0:
            return True  # a made-up request may lack an end, for which the service waits
        return 100 < status < 500 and time.monotonic() - began <= SECONDS

    def holds(attack: Attack) -> None:
        assert is_answered(attack) or is_answered(attack), attack  # the second time for a busy machine

    memory = DirectoryBasedExampleDatabase(ROOT / ".cache" / "hypothesis")
    chosen = settings(
        max_examples=cases,
        deadline=None,
        database=memory,
        phases=(Phase.reuse, Phase.generate),  # what takes long is not repeated until it is short
        suppress_health_check=list(HealthCheck),
    )
    try:
        chosen(given(MADE_UP)(holds))()
    except AssertionError as error:
        return str(error)
    return ""
