"""Telephone numbers with their country: read as people write them, checked by each country's plan, written one way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from passerelle.kit.text import number_text

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

LONGEST: Final = 250
"""Characters that are looked at; nobody writes a number that long."""

_TRUNK: Final = re.compile(r"(?P<before>(?:tel:)?\+[ .\-]*(?P<code>[0-9]{1,3})[ .\-]*)\((?P<digit>[0-9])\)")
"""`+48 (0)22…`: the digit that is dialled within the country only."""


def parsed(text: str, region: str | None = None) -> PhoneNumber:
    """The number, its extension included. Raises `phonenumbers.NumberParseException`.

    region   whose number it is where it comes without `+` and its country's code
    """
    import phonenumbers  # noqa: PLC0415 - its tables take a moment to load, and few programs read a number

    plain = number_text(text)
    if len(plain) > LONGEST:
        raise phonenumbers.NumberParseException(phonenumbers.NumberParseException.TOO_LONG, "too long for a number")
    first: PhoneNumber | None = None
    for spelling in _spellings(plain):
        number = phonenumbers.parse(spelling, region)
        if phonenumbers.is_valid_number(number):
            return number
        first = first or number
    return first or phonenumbers.parse(plain, region)


def stored(text: str) -> str | None:
    """E.164, and `;ext=` with the extension (RFC 3966); None where no country has such a number."""
    import phonenumbers  # noqa: PLC0415 - as above

    try:
        number = parsed(text)
    except phonenumbers.NumberParseException:
        return None
    return written(number) if phonenumbers.is_valid_number(number) else None


def written(number: PhoneNumber) -> str:
    """A number as it is stored: `+48221234567`, `+48221234567;ext=12`."""
    import phonenumbers  # noqa: PLC0415 - as above

    plain = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{plain};ext={number.extension}" if number.extension else plain


def is_phone(text: object) -> bool:
    """Whether `text` is a telephone number with its country, such as `+48 22 123 45 67`."""
    return isinstance(text, str) and stored(text) is not None


def _spellings(text: str) -> Iterator[str]:
    """What the text may mean: without a trunk digit in brackets, and as it stands."""
    from phonenumbers import phonenumberutil  # noqa: PLC0415 - as above

    found = _TRUNK.match(text)
    if found is not None:
        region = phonenumberutil.region_code_for_country_code(int(found["code"]))
        # Italy's numbers keep their zero when they are called from abroad: it is no trunk digit.
        if found["digit"] in ("0", phonenumberutil.ndd_prefix_for_region(region, True)) and found["code"] != "39":
            yield f"{found['before']}{text[found.end() :]}"
    yield text
