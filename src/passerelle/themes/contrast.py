"""Contrast of two colours as WCAG 2.2 defines it, and the nearest colour that can be read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

COLOUR: Final = re.compile("#[0-9a-f]{6}")
TEXT: Final = 4.5
"""The ratio that text needs at least (success criterion 1.4.3, level AA)."""
EDGE: Final = 3.0
"""The ratio that the edges of fields and buttons need (1.4.11)."""

_STEPS: Final = 100
_BLACK: Final = "#000000"
_WHITE: Final = "#ffffff"


def ratio(one: str, other: str) -> float:
    """The contrast ratio of two colours (`#rrggbb`), from 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def mix(one: str, other: str, share: float) -> str:
    """`share` of the first colour, the rest of the other."""
    parts = (
        round(first * share + second * (1 - share)) for first, second in zip(_parts(one), _parts(other), strict=True)
    )
    return "#" + "".join(f"{part:02x}" for part in parts)


def readable(colour: str, backs: Sequence[str], wanted: float = TEXT) -> str | None:
    """The colour nearest to `colour`, itself included, with the `wanted` ratio to each of `backs`.

    It is made darker or lighter, whichever changes it less; None where neither black nor white would do.
    """
    for step in range(_STEPS + 1):
        for end in (_BLACK, _WHITE):
            candidate = mix(end, colour, step / _STEPS)
            if all(ratio(candidate, back) >= wanted for back in backs):
                return candidate
    return None


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(part / 255) for part in _parts(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
