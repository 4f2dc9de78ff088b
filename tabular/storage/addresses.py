"""Addresses of files: what may be shown of one, and secrets that it names by environment variables."""

import os
import re
from typing import Final

from tabular.errors import UserError

VARIABLE: Final = re.compile(r"(?<=[/:=?&])\$([A-Za-z_]\w*)(?=[:@&]|$)")
"""The name of an environment variable as the login of an address, its password, or a value of its query."""
HARMLESS: Final = re.compile(
    r"([^=#]+=)?|(?!.*(auth|code|cred|key|pass|pin|secret|sig|token))[^=]+=(\d{1,10}|true|false|csv|tsv|parquet|raw|media)",
    re.IGNORECASE,
)
"""A part of a query that holds no secret."""


def is_remote(location: str) -> bool:
    """Whether a location names a protocol such as `https://`, `gs://` or `memory://`."""
    return "://" in location and not location.startswith("file://")


def public(location: str) -> str:
    """The location without `user:password@`, query and fragment, any of which may hold a secret."""
    if not is_remote(location):
        return location
    # A password may hold a slash, though it should not; a colon that no port follows gives it away.
    without_login = re.sub(r"://([^/]*@|[^/:]*:(?!\d+/)[^@]*@)", "://", location)
    return re.split(r"[?#]", without_login)[0]


def holds_secret(location: str) -> bool:
    """Whether an address has a login, query or fragment that may be secret, and is not the name of a variable.

    A login and the values of a query may be names of environment variables, such as `https://host/file?token=$TOKEN`.
    Numbers, `true`, `false` and names of formats are not secret.
    """
    if not is_remote(location):
        return False
    if "${" in location:  # which ZenML would replace by its value, and store
        return True
    known = re.sub(r"://([\w.-]*:)?@", "://", VARIABLE.sub("", location))
    address, _, query = known.partition("?")
    known = address if all(HARMLESS.fullmatch(pair) for pair in query.split("&")) else known
    return public(known) != known


def resolved(location: str) -> str:
    """An address with the values of the environment variables that it names, which are read only when it is used.

    Raises:
        UserError: a variable is not set.
    """

    def value(found: re.Match[str]) -> str:
        if found[1] not in os.environ:
            raise UserError(
                f"{public(location)}: the environment variable {found[1]} is not set; set it, such as in .env"
            )
        return os.environ[found[1]]

    return VARIABLE.sub(value, location) if is_remote(location) else location
