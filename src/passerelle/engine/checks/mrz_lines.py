"""Reading the machine-readable zone of travel documents: ICAO Doc 9303, parts 3 (all), 4 (TD3), 5 (TD1), 6 (TD2).

Written here, because the library that PyPI has for it is under the GPL.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from passerelle.kit.text import number_text

FILLER: Final = "<"
_WEIGHTS: Final = (7, 3, 1)
_VALUES: Final = {character: value for value, character in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")} | {"<": 0}
_CHARACTERS: Final = re.compile("[0-9A-Z<]*")


def check_digit(text: str) -> str:
    """The check digit of `text`, which has digits, capital letters and fillers only (part 3, section 4.9)."""
    total = sum(_VALUES[character] * _WEIGHTS[place % 3] for place, character in enumerate(text))
    return str(total % 10)


@dataclass(frozen=True, slots=True)
class Span:
    """Characters of the zone's lines, taken as one text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each field stands; places count from the first character of the first line."""

    name: str
    lines: int
    length: int
    names: Span
    number: Span
    nationality: Span
    birth: Span
    sex: int
    expiry: Span
    optional: Span
    """The field that a long document number goes on in; in TD3 the one with a check digit of its own."""
    more: Span | None
    """TD1's second field of free use."""
    composite: tuple[Span, ...]
    """What the last check digit covers."""
    composite_at: int
    own_digit: bool = False
    """Whether `optional` is followed by its own check digit."""


LAYOUTS: Final = (
    Layout(
        "TD3", 2, 44, names=Span(5, 44), number=Span(44, 53), nationality=Span(54, 57), birth=Span(57, 63), sex=64,
        expiry=Span(65, 71), optional=Span(72, 86), more=None,
        composite=(Span(44, 54), Span(57, 64), Span(65, 87)), composite_at=87, own_digit=True,
    ),
    Layout(
        "TD2", 2, 36, names=Span(5, 36), number=Span(36, 45), nationality=Span(46, 49), birth=Span(49, 55), sex=56,
        expiry=Span(57, 63), optional=Span(64, 71), more=None,
        composite=(Span(36, 46), Span(49, 56), Span(57, 71)), composite_at=71,
    ),
    Layout(
        "TD1", 3, 30, names=Span(60, 90), number=Span(5, 14), nationality=Span(45, 48), birth=Span(30, 36), sex=37,
        expiry=Span(38, 44), optional=Span(15, 30), more=Span(48, 59),
        composite=(Span(5, 30), Span(30, 37), Span(38, 45), Span(48, 59)), composite_at=59,
    ),
)  # fmt: skip


_OWN_LAYOUTS: Final = ("IDFRA",)
"""How cards of two lines begin that were made before their countries followed Doc 9303: France's until 2021."""


class UnreadableZone(Exception):  # noqa: N818 - a verdict on what was given
    """The lines are not those of a document. `code` and message are a check's reason."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Zone:
    """The zone as one text, with its layout."""

    text: str
    layout: Layout

    def field(self, span: Span) -> str:
        """A field as it stands there, with its fillers."""
        return self.text[span.start : span.end]

    @property
    def document_code(self) -> str:
        return plain(self.text[:2])

    @property
    def issuer(self) -> str:
        return plain(self.text[2:5])

    @property
    def document_number(self) -> str:
        """The whole number. One of more than nine characters goes on in the optional field (parts 5 and 6, 4.2.2)."""
        number = self.field(self.layout.number)
        return plain(number) if not self._goes_on else number + self._continuation[:-1]

    @property
    def optional(self) -> str:
        """The optional field without what belongs to the document's number."""
        field = self.field(self.layout.optional)
        return plain(field[len(self._continuation) :] if self._goes_on else field)

    @property
    def names(self) -> tuple[str, str]:
        """Surname and given names, with spaces for fillers."""
        surname, _, given = self.field(self.layout.names).partition("<<")
        return plain(surname), plain(given)

    @property
    def names_are_cut(self) -> bool:
        """Whether the names fill their field, so that they may go on."""
        return not self.field(self.layout.names).endswith(FILLER)

    @property
    def _goes_on(self) -> bool:
        return not self.layout.own_digit and self.text[self.layout.number.end] == FILLER and bool(self._continuation)

    @property
    def _continuation(self) -> str:
        return self.field(self.layout.optional).partition(FILLER)[0]

    def wrong_digits(self) -> list[str]:
        """The fields whose check digit does not fit, in words."""
        layout = self.layout
        checked = [
            ("document number", *self._number_and_digit()),
            ("date of birth", self.field(layout.birth), self.text[layout.birth.end]),
            ("date of expiry", self.field(layout.expiry), self.text[layout.expiry.end]),
            ("whole", "".join(map(self.field, layout.composite)), self.text[layout.composite_at]),
        ]
        if layout.own_digit:
            checked.append(("personal number", self.field(layout.optional), self.text[layout.optional.end]))
        return [name for name, covered, digit in checked if not _fits(name, covered, digit)]

    def _number_and_digit(self) -> tuple[str, str]:
        number = self.field(self.layout.number)
        if self._goes_on:
            return number + self._continuation[:-1], self._continuation[-1]
        return number, self.text[self.layout.number.end]


def _fits(name: str, covered: str, digit: str) -> bool:
    # A personal number that is not used may have a filler for its digit (part 4, 4.2.2.2).
    unused = name == "personal number" and digit == FILLER and not covered.strip(FILLER)
    return unused or digit == check_digit(covered)


def plain(field: str) -> str:
    """A field with spaces for its fillers, none at its ends."""
    return " ".join(field.replace(FILLER, " ").split())


def read(given: str | Sequence[str]) -> Zone:
    """The zone of a document's lines: a list of them, or one text with or without line breaks.

    Spaces and lower case do not matter. Raises `UnreadableZone`.
    """
    lines = given.splitlines() if isinstance(given, str) else [part for line in given for part in line.splitlines()]
    kept = [line for line in ("".join(number_text(line).split()).upper() for line in lines) if line]
    text = "".join(kept)
    if not _CHARACTERS.fullmatch(text):
        raise UnreadableZone("FORMAT", "a document's lines have the letters A to Z, digits and < only")
    layout = _layout_of(kept)
    if text[0] == "V":
        raise UnreadableZone("DOCUMENT_UNKNOWN", "these are the lines of a visa, and only passports and cards are read")
    if layout.name == "TD2" and text.startswith(_OWN_LAYOUTS):
        raise UnreadableZone(
            "DOCUMENT_UNKNOWN", "these are the lines of an older national card with a layout of its own"
        )
    return Zone(text, layout)


def _layout_of(lines: list[str]) -> Layout:
    for layout in LAYOUTS:
        broken = [layout.length] * layout.lines
        if [len(line) for line in lines] in (broken, [sum(broken)]):
            return layout
    lengths = {len(line) for line in lines}
    if (
        len(lengths) == 1
        and (len(lines) > 1 or lengths == {30})
        and lengths.isdisjoint({44, 36})
        and min(lengths) >= 24
    ):
        raise UnreadableZone(
            "DOCUMENT_UNKNOWN", "the lines are as long as one another, and of no document that is read here"
        )
    raise UnreadableZone(
        "LENGTH", "a passport has 2 lines of 44 characters, an identity card 3 of 30 or 2 of 36: some are missing"
    )
