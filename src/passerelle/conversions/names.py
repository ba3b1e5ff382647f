"""Names that the language takes, made of whatever a file calls things."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from anyascii import anyascii

LONGEST: Final = 60
_WORDS: Final = (
    "as break const continue else false for function if import in let loop namespace null package return true var void"
    " while parameters steps record case execution secrets item form"
)
_RESERVED: Final = frozenset(_WORDS.split())
"""Words of expressions, and the names at their beginning."""


def one_line(text: object, longest: int = 200) -> str:
    """A text as people read it on one line: no control characters, no blanks side by side, cut where it is long."""
    words = " ".join("".join(sign if sign.isprintable() else " " for sign in str(text)).split())
    return words if len(words) <= longest else words[: longest - 1].rstrip() + "…"


def as_text(text: object, longest: int = 500) -> str:
    """The same as a text of a definition: what looks like an expression stays as it is written."""
    return one_line(text, longest).replace("${", "$${")


def as_title(text: object, longest: int = 500) -> str:
    """The same where a definition replaces nothing: a blank keeps it from looking like an expression."""
    return one_line(text, longest).replace("${", "$ {")


def identifier(text: object, fallback: str) -> str:
    """A name in camel case that expressions can read."""
    plain = re.sub(r"\be-mail", "email", anyascii(str(text)[:300]), flags=re.IGNORECASE)
    words = [word.lower() if word.isupper() else word for word in re.findall(r"[A-Za-z0-9]+", plain)]
    name = "".join(word if number == 0 else word[:1].upper() + word[1:] for number, word in enumerate(words))
    name = (name[:1].lower() + name[1:])[:LONGEST]
    if not name or name[0].isdigit():
        name = fallback + name[:1].upper() + name[1:]
    return f"{name}Value" if name in _RESERVED else name


def unique(name: str, taken: Iterable[str]) -> str:
    """The name, with a number behind it where it is taken, whatever its case."""
    lower = {one.lower() for one in taken}
    number, found = 2, name
    while found.lower() in lower:
        found, number = f"{name}{number}", number + 1
    return found


def definition_name(text: object) -> str:
    """A name for a definition: small letters, digits and dashes."""
    name = re.sub(r"[^a-z0-9]+", "-", anyascii(str(text)[:300]).lower()).strip("-")[:LONGEST].strip("-")
    return name or "imported"


def table_name(text: object) -> str:
    """A name for a table."""
    return identifier(text, "table")
