"""What the parser makes of an expression. Every node knows its offset in the text."""

from __future__ import annotations

from dataclasses import dataclass

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Node:
    offset: int


@dataclass(frozen=True, slots=True)
class Constant(Node):
    """A text, a number, true, false or null."""

    value: Scalar


@dataclass(frozen=True, slots=True)
class Chain(Node):
    """`root.a["b"][0][computed]`. `root` is a name, or a node whose value the members are taken of."""

    root: str | Node
    keys: tuple[str | int | Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Call(Node):
    """`function(…)`, or `target.function(…)`."""

    function: str
    arguments: tuple[Node, ...]
    target: Node | None = None


@dataclass(frozen=True, slots=True)
class Not(Node):
    operand: Node


@dataclass(frozen=True, slots=True)
class Negative(Node):
    operand: Node


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    """`first + a - b`: operators of one precedence, from left to right."""

    first: Node
    rest: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Comparison(Node):
    """`==`, `!=`, `<`, `<=`, `>`, `>=` or `in`."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Logic(Node):
    """Two or more operands joined by `&&`, or by `||`."""

    operator: str
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Conditional(Node):
    """`condition ? chosen : otherwise`."""

    condition: Node
    chosen: Node
    otherwise: Node


@dataclass(frozen=True, slots=True)
class ListOf(Node):
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class ObjectOf(Node):
    members: tuple[tuple[Node, Node], ...]
