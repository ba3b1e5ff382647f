"""The countries and territories of ISO 3166: their codes, and their names in a language."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Final

_NONE: Final = frozenset({"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ", "AC", "CP", "CQ", "DG", "EA", "IC", "TA"})
"""Codes of CLDR that are no country of ISO 3166."""


@cache
def codes() -> frozenset[str]:
    """The codes of two letters."""
    from babel import Locale  # noqa: PLC0415 - its tables take a moment to load

    names = map(str, Locale.parse("en").territories)
    return frozenset(code for code in names if len(code) == 2 and code.isalpha() and code not in _NONE)


def is_country(code: object) -> bool:
    """Whether it is the code of a country: `PL`."""
    return isinstance(code, str) and code in codes()


@lru_cache(maxsize=64)
def names(language: str) -> Mapping[str, str]:
    """The countries' names by their codes, in the order of the names."""
    from anyascii import anyascii  # noqa: PLC0415 - as above
    from babel import Locale, UnknownLocaleError  # noqa: PLC0415 - as above

    try:
        known = Locale.parse(language, sep="-").territories
    except (UnknownLocaleError, ValueError):
        known = Locale.parse("en").territories
    found = {code: known.get(code, code) for code in codes()}
    return dict(sorted(found.items(), key=lambda pair: anyascii(pair[1]).casefold()))
