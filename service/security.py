"""Keys, rate limits, and the security headers of every answer."""

import hashlib
import hmac
import ipaddress
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final

from tabular.errors import UserError

Headers = Mapping[bytes, bytes]
Send = Callable[[dict[str, Any]], Awaitable[None]]

SECURITY_HEADERS: Final[tuple[tuple[bytes, bytes], ...]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
POLICY: Final = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
PAGE_POLICY: Final = (
    b"content-security-policy",
    b"default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'",
)
FORWARDED: Final = frozenset({b"forwarded", b"x-forwarded-for", b"x-real-ip", b"via", b"origin"})
MOST_CLIENTS: Final = 10_000
_HASHED: Final = re.compile(r"sha256:([0-9a-fA-F]{64})")


class ApiKeys:
    """The keys that open the protected routes; only the sha256 of each is kept.

    Args:
        keys: each key in plain text, or as `sha256:` and the 64 hex digits of its sha256.

    Raises:
        UserError: the text after `sha256:` is not a sha256.
    """

    def __init__(self, keys: Iterable[str]) -> None:
        self._digests: list[bytes] = []
        for place, key in enumerate(keys, start=1):
            hashed = _HASHED.fullmatch(key)
            if hashed is None and key.startswith("sha256:"):
                raise UserError(
                    f"STACKHOUSE_API_KEYS: key {place} does not have 64 hex digits after sha256:; hash it again"
                )
            self._digests.append(bytes.fromhex(hashed[1]) if hashed else hashlib.sha256(key.encode()).digest())

    def __bool__(self) -> bool:
        return bool(self._digests)

    def holder(self, headers: Headers) -> bytes | None:
        """The sha256 of the valid key in `X-API-Key` or `Authorization: Bearer`; None if there is none.

        The key is compared with every known one, each time in constant time.
        """
        presented = headers.get(b"x-api-key")
        if presented is None:
            scheme, _, presented = headers.get(b"authorization", b"").partition(b" ")
            if scheme.lower() != b"bearer":
                return None
        digest = hashlib.sha256(presented.strip()).digest()
        matches = [hmac.compare_digest(digest, known) for known in self._digests]
        return digest if any(matches) else None


class RateLimit:
    """A token bucket for each client, which holds tokens for two seconds.

    Args:
        per_second: number of tokens that a client gains each second; None means no limit.
        clock: the time in seconds.
    """

    def __init__(self, per_second: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._clock = clock
        self._buckets: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def wait(self, client: bytes) -> float:
        """Take a token. Returns 0 if there was one, otherwise the seconds until there is one."""
        if self._per_second is None:
            return 0.0
        now = self._clock()
        most = max(1.0, 2 * self._per_second)
        tokens, since = self._buckets.pop(client, (most, now))
        tokens = min(most, tokens + (now - since) * self._per_second)
        allowed = tokens >= 1
        self._buckets[client] = (tokens - 1 if allowed else tokens, now)
        if len(self._buckets) > MOST_CLIENTS:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - tokens) / self._per_second


def with_security_headers(send: Send) -> Send:
    """Add the security headers to an answer that another application sends."""

    async def sending(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *SECURITY_HEADERS, POLICY]}
        await send(message)

    return sending


def is_local(address: str | None, headers: Headers) -> bool:
    """Whether the client runs on this machine: it uses the loopback, no proxy, and no page of another site."""
    if address is None or not FORWARDED.isdisjoint(headers):
        return False
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
