"""A precedence parser for CEL's published grammar.

It accepts what other implementations accept, except for: bytes, messages (`Type{…}`), names with a leading dot, and
nesting deeper than `MAX_DEPTH`. Whole numbers may have 64 bits unsigned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Final, TypeVar

from passerelle.definitions.expressions import nodes
from passerelle.definitions.expressions.errors import ExpressionProblem
from passerelle.definitions.expressions.nodes import Node
from passerelle.definitions.expressions.tokens import MAX_LENGTH, Token, next_token

MAX_DEPTH: Final = 32
"""Levels of parentheses, brackets, calls and `?:`."""

_Item = TypeVar("_Item")

_RELATIONS: Final = frozenset({"==", "!=", "<", "<=", ">", ">=", "in"})
_CONSTANTS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None}
_KEYWORDS: Final = frozenset({*_CONSTANTS, "in"})
_RESERVED: Final = frozenset(
    [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ]
)


def parse(text: str, start: int = 0, *, closing: str = "") -> tuple[Node, int]:
    """The expression at `start`, and the offset of the token that ends it.

    With `closing`, the expression ends at that symbol; without, at the end of `text`. Raises
    `ExpressionProblem`.
    """
    return (_remembered if len(text) <= _SHORT else _parse)(text, start, closing)


def _parse(text: str, start: int, closing: str) -> tuple[Node, int]:
    parser = _ExpressionParser(text, start)
    node = parser.expression()
    if parser.token.text != closing if closing else parser.token.kind != "end":
        raise parser.unexpected(f"`{closing}`" if parser.token.kind == "end" else "an operator")
    return node, parser.token.offset


_SHORT: Final = 400
"""Characters of a text whose expressions are remembered: the next check of a definition has nearly all again."""
_remembered: Final = lru_cache(maxsize=4_096)(_parse)


class _ExpressionParser:
    """One pass over the tokens; `token` is the next one that nobody has taken yet."""

    def __init__(self, text: str, start: int) -> None:
        self._text = text
        self._limit = start + MAX_LENGTH
        self._depth = 0
        self._position = start
        self.token = self._read()

    def expression(self) -> Node:
        """`condition ? chosen : otherwise`, or what binds tighter."""
        with self._deeper():
            condition = self._or()
            if not self._at("?"):
                return condition
            offset = self._take().offset
            chosen = self._or()
            self._expect(":")
            return nodes.Conditional(offset, condition, chosen, self.expression())

    def unexpected(self, wanted: str) -> ExpressionProblem:
        """A problem at the next token."""
        found = self.token.text if self.token.kind == "end" else f"`{self.token.text}`"
        return ExpressionProblem(f"expected {wanted}, found {found}", self.token.offset)

    def _or(self) -> Node:
        return self._joined("||", self._and)

    def _and(self) -> Node:
        return self._joined("&&", self._relation)

    def _joined(self, operator: str, operand: Callable[[], Node]) -> Node:
        offset, operands = self.token.offset, [operand()]
        while self._at(operator):
            self._take()
            operands.append(operand())
        return operands[0] if len(operands) == 1 else nodes.Logic(offset, operator, tuple(operands))

    def _relation(self) -> Node:
        left = self._sum()
        before = self._depth
        while self.token.text in _RELATIONS:
            self._check_depth()
            operator = self._take()
            left = nodes.Comparison(operator.offset, operator.text, left, self._sum())
        self._depth = before
        return left

    def _sum(self) -> Node:
        return self._arithmetic(("+", "-"), self._product)

    def _product(self) -> Node:
        return self._arithmetic(("*", "/", "%"), self._unary)

    def _arithmetic(self, operators: tuple[str, ...], operand: Callable[[], Node]) -> Node:
        offset, first = self.token.offset, operand()
        rest: list[tuple[str, Node]] = []
        while self._at(*operators):
            rest.append((self._take().text, operand()))
        return nodes.Arithmetic(offset, first, tuple(rest)) if rest else first

    def _unary(self) -> Node:
        if self._at("!"):
            return self._repeated("!", nodes.Not)
        if self._at("-"):
            return self._repeated("-", nodes.Negative)
        return self._member()

    def _repeated(self, symbol: str, make: Callable[[int, Node], Node]) -> Node:
        """`!!x` or `--x`. Two of them only say that x is of the right type; more say nothing new."""
        offset, count = self.token.offset, 0
        while self._at(symbol):
            self._take()
            count += 1
        if symbol == "-" and self.token.kind == "number":
            return self._negative_number(offset, count)
        operand = self._member()
        for _ in range(2 - count % 2):
            operand = make(offset, operand)
        return operand

    def _negative_number(self, offset: int, count: int) -> Node:
        """A minus belongs to the number after it, also where a member is taken of that number."""
        number = self._primary()
        if isinstance(number, nodes.Constant) and isinstance(number.value, int | float):
            value = -number.value if count % 2 else number.value
            if isinstance(value, int) and value < -(2**63):
                raise ExpressionProblem("this number is too large; whole numbers have at most 64 bits", offset)
            number = nodes.Constant(offset, value)
        return self._postfix(number)

    def _member(self) -> Node:
        if self._at("-"):  # `!-1`: the grammar takes a minus here only as a part of a number
            offset = self._take().offset
            if self.token.kind != "number":
                raise self.unexpected("a number")
            return self._negative_number(offset, 1)
        return self._postfix(self._primary())

    def _postfix(self, node: Node) -> Node:
        before = self._depth
        while self._at(".", "["):
            node = self._after_dot(node) if self._take().text == "." else self._index(node)
        self._depth = before
        if self._at("{") and isinstance(node, nodes.Chain):
            raise ExpressionProblem('an object is written without a type: {"member": value}', node.offset)
        return node

    def _after_dot(self, node: Node) -> Node:
        name = self._take_selector()
        if not self._at("("):
            return _extend(node, name.text)
        arguments = self._arguments()
        self._check_depth()
        return nodes.Call(name.offset, name.text, arguments, node)

    def _index(self, node: Node) -> Node:
        key = self.expression()
        self._expect("]")
        if isinstance(key, nodes.Constant) and isinstance(key.value, str | int) and not isinstance(key.value, bool):
            return _extend(node, key.value)
        return _extend(node, key)

    def _primary(self) -> Node:
        token = self.token
        if token.kind in ("number", "text"):
            self._take()
            return nodes.Constant(token.offset, token.value)
        if token.kind == "name":
            return self._named(self._take())
        opening = {"(": self._parenthesis, "[": self._list, "{": self._object}.get(token.text)
        if opening is None or token.kind == "end":
            raise self.unexpected("a value")
        return opening(self._take().offset)

    def _named(self, name: Token) -> Node:
        if name.text in _CONSTANTS:
            return nodes.Constant(name.offset, _CONSTANTS[name.text])
        if name.text in _KEYWORDS or name.text in _RESERVED:
            raise ExpressionProblem(f"`{name.text}` is a reserved word, so it cannot start a value", name.offset)
        if self._at("("):
            return nodes.Call(name.offset, name.text, self._arguments())
        return nodes.Chain(name.offset, name.text)

    def _parenthesis(self, _: int) -> Node:
        node = self.expression()
        self._expect(")")
        return node

    def _list(self, offset: int) -> Node:
        return nodes.ListOf(offset, tuple(self._separated("]", self.expression)))

    def _object(self, offset: int) -> Node:
        return nodes.ObjectOf(offset, tuple(self._separated("}", self._entry)))

    def _entry(self) -> tuple[Node, Node]:
        key = self.expression()
        self._expect(":")
        return key, self.expression()

    def _arguments(self) -> tuple[Node, ...]:
        self._expect("(")
        if self._at(")"):
            self._take()
            return ()
        arguments = [self.expression()]
        while self._at(","):
            self._take()
            arguments.append(self.expression())
        self._expect(")")
        return tuple(arguments)

    def _separated(self, closing: str, item: Callable[[], _Item]) -> Iterator[_Item]:
        """Items up to `closing`; a comma may stand after the last one."""
        while not self._at(closing):
            yield item()
            if not self._at(closing):
                self._expect(",")
        self._take()

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        before = self._depth
        self._check_depth()
        yield
        self._depth = before

    def _check_depth(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            message = f"nested more than {MAX_DEPTH} levels deep; compute a part of it in a `set` step before"
            raise ExpressionProblem(message, self.token.offset)

    def _at(self, *symbols: str) -> bool:
        return self.token.kind == "symbol" and self.token.text in symbols

    def _expect(self, symbol: str) -> None:
        if not self._at(symbol):
            raise self.unexpected(f"`{symbol}`")
        self._take()

    def _take_selector(self) -> Token:
        if self.token.text in _KEYWORDS:
            hint = f'`{self.token.text}` is a reserved word; write ["{self.token.text}"] instead of .{self.token.text}'
            raise ExpressionProblem(hint, self.token.offset)
        if self.token.kind != "name":
            raise self.unexpected("the name of a member")
        return self._take()

    def _take(self) -> Token:
        taken, self.token = self.token, self._read()
        return taken

    def _read(self) -> Token:
        token, self._position = next_token(self._text, self._position)
        if self._position > self._limit:
            message = f"longer than {MAX_LENGTH} characters; compute a part of it in a `set` step before"
            raise ExpressionProblem(message, self._limit)
        return token


def _extend(node: Node, key: str | int | Node) -> nodes.Chain:
    if isinstance(node, nodes.Chain):
        return nodes.Chain(node.offset, node.root, (*node.keys, key))
    return nodes.Chain(node.offset, node, (key,))
