"""Names as they are compared: Latin letters, small, in words."""

from __future__ import annotations

import re
from typing import Final

from anyascii import anyascii

_WORD: Final = re.compile("[a-z0-9]+")
_INSIDE_WORDS: Final = re.compile(r"['’ʼ`´]|(?<=\b[^\W\d_])\.(?=[^\W\d_]\b)")
"""Apostrophes, and the points of abbreviations: S.A. is SA."""

LEGAL_FORMS: Final = frozenset(
    (
        *("ab", "ag", "ao", "as", "bv", "co", "company", "corp", "corporation", "gmbh", "inc"),
        *("incorporated", "jsc", "kg", "kft", "limited", "llc", "llp", "lp", "ltd", "nv", "oao"),
        *("ojsc", "oo", "ooo", "oy", "pao", "pjsc", "plc", "pte", "pty", "sa", "sarl"),
        *("sas", "sp", "spa", "spolka", "srl", "the", "z", "zao", "zrt"),
    )
)
"""Words of companies' names that tell little: they may be missing, or differ from country to country."""


def words(name: str) -> list[str]:
    """The words of a name in whatever script, transliterated letter by letter; without repetitions.

    A name of a script that is written without spaces is one word.
    """
    plain = _INSIDE_WORDS.sub("", name)
    latin = plain if plain.isascii() else anyascii(plain)
    return list(dict.fromkeys(_WORD.findall(latin.lower())))


def weight(word: str) -> float:
    """How much a word says: its length; of a legal form a tenth."""
    return len(word) * (0.1 if word in LEGAL_FORMS else 1.0)
