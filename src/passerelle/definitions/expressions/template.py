"""Templates: JSON values with `${…}` in their texts.

A text that is one `${…}` keeps the value's type; in a longer one, values are put in as `values.text_of` says.
`$${` stands for the characters `${`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final, Protocol, Self

from passerelle.definitions.expressions.compiler import Reference
from passerelle.definitions.expressions.errors import (
    ExpressionError,
    ExpressionProblem,
    Failure,
    TemplateProblem,
)
from passerelle.definitions.expressions.expression import ROOTS, Expression, Scope
from passerelle.definitions.expressions.parser import parse
from passerelle.definitions.expressions.values import MAX_TEXT, text_of
from passerelle.kit.json import Json, KnownJson

Insert = Callable[[str, Json], str]
"""How a value is put into a text: gets the text rendered before it and the value, returns what to put there.

Raises `ValueError` with a reason, which shows no value, where the value cannot stand there.
"""
Path = tuple[str | int, ...]

MAX_DEPTH: Final = 200
"""Levels of lists and objects in a template."""
_OPENING: Final = re.compile(r"\$?\$\{")


class Part(Protocol):
    """A piece of a template."""

    def render(self, scope: Scope) -> KnownJson: ...


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled template. Immutable, and safe to render from several threads at once."""

    references: tuple[Reference, ...]
    _part: Part = field(repr=False, compare=False)

    @classmethod
    def compile(cls, value: Json, *, names: frozenset[str] = ROOTS, insert: Insert | None = None) -> Self:
        """Compile a JSON value. Raises `TemplateProblem`, which lists everything that is wrong.

        With `insert`, it decides how each value is put into its text, and every text that has a `${…}` stays
        one, also where the `${…}` is all there is.
        """
        compiling = _Compiling(names, insert)
        part = compiling.part(value, ())
        if compiling.problems:
            raise TemplateProblem(compiling.problems)
        return cls(tuple(compiling.references), part)

    def render(self, scope: Scope) -> KnownJson:
        """The value with every `${…}` filled in from `scope`. Raises `ExpressionError`, and nothing else.

        What is constant or only read is not copied: treat the result as immutable.
        """
        return self._part.render(scope)


@dataclass(frozen=True, slots=True)
class _Constant:
    value: Json

    def render(self, _: Scope) -> KnownJson:
        return self.value


@dataclass(frozen=True, slots=True)
class _Value:
    expression: Expression

    def render(self, scope: Scope) -> KnownJson:
        return self.expression.evaluate(scope)


@dataclass(frozen=True, slots=True)
class _TemplateText:
    pieces: tuple[str | Expression, ...]
    insert: Insert | None

    def render(self, scope: Scope) -> str:
        text = ""
        for piece in self.pieces:
            text += piece if isinstance(piece, str) else self._inserted(piece, text, scope)
            if len(text) > MAX_TEXT and not isinstance(piece, str):
                raise ExpressionError(piece.source, f"the text around it has more than {MAX_TEXT:,} characters")
        return text

    def _inserted(self, expression: Expression, before: str, scope: Scope) -> str:
        value = expression.evaluate(scope)
        try:
            return self.insert(before, value) if self.insert else text_of(value)
        except Failure as failure:
            raise ExpressionError(expression.source, failure.reason) from None
        except ValueError as error:
            raise ExpressionError(expression.source, str(error)) from None


@dataclass(frozen=True, slots=True)
class _List:
    items: tuple[Part, ...]

    def render(self, scope: Scope) -> KnownJson:
        return [item.render(scope) for item in self.items]


@dataclass(frozen=True, slots=True)
class _Object:
    members: tuple[tuple[str, Part], ...]

    def render(self, scope: Scope) -> KnownJson:
        return {name: member.render(scope) for name, member in self.members}


class _Compiling:
    """Compiles a value, and collects what is wrong and what is read."""

    def __init__(self, names: frozenset[str], insert: Insert | None) -> None:
        self._names = names
        self._insert = insert
        self.problems: list[tuple[Path, ExpressionProblem]] = []
        self.references: list[Reference] = []

    def part(self, value: Json, path: Path) -> Part:
        if len(path) > MAX_DEPTH:
            self.problems.append((path, ExpressionProblem(f"nested more than {MAX_DEPTH} levels deep", 0)))
        elif isinstance(value, str):
            return self._text(value, path)
        elif isinstance(value, list):
            items = tuple(self.part(item, (*path, at)) for at, item in enumerate(value))
            return _Constant(value) if _are_constant(items) else _List(items)
        elif isinstance(value, dict):
            members = tuple((name, self._member(name, value[name], path)) for name in value)
            return _Constant(value) if _are_constant(part for _, part in members) else _Object(members)
        return _Constant(value)

    def _member(self, name: str, value: Json, path: Path) -> Part:
        if "${" in name:
            message = "the name of a member cannot have ${…}; only values can"
            self.problems.append(((*path, name), ExpressionProblem(message, name.index("${"))))
        return self.part(value, (*path, name))

    def _text(self, text: str, path: Path) -> Part:
        try:
            pieces = tuple(self._pieces(text, path))
        except ExpressionProblem as problem:
            self.problems.append((path, problem))
            return _Constant(text)
        match pieces:
            case ():
                return _Constant("")
            case (str() as constant,):
                return _Constant(constant)
            case (Expression() as expression,) if self._insert is None:
                return _Value(expression)
        return _TemplateText(pieces, self._insert)

    def _pieces(self, text: str, path: Path) -> Iterator[str | Expression]:
        """The text's constant pieces and expressions, in order; no two constant ones side by side."""
        constant, at = "", 0
        while opening := _OPENING.search(text, at):
            constant += text[at : opening.start()]
            at = opening.end()
            if opening.group() == "$${":
                constant += "${"
                continue
            if constant:
                yield constant
            constant = ""
            expression, at = self._expression(text, at)
            self.references += (replace(reference, within=path) for reference in expression.references)
            yield expression
        if constant or at < len(text):
            yield constant + text[at:]

    def _expression(self, text: str, start: int) -> tuple[Expression, int]:
        """The expression that starts at `start`, and where the text goes on after its `}`."""
        try:
            node, end = parse(text, start, closing="}")
        except ExpressionProblem as problem:
            if problem.offset < len(text):
                raise
            message = "this ${ is not closed; add }, or write $${ for the characters themselves"
            raise ExpressionProblem(message, start - 2) from None
        return Expression.of(text[start:end], node, self._names), end + 1


def _are_constant(parts: Iterable[Part]) -> bool:
    return all(isinstance(part, _Constant) for part in parts)
