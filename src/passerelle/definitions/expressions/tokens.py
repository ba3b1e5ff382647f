"""Splits CEL text into tokens, as the lexical part of CEL's published grammar says.

Left out of it: bytes (`b"…"`), which JSON cannot say, and back-quoted names.
"""

from __future__ import annotations

import math
import re
from typing import Final, Literal, NamedTuple

from passerelle.definitions.expressions.errors import ExpressionProblem

Kind = Literal["number", "text", "name", "symbol", "end"]

MAX_LENGTH: Final = 4096
"""Characters of one expression."""


class Token(NamedTuple):
    """One token. `value` is what a number or a text means; `text` is what a name or a symbol says."""

    kind: Kind
    text: str
    offset: int
    value: str | int | float = ""


_ESCAPE = r"""\\(?:[abfnrtv\\?"'`]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2})"""
_TOKEN: Final = re.compile(
    r"""(?:[ \t\r\n\f]+|//[^\n]*)*"""
    r"""(?:(?P<text>[bB]?[rR]?(?:\"{3}|'{3}|"|'))"""
    r"""|(?P<number>(?:\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)|(?:0x[0-9a-fA-F]+|\d+)[uU]?)"""
    r"""|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"""
    r"""|(?P<symbol>&&|\|\||[=!<>]=|[-+*/%!<>?:.,()\[\]{}]))?""",
    re.ASCII,
)
"""Blanks and comments, and the token after them; of a text only how it begins."""
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
    found = _TOKEN.match(text, position)
    assert found is not None, "it matches nothing at all, too"
    kind = found.lastgroup
    offset = found.start(kind) if kind is not None else found.end()
    if kind == "name":
        return Token("name", found[kind], offset), found.end()
    if kind == "symbol":
        return Token("symbol", found[kind], offset), found.end()
    if kind == "number":
        return _number(found[kind], offset), found.end()
    if kind == "text":
        return _text(text, offset)
    if offset >= len(text):
        return Token("end", "the end of the expression", len(text)), len(text)
    raise ExpressionProblem(_unexpected(text[offset]), offset)


def _text(text: str, offset: int) -> tuple[Token, int]:
    start = _TEXT_START.match(text, offset)
    assert start is not None, "a text was seen to begin here"
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


def _number(text: str, offset: int) -> Token:
    value = _value(text.lower())
    if not (math.isfinite(value) and (isinstance(value, float) or value < 2**64)):
        raise ExpressionProblem("this number is too large; whole numbers have at most 64 bits", offset)
    return Token("number", text, offset, value)


def _value(text: str) -> int | float:
    """What a number says; infinity where Python itself refuses to read so many digits."""
    try:
        if text.startswith("0x"):
            return int(text.rstrip("u"), 16)
        return float(text) if "." in text or "e" in text else int(text.rstrip("u"))
    except ValueError:
        return math.inf


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
