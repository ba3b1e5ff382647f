"""Names as documents write them in A to Z: ICAO Doc 9303 part 3, section 6, and the rules of those who issue.

A letter may be written in several ways: by language, by the year of the document, by the choice of its holder. Each
is listed; a name is the one in the lines if some way of writing all of its letters gives it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Literal

Comparison = Literal["same", "different", "unknown"]


def _table(text: str) -> Mapping[str, tuple[str, ...]]:
    """`Я IA YA JA`: a letter, or letters that are written together, and the ways to write it; `-` is none at all."""
    rows = [row.split() for row in text.strip().splitlines()]
    return {letter: tuple("" if one == "-" else one for one in ways) for letter, *ways in rows}


_LATIN: Final = _table(
    """
    Ä AE A
    Å AA A
    Æ AE
    Ö OE O
    Ø OE O
    Œ OE
    Ü UE U UXX
    ẞ SS
    Ñ N NXX
    Ð D
    Đ D DJ
    Þ TH
    Ĳ IJ
    Ł L
    Ħ H
    Ŋ N
    Ŧ T
    Ə A E
    İ I
    ı I
    Ŀ L
    ĸ Q K
    Ǥ G
    Ɖ D
    Ƒ F
    Ơ O
    Ư U
    """
)
"""What has no plain letter inside, or more than one way. Other letters with marks are written without them."""

_CYRILLIC: Final = _table(
    """
    А A
    Б B
    В V W
    Г G H
    ЗГ ZGH ZG ZH
    Ґ G
    Д D
    Е E IE YE JE
    Ё E IO YO JO IE
    Є IE YE E JE
    Ж ZH Z J
    З Z
    И I Y
    ИЙ Y I IY II IJ YI YY
    ІЙ I Y II IY
    ЫЙ Y YI YY I
    І I
    Ї I YI JI
    Й I Y J
    К K
    Л L
    М M
    Н N
    О O
    П P
    Р R
    С S
    Т T
    У U OU
    Ў U W
    Ф F
    Х KH H X
    Ц TS C TC
    Ч CH C TCH
    Ш SH S
    Щ SHCH SHT SCH S
    Ъ IE A -
    Ы Y I
    Ь - Y
    Э E
    Ю IU YU JU
    Я IA YA JA
    Ѣ E IE
    Ѫ U A
    Ѵ Y I
    Ѓ G GJ
    Ђ D DJ
    Ѕ DZ
    Ј J
    Ќ K KJ
    Љ LJ L
    Њ NJ N
    Ћ C
    Џ DZ DJ DZH
    Ә A E AE
    Ғ G GH
    Қ K Q
    Ң N NG
    Ө O OE
    Ү U UE
    Ұ U
    Һ H C
    Ҳ H KH
    Ҷ J CH
    Ӣ I
    Ӯ U
    """
)
"""The table of Doc 9303 with its exceptions, Ukraine's resolution 55 of 2010, Bulgaria's act of 2009, the Latin
alphabets of Serbia and North Macedonia, and what Russian and Belarusian documents wrote before."""

_GREEK: Final = _table(
    """
    Α A
    ΑΙ AI E
    ΑΥ AV AF AY AU
    Β V B
    Γ G Y
    ΓΓ NG GG
    ΓΚ GK G NK NG
    ΓΞ NX GX
    ΓΧ NCH NH GCH
    Δ D
    Ε E
    ΕΙ EI I
    ΕΥ EV EF EY EU
    Ζ Z
    Η I E
    ΗΥ IV IF IY
    Θ TH
    Ι I
    Κ K C
    Λ L
    Μ M
    ΜΠ B MP
    Ν N
    ΝΤ NT D
    Ξ X KS
    Ο O
    ΟΙ OI I
    ΟΥ OU U
    Π P
    Ρ R
    Σ S
    Τ T
    Υ Y I U
    ΥΙ YI I
    Φ F PH
    Χ CH H KH
    Ψ PS
    Ω O
    """
)
"""ELOT 743 (ISO 843), and how documents wrote before."""

_LETTERS: Final[Mapping[str, tuple[str, ...]]] = {**_LATIN, **_CYRILLIC, **_GREEK}
_LONGEST: Final = max(map(len, _LETTERS))
_COMPARED: Final = ("LATIN", "CYRILLIC", "GREEK")


def compare(typed: str, there: str, *, cut: bool = False) -> Comparison:
    """Whether `typed` can be the name that stands in the lines as `there`; `cut`: it may go on behind them.

    `unknown` where it has letters of a script that has no table here, and is not obviously the same.
    """
    letters = plain_letters(there)
    if _fits(_upper(typed), letters, cut=cut) or _fits(_upper(_by_library(typed)), letters, cut=cut):
        return "same"
    return "different" if all(map(_is_compared, typed)) else "unknown"


def plain_letters(text: str) -> str:
    """Only letters and digits: apostrophes, hyphens and spaces are left out or become fillers."""
    return re.sub("[^0-9A-Z]", "", text)


def _upper(text: str) -> str:
    return unicodedata.normalize("NFC", text.replace("ß", "ẞ").replace("ς", "σ").upper())


def _by_library(text: str) -> str:
    """Letters without a table, as they are usually written."""
    from anyascii import anyascii  # noqa: PLC0415 - its tables are loaded with the first run

    return anyascii(text)


def _fits(typed: str, there: str, *, cut: bool) -> bool:
    """Goes through the typed letters and keeps every place of the lines that some way to write them leads to."""
    places: list[set[int]] = [{0}, *(set() for _ in range(len(typed)))]
    reached_end = False
    for at in range(len(typed)):
        for length in range(1, min(_LONGEST, len(typed) - at) + 1):
            for way in _ways(typed[at : at + length]):
                for place in places[at]:
                    if there.startswith(way, place):
                        places[at + length].add(place + len(way))
                    elif cut and there and way.startswith(there[place:]):
                        reached_end = True
        if cut and there and len(there) in places[at]:
            reached_end = True
    return reached_end or len(there) in places[len(typed)]


@lru_cache(maxsize=4_096)
def _ways(letters: str) -> tuple[str, ...]:
    """How a letter, or some that are written together, can stand in the lines; none where they do not belong so."""
    known = _LETTERS.get(letters)
    if known is not None:
        return known
    # A stress mark makes no other letter; two dots on a Greek one keep it apart from the one before.
    bare = "".join(one for one in unicodedata.normalize("NFD", letters) if not unicodedata.combining(one))
    if len(letters) > 1:
        apart = len(bare) != len(letters) or "\u0308" in unicodedata.normalize("NFD", letters)
        return () if apart else _LETTERS.get(bare, ())
    return _LETTERS.get(bare) or (plain_letters(bare),)


def _is_compared(character: str) -> bool:
    """Whether the tables know how the character is written; what is no letter is never written."""
    return not character.isalpha() or unicodedata.name(character, "").startswith(_COMPARED)
