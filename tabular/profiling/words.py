"""What the name of a column says about its values."""

import re

IDENTIFIERS = frozenset({"id", "ids", "uuid", "guid", "idx", "index", "key", "nr", "rowid", "hash"})
CODES = frozenset(
    {"zip", "zipcode", "postcode", "postal", "plz", "code", "codes", "cd", "type", "category", "class", "id", "sku"}
)
DATES = frozenset({"date", "day", "datum", "time", "timestamp", "datetime", "dt", "at", "on"})
LATITUDE = frozenset({"lat", "latitude"})
LONGITUDE = frozenset({"lon", "lng", "long", "longitude"})


def words(name: str) -> list[str]:
    """The words of a column's name in lower case; `PassengerId` and `passenger_id` have the same two words."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return [word for word in re.split(r"[^A-Za-z0-9]+", parted.lower()) if word]


def is_identifier(name: str) -> bool:
    """Whether a column of this name identifies rows."""
    parts = words(name)
    unnamed = not parts or parts[0] == "unnamed"
    return unnamed or parts[-1] in IDENTIFIERS or parts[0] == "id" or bool(re.search(r"[a-z]{3}id$", parts[-1]))


def is_code(name: str) -> bool:
    """Whether the numbers in a column of this name are codes, which have no order."""
    return bool(CODES & set(words(name)))


def is_date(name: str) -> bool:
    """Whether the numbers in a column of this name are days."""
    return bool(DATES & set(words(name)))


def places(names: list[str]) -> list[tuple[str, str]]:
    """Pairs of a longitude and a latitude whose names agree in their other words, in the order of the table."""
    found = []
    for latitude in names:
        for longitude in names:
            ours, theirs = words(latitude), words(longitude)
            if LATITUDE & set(ours) and LONGITUDE & set(theirs):
                rest = [[word for word in side if word not in LATITUDE | LONGITUDE] for side in (ours, theirs)]
                if rest[0] == rest[1]:
                    found.append((longitude, latitude))
    return found
