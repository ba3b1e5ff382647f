"""Values as bytes that sort as the values do: what stands in indexes and decides the order of lists.

An empty value is the empty key, so it sorts before all others. Only keys of one field are ever compared.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

EMPTY: Final = b""
LONGEST_TEXT: Final = 500
"""Characters of a text in an index: four bytes each still fit into PostgreSQL's largest index entry."""

_NEGATIVE, _ZERO, _POSITIVE = b"\x40", b"\x60", b"\x80"
_EXPONENT: Final = 1 << 15
_COMPLEMENT: Final = bytes(255 - byte for byte in range(256))


def text_key(value: str) -> bytes:
    """A text's key: by code point, as UTF-8 sorts."""
    return value.encode()


def flag_key(value: bool) -> bytes:
    """False before true."""
    return b"\x01" if value else b"\x00"


def number_key(value: int | float) -> bytes:
    """An integer's or a number's key, exact for both: sign, decimal exponent, digits.

    Those of a negative number are complemented and closed by the highest byte, so that they sort the other way.
    """
    if value == 0:
        return _ZERO
    number = Decimal(repr(value)).normalize()
    digits = "".join(map(str, number.as_tuple().digits)).encode()
    body = (number.adjusted() + _EXPONENT).to_bytes(2) + digits
    return _POSITIVE + body if number > 0 else _NEGATIVE + body.translate(_COMPLEMENT) + b"\xff"


def after_prefix(prefix: bytes) -> bytes | None:
    """The least key beyond all that begin with `prefix`; None if there is none."""
    shortened = prefix.rstrip(b"\xff")
    return shortened[:-1] + bytes([shortened[-1] + 1]) if shortened else None
