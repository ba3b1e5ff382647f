"""Numbers as people type them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Final

from passerelle.kit.text import number_text

_SPACES: Final = re.compile("[\\s'’]")
_MARKS: Final = str.maketrans({"٫": ".", "٬": ","})
"""The decimal and grouping marks of Arabic."""
_PLAIN: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)")
_GROUPED: Final = re.compile(r"\d{1,3}([.,]\d{3})+|\d{1,2}(,\d{2})+,\d{3}")
"""By thousands, or as in India: `12,34,567`."""
_LARGEST: Final = 2**63 - 1
_LONGEST: Final = 400
"""Characters; the smallest number that a computer calculates with has some 340."""


def parse_number(typed: str, decimal: str, currency: str = "") -> int | float | None:
    """`1 234,50`, `1,234.50`, `-3`, `−3`, `12.5`, `€ 12`, `12 zł`: the number, or None where it is none.

    decimal   the language's decimal mark; it decides where one mark could mean either (`1,234`)
    currency  the one that the number is in: another one's sign is no part of it; any sign is where this is empty
    """
    text = _SPACES.sub("", number_text(typed.translate(_MARKS)))
    if len(text) > _LONGEST:
        return None
    text = _without_sign(text, currency)
    sign, body = (text[0], text[1:]) if text[:1] in ("+", "-") else ("", text)
    plain = sign + _without_groups(body, decimal)
    if not _PLAIN.fullmatch(plain):
        return None
    if "." not in plain:
        whole = int(plain)
        return whole if abs(whole) <= _LARGEST else None
    number = float(plain)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _without_sign(text: str, currency: str) -> str:
    """An amount without the sign or the code of its currency, before or behind it."""
    known = _signs(currency) if currency else _ANY_SIGN
    folded = text.casefold()
    for sign in known:
        if folded.startswith(sign):
            return text[len(sign) :]
        if folded.endswith(sign):
            return text[: -len(sign)]
        if folded.startswith(f"-{sign}"):
            return "-" + text[len(sign) + 1 :]
    return text


@lru_cache(maxsize=64)
def _signs(currency: str) -> tuple[str, ...]:
    """How people write a currency, the longest first: `pln`, `zł`."""
    from babel import Locale  # noqa: PLC0415 - few forms ask for money

    found = {currency}
    for language in _WRITTEN_IN:
        if (sign := Locale.parse(language).currency_symbols.get(currency)) is not None:
            found.add(sign)
    found |= _ALSO.get(currency, set())
    folded = {_SPACES.sub("", sign).casefold() for sign in found}
    return tuple(sorted({*folded, *(sign.rstrip(".") for sign in folded)}, key=len, reverse=True))


_WRITTEN_IN: Final = ("en", "pl", "de", "fr", "es", "it", "uk", "cs", "ro", "ar", "hu", "sv", "da", "nb", "bg", "hr")
_ALSO: Final[Mapping[str, set[str]]] = {
    "USD": {"$"},
    "CAD": {"$"},
    "AUD": {"$"},
    "JPY": {"¥"},
    "CNY": {"¥"},
    "CHF": {"fr", "sfr"},
    "GBP": {"£"},
    "PLN": {"zł", "zl"},
    "RON": {"lei"},
    "SEK": {"kr"},
    "NOK": {"kr"},
    "DKK": {"kr"},
}
_ANY_SIGN: Final = ("zł", "kč", "€", "$", "£", "¥", "₴", "₽", "₹", "₺", "₩", "₪")


def format_number(value: float, decimal: str) -> str:
    """As `parse_number` reads it back: no groups, the language's decimal mark."""
    if isinstance(value, int):
        return str(value)
    text = format(Decimal(repr(value)), "f")
    # Without decimals it would be read back as an integer, which may differ in its last digits.
    return (text if "." in text else f"{text}.0").replace(".", decimal)


def _without_groups(body: str, decimal: str) -> str:
    """The digits, with `.` before the decimals."""
    marks = [char for char in body if char in ".,"]
    if not marks:
        return body
    kinds = set(marks)
    if len(kinds) == 2:
        last = marks[-1]
        whole, _, fraction = body.rpartition(last)
        grouped = last not in whole and _GROUPED.fullmatch(whole)
        return f"{re.sub('[.,]', '', whole)}.{fraction}" if grouped else "?"
    mark = marks[0]
    if len(marks) > 1:
        return body.replace(mark, "") if _GROUPED.fullmatch(body) else "?"
    if mark != decimal and _GROUPED.fullmatch(body) and not body.startswith("0"):
        return body.replace(mark, "")
    return body.replace(mark, ".")
