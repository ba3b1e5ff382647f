"""The words that full-text search finds: without accents and capitals, so that `lodz` finds `Łódź`."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from passerelle.kit.json import JsonObject
from passerelle.tables.models import Table
from passerelle.tables.types import TYPES

PER_FIELD: Final = 10_000
"""Characters at the beginning of each text that are searched."""
PER_RECORD: Final = 200_000
LONGEST_WORD: Final = 200
"""Characters of a word by which it is found; PostgreSQL holds no word beyond 2,046 bytes."""

_WORD: Final = re.compile(r"\w+")
_LETTERS: Final = str.maketrans({"ł": "l", "đ": "d", "ø": "o", "ß": "ss", "æ": "ae", "œ": "oe", "ı": "i"})


def folded(text: str) -> str:
    """`text` in small letters without accents."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in plain if not unicodedata.combining(char)).translate(_LETTERS)


def words_of(text: str) -> list[str]:
    """The words of a text, folded."""
    return [word[:LONGEST_WORD] for word in _WORD.findall(folded(text))]


def search_text(table: Table, values: JsonObject) -> str | None:
    """What a record is found by: the words of its texts, each once, separated by one space. None if there are none."""
    words = (
        word
        for field in table.fields
        if field.key in values and TYPES[field.type].searched
        for word in words_of(values[field.key][:PER_FIELD])
    )
    found = " ".join(dict.fromkeys(words))
    if len(found) > PER_RECORD:
        found = found[:PER_RECORD].rpartition(" ")[0]
    return found or None


def text_query(text: str) -> str | None:
    """A `tsquery` for records that have every word of `text`, or one that begins with it. None without a word."""
    return " & ".join(f"'{word}':*" for word in words_of(text)) or None
