"""What a browser sent for a form: every value that each name has, in their order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Self

from passerelle.kit.text import composed

MARK = "#"
"""Parts of one field are named after it: `/birthDate#day`. A pointer's own `#` never ends in such a name."""


class Posted:
    """Names are JSON pointers into the form's value; a name that was not sent was not on the page."""

    def __init__(self, values: Mapping[str, list[str]]) -> None:
        self._values = values

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> Self:
        """From the pairs of a form body."""
        values: dict[str, list[str]] = {}
        for name, value in pairs:
            values.setdefault(name, []).append(composed(value.replace("\r\n", "\n").replace("\0", "")))
        return cls(values)

    def all(self, name: str) -> list[str] | None:
        """Every value of the name; None where it was not sent."""
        return self._values.get(name)

    def last(self, name: str, part: str = "") -> str | None:
        """The last value: a box's own comes after the hidden one that tells that the box was there."""
        values = self._values.get(f"{name}{MARK}{part}" if part else name)
        return values[-1] if values else None
