"""Conditions of ways, from JUEL (`${amount > 100}`) and FEEL (`= amount > 100`), as far as the two agree with ours."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from passerelle.kit.json import dumps

LONGEST: Final = 500
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<text>\"[^\"\\]*\"|'[^'\\]*')|(?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)"
    r"|(?P<sign>==|!=|<=|>=|&&|\|\||[<>=!()]))"
)
_WORDS: Final = {
    "and": "&&",
    "or": "||",
    "not": "!",
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "gt": ">",
    "le": "<=",
    "ge": ">=",
    "=": "==",
}
_COMPARING: Final = frozenset({"==", "!=", "<", "<=", ">", ">="})

Read = Callable[[str, str], tuple[str, bool]]
"""How an expression reads a variable of which the type is known (`string`, `number` or `boolean`), and whether it is
there in any case."""


class NotUnderstoodError(ValueError):
    """The condition says something that is not carried over."""


@dataclass(frozen=True, slots=True)
class _Term:
    text: str
    type: str
    guard: str = ""
    """What has to hold before it can be read."""


def condition(text: str, read: Read) -> str:
    """The condition as an expression. Raises `NotUnderstoodError`."""
    inner = text.strip()
    if found := re.fullmatch(r"[$#]\{(.*)\}", inner, re.DOTALL):
        inner = found.group(1)
    elif inner.startswith("="):
        inner = inner[1:]
    if not inner.strip() or len(inner) > LONGEST:
        raise NotUnderstoodError(text)
    parser = _Parser(_tokens(inner), read)
    term = parser.either()
    if parser.rest or term.type != "boolean":
        raise NotUnderstoodError(text)
    return term.text


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, at = [], 0
    while at < len(text.rstrip()):
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise NotUnderstoodError(text)
        kind, word = found.lastgroup, found.group(found.lastgroup)
        tokens.append(("sign", _WORDS[word]) if word in _WORDS else (kind, word))
        at = found.end()
    return tokens


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]], read: Read) -> None:
        self.rest = tokens
        self._read = read
        self._depth = 0

    def either(self) -> _Term:
        """`a || b`"""
        return self._joined("||", self._both)

    def _both(self) -> _Term:
        return self._joined("&&", self._single)

    def _joined(self, sign: str, part: Callable[[], _Term]) -> _Term:
        terms = [part()]
        while self.rest[:1] == [("sign", sign)]:
            self.rest = self.rest[1:]
            terms.append(part())
        if len(terms) == 1:
            return terms[0]
        if any(one.type != "boolean" for one in terms):
            raise NotUnderstoodError(sign)
        return _Term(
            f" {sign} ".join(one.text if sign == "&&" or "||" not in one.text else f"({one.text})" for one in terms),
            "boolean",
        )

    def _single(self) -> _Term:
        if self.rest[:1] == [("sign", "!")]:
            self.rest = self.rest[1:]
            return _Term(f"!({self._within(self._single).text})", "boolean")
        if self.rest[:1] == [("sign", "(")]:
            self.rest = self.rest[1:]
            term = self._within(self.either)
            self._take(")")
            return self._compared(_Term(f"({term.text})", term.type))
        return self._compared(self._value())

    def _within(self, part: Callable[[], _Term]) -> _Term:
        self._depth += 1
        if self._depth > 20:
            raise NotUnderstoodError("too deep")
        term = part()
        self._depth -= 1
        if term.type != "boolean":
            raise NotUnderstoodError(term.text)
        return term

    def _compared(self, left: _Term) -> _Term:
        if not self.rest or self.rest[0][0] != "sign" or self.rest[0][1] not in _COMPARING:
            known = self._known(left, "boolean")
            return _Term(f"{known.guard}{known.text}", known.type)
        sign = self.rest[0][1]
        self.rest = self.rest[1:]
        right = self._value()
        types = {one.type for one in (left, right)} - {"variable"}
        if len(types) != 1 or (types == {"boolean"} and sign not in ("==", "!=")):
            raise NotUnderstoodError(sign)
        kind = types.pop()
        first, second = self._known(left, kind), self._known(right, kind)
        guard = first.guard + second.guard
        if guard and sign == "!=":  # what is missing is not the same
            return _Term(f"!({guard}{first.text} == {second.text})", "boolean")
        return _Term(f"{guard}{first.text} {sign} {second.text}", "boolean")

    def _known(self, term: _Term, kind: str) -> _Term:
        if term.type != "variable":
            return term
        text, sure = self._read(term.text, kind)
        return _Term(text, kind, "" if sure else f"has({text}) && ")

    def _value(self) -> _Term:
        if not self.rest:
            raise NotUnderstoodError("a value is missing")
        (kind, word), self.rest = self.rest[0], self.rest[1:]
        if kind == "number":
            return _Term(word, "number")
        if kind == "text":
            return _Term(dumps(word[1:-1]), "string")
        if kind == "name":
            return _Term(word, "boolean" if word in ("true", "false") else "variable")
        raise NotUnderstoodError(word)

    def _take(self, sign: str) -> None:
        if self.rest[:1] != [("sign", sign)]:
            raise NotUnderstoodError(f"`{sign}` is missing")
        self.rest = self.rest[1:]
