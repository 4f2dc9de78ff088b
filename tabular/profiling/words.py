"""What the name of a column says about its values."""

import re

IDENTIFIERS = frozenset({"id", "ids", "uuid", "guid", "rowid", "hash"})
NUMBERING = frozenset({"idx", "index", "key", "nr", "no", "number", "row", "rownames"})
"""Last words that identifiers and measures share: `row index` and `heat index`."""
OWNERS = (
    "account|application|booking|case|client|customer|device|employee|event|house|invoice|item|listing|loan|member|"
    "order|passenger|patient|person|post|product|property|record|row|session|shop|store|student|subject|ticket|track|"
    "transaction|trip|user|vendor|visit"
)
"""Nouns with which an `id` is often written in one word; `paid`, `covid` and `humid` are no such words."""
CODES = frozenset(
    {"zip", "zipcode", "postcode", "postal", "plz", "code", "codes", "cd", "type", "category", "class", "id", "sku"}
)
MEASURES = frozenset({"amount", "area", "cost", "count", "fee", "price", "rate", "ratio", "score", "size", "value"})
"""Last words of measures, whatever stands before them: a `class size` is no class."""
DATES = frozenset({"date", "day", "datum", "time", "timestamp", "datetime", "dt", "at", "on"})
SENSITIVE = frozenset(
    {
        "age", "birth", "birthdate", "birthday", "caste", "citizenship", "creed", "disability", "disabled", "dob",
        "ethnic", "ethnicity", "gender", "immigrant", "marital", "nationality", "pregnant", "race",
        "religion", "sex", "sexuality", "veteran", "zip", "zipcode", "postcode",
        "alter", "behinderung", "familienstand", "geburtsdatum", "geschlecht", "herkunft", "konfession",
        "nationalität", "plz", "staatsangehörigkeit",
        "âge", "handicap", "nationalité", "sexe",
        "discapacidad", "edad", "género", "nacionalidad", "raza", "religión", "sexo",
        "deficiência", "etnia", "gênero", "idade", "nacionalidade", "raça", "religião",
        "età", "genere", "nazionalità", "religione", "sesso", "geslacht", "leeftijd", "nationaliteit",
    }
)  # fmt: skip
"""Words in names of columns about which laws forbid to discriminate, or that stand for where people live."""
LATITUDE = frozenset({"lat", "latitude"})
LONGITUDE = frozenset({"lon", "lng", "long", "longitude"})


def words(name: str) -> list[str]:
    """The words of a column's name in lower case; `PassengerId` and `passenger_id` have the same two words."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return [word for word in re.split(r"[\W_]+", parted.lower()) if word]


def is_identifier(name: str) -> bool:
    """Whether a column of this name identifies rows if most of its values are different."""
    parts = words(name) or [""]
    glued = re.fullmatch(rf"({OWNERS})ids?", parts[-1]) is not None
    return glued or parts[-1] in IDENTIFIERS or parts[0] in ("id", "unnamed")


def may_number(name: str) -> bool:
    """Whether a column of this name may number the rows, and may be a measure as well: its values tell."""
    parts = words(name)
    return not parts or parts[-1] in NUMBERING


def is_code(name: str) -> bool:
    """Whether the numbers in a column of this name are codes, which have no order."""
    parts = words(name)
    return bool(CODES & set(parts)) and parts[-1] not in MEASURES


def is_date(name: str) -> bool:
    """Whether the numbers in a column of this name are days."""
    return bool(DATES & set(words(name)))


def is_sensitive(name: str) -> bool:
    """Whether the name of a column hints at an attribute of people by which a model must not treat them differently."""
    return bool(SENSITIVE & set(words(name)))


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
