"""Splits CEL text into tokens, as the lexical part of CEL's published grammar says.

Left out of it: bytes (`b"…"`), which JSON cannot say, and back-quoted names.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from passerelle.definitions.expressions.errors import ExpressionProblem

Kind = Literal["number", "text", "name", "symbol", "end"]

MAX_LENGTH: Final = 4096
"""Characters of one expression."""


@dataclass(frozen=True, slots=True)
class Token:
    """One token. `value` is what a number or a text means; `text` is what a name or a symbol says."""

    kind: Kind
    text: str
    offset: int
    value: str | int | float = ""


_ESCAPE = r"""\\(?:[abfnrtv\\?"'`]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2})"""
_BLANK: Final = re.compile(r"(?:[ \t\r\n\f]+|//[^\n]*)*")
_NUMBER: Final = re.compile(
    r"(?P<float>(?:\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?))"
    r"|(?P<hex>0x[0-9a-fA-F]+)[uU]?"
    r"|(?P<int>\d+)[uU]?",
    re.ASCII,
)
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SYMBOL: Final = re.compile(r"&&|\|\||[=!<>]=|[-+*/%!<>?:.,()\[\]{}]")
_TEXT_START: Final = re.compile(r"""([bB]?)([rR]?)(\"{3}|'{3}|"|')""")
_RAW: Final = {
    '"': re.compile(r'([^"\r\n]*)"'),
    "'": re.compile(r"([^'\r\n]*)'"),
    '"""': re.compile(r'((?:.)*?)"""', re.DOTALL),
    "'''": re.compile(r"((?:.)*?)'''", re.DOTALL),
}
_COOKED: Final = {
    '"': re.compile(rf'((?:{_ESCAPE}|[^"\\\r\n])*)"'),
    "'": re.compile(rf"((?:{_ESCAPE}|[^'\\\r\n])*)'"),
    '"""': re.compile(rf'((?:{_ESCAPE}|[^\\])*?)"""', re.DOTALL),
    "'''": re.compile(rf"((?:{_ESCAPE}|[^\\])*?)'''", re.DOTALL),
}
_ESCAPES: Final = re.compile(_ESCAPE)
_SIMPLE_ESCAPES: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def next_token(text: str, position: int) -> tuple[Token, int]:
    """The token at or after `position`, and where it ends. Raises `ExpressionProblem`."""
    offset = _skip_blanks(text, position)
    if offset >= len(text):
        return Token("end", "the end of the expression", len(text)), len(text)
    for read in _READERS:
        found = read(text, offset)
        if found is not None:
            return found
    raise ExpressionProblem(_unexpected(text[offset]), offset)


def _skip_blanks(text: str, position: int) -> int:
    blank = _BLANK.match(text, position)
    return blank.end() if blank else position


def _text(text: str, offset: int) -> tuple[Token, int] | None:
    start = _TEXT_START.match(text, offset)
    if start is None:
        return None
    is_bytes, is_raw, quote = start.groups()
    if is_bytes:
        raise ExpressionProblem("JSON has no bytes; write the text without the b before it", offset)
    body = (_RAW if is_raw else _COOKED)[quote].match(text, start.end())
    if body is None:
        raise ExpressionProblem(_unreadable(text, start.end(), quote), offset)
    content = body.group(1)
    value = content if is_raw else _ESCAPES.sub(lambda match: _unescape(match.group(), offset), content)
    return Token("text", body.group(), offset, value), body.end()


def _unreadable(text: str, start: int, quote: str) -> str:
    """Why the text that starts at `start` cannot be read."""
    if text.find(quote, start) < 0:
        return f"this text is not closed; add {quote} where it ends"
    return (
        f"this text is not closed on its line, or has a wrong escape; "
        f"write \\\\ for a backslash, or r{quote}…{quote} for a text without escapes"
    )


def _unescape(escape: str, offset: int) -> str:
    letter, digits = escape[1], escape[2:]
    if letter in "xXuU":
        return _character(int(digits, 16), escape, offset)
    if letter.isdigit():
        return chr(int(escape[1:], 8))
    return _SIMPLE_ESCAPES.get(letter, letter)


def _character(code: int, escape: str, offset: int) -> str:
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise ExpressionProblem(f"{escape} is not a character", offset)
    return chr(code)


def _number(text: str, offset: int) -> tuple[Token, int] | None:
    match = _NUMBER.match(text, offset)
    if match is None:
        return None
    digits = match.group("float")
    value = float(digits) if digits else int(match.group("hex") or match.group("int"), 16 if match.group("hex") else 10)
    if not (math.isfinite(value) and (digits or value < 2**64)):
        raise ExpressionProblem("this number is too large; whole numbers have at most 64 bits", offset)
    return Token("number", match.group(), offset, value), match.end()


def _name(text: str, offset: int) -> tuple[Token, int] | None:
    match = _NAME.match(text, offset)
    return match and (Token("name", match.group(), offset), match.end())


def _symbol(text: str, offset: int) -> tuple[Token, int] | None:
    match = _SYMBOL.match(text, offset)
    return match and (Token("symbol", match.group(), offset), match.end())


_READERS: Final[tuple[Callable[[str, int], tuple[Token, int] | None], ...]] = (_text, _number, _name, _symbol)

_INSTEAD: Final = {
    "=": "compare with ==",
    "&": "write && for “and”",
    "|": "write || for “or”",
    "$": "inside ${…} names are written as they are",
    "`": 'write x["…"] for a member whose name is not a plain word',
    "“": "texts stand in \" or '",
    "”": "texts stand in \" or '",
}


def _unexpected(character: str) -> str:
    hint = _INSTEAD.get(character)
    return f"{character!r} means nothing here" + (f"; {hint}" if hint else "")
