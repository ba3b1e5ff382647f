"""Text as it comes in: in one form of Unicode, and for numbers and addresses without what nobody sees."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)
"""What Unicode calls default-ignorable and has no place in a number or an address: soft hyphen, zero-width space and
joiners, byte order mark, marks and overrides of direction, selectors of variants."""
_USELESS: Final = re.compile("[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""Of the invisible ones, those that a name or a line has no use for: joiners make letters and emoji what they are."""
_DASHES: Final = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"), "-")


def composed(text: str) -> str:
    """The same characters in Unicode's composed form (NFC), so that texts that look the same are the same.

    Nothing that can be seen changes; half of a surrogate pair stays as it is.
    """
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def visible(text: str) -> str:
    """A number or an address without invisible characters, and without blanks at its ends; composed."""
    return _INVISIBLE.sub("", composed(text)).strip() if not text.isascii() else text.strip()


def readable(text: str) -> str:
    """One line of what people write, without invisible characters that it has no use for; composed."""
    return text if text.isascii() else _USELESS.sub("", composed(text))


def number_text(text: str) -> str:
    """As `visible`, with every blank a space, every dash a hyphen, and every decimal digit one of 0 to 9."""
    plain = visible(text)
    if plain.isascii():
        return plain
    return "".join(_number_character(character) for character in plain.translate(_DASHES))


def _number_character(character: str) -> str:
    if character.isspace():
        return " "
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    wide = unicodedata.normalize("NFKC", character)
    # Letters and signs of full width, as keyboards of East Asia write them.
    return wide if len(wide) == 1 and wide.isascii() else character
