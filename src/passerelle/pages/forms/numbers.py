"""Numbers as people type them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

_SPACES: Final = re.compile("[\\s'’]")
_PLAIN: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)")
_GROUPED: Final = re.compile(r"\d{1,3}([.,]\d{3})+")
_LARGEST: Final = 2**63 - 1
_LONGEST: Final = 400
"""Characters; the smallest number that a computer calculates with has some 340."""


def parse_number(typed: str, decimal: str) -> int | float | None:
    """`1 234,50`, `1,234.50`, `-3`, `−3`, `12.5`: the number, or None where it is none.

    decimal   the language's decimal mark; it decides where one mark could mean either (`1,234`)
    """
    text = _SPACES.sub("", typed).replace("−", "-")
    if len(text) > _LONGEST:
        return None
    sign, body = (text[0], text[1:]) if text[:1] in ("+", "-") else ("", text)
    plain = sign + _without_groups(body, decimal)
    if not _PLAIN.fullmatch(plain):
        return None
    if "." not in plain:
        whole = int(plain)
        return whole if abs(whole) <= _LARGEST else None
    number = float(plain)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


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
