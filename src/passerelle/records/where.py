"""Which records a grant is on: a subset of the expression language, as a condition that the database looks at.

Understood are comparisons of `record.<field>` with a constant or with `user.id`, `user.email` or `user.name`; `in`,
`startsWith` and `contains`; `&&`, `||` and `!`. All that a search's filter may not have is refused here, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from passerelle.definitions.expressions.errors import ExpressionProblem
from passerelle.definitions.expressions.nodes import (
    Call,
    Chain,
    Comparison,
    Constant,
    ListOf,
    Logic,
    Negative,
    Node,
    Not,
)
from passerelle.definitions.expressions.parser import parse
from passerelle.kit.errors import PasserelleError
from passerelle.kit.json import Json
from passerelle.records.filters import NOTHING, Condition, parse_filter
from passerelle.tables.models import Table

LONGEST: Final = 2_000
"""Characters of an expression."""
USER: Final = ("id", "email", "name")
"""What is known of whoever asks."""

_OPERATORS: Final = {"==": "eq", "!=": "ne", "<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
_TURNED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_SHAPE: Final = (
    "compare `record.<field>` with a constant, `user.id`, `user.email` or `user.name`; use `in`, `startsWith`, "
    "`contains`, `&&`, `||` and `!`"
)

Who = tuple[tuple[str, str | None], ...]
"""The members of `user` with their values."""

_MOST_KEPT: Final = 4_096
_kept: Final[dict[tuple[UUID, int, str, Who], Condition]] = {}


class WhereError(ValueError):
    """The expression is none that records can be chosen by; one sentence says why."""


class _NobodyError(Exception):
    """The expression asks for something of whoever asks that is not known, so that it chooses nothing."""


def condition_of(table: Table, source: str, who: Who) -> Condition:
    """The records of `table` that `source` chooses for somebody. Raises `WhereError`."""
    key = (table.id, table.version, source, who)
    found = _kept.get(key)
    if found is None:
        found = _compiled(table, source, who)
        if len(_kept) >= _MOST_KEPT:
            _kept.clear()
        _kept[key] = found
    return found


def _compiled(table: Table, source: str, who: Who) -> Condition:
    if len(source) > LONGEST:
        raise WhereError(f"it may have {LONGEST:,} characters")
    try:
        node, _ = parse(source)
    except ExpressionProblem as problem:
        raise WhereError(str(problem)) from None
    try:
        filter_ = _filter(node, dict(who))
        found = parse_filter(table, filter_)
    except _NobodyError:
        return NOTHING
    except PasserelleError as error:
        raise WhereError("; ".join(problem.message for problem in error.problems)) from None
    assert found is not None
    return found


def _filter(node: Node, who: Mapping[str, str | None]) -> Json:
    """The same as a filter of a search."""
    if isinstance(node, Logic):
        return {"and" if node.operator == "&&" else "or": [_filter(one, who) for one in node.operands]}
    if isinstance(node, Not):
        return {"not": _filter(node.operand, who)}
    if isinstance(node, Comparison):
        return _comparison(node, who)
    if isinstance(node, Call) and node.function in ("startsWith", "contains") and len(node.arguments) == 1:
        return {"field": _field(node.target), "op": node.function, "value": _value(node.arguments[0], who)}
    if _names_field(node):
        return {"field": _field(node), "op": "eq", "value": True}
    raise WhereError(_SHAPE)


def _comparison(node: Comparison, who: Mapping[str, str | None]) -> Json:
    left, operator, right = node.left, node.operator, node.right
    if operator == "in":
        if _names_field(right):
            return {"field": _field(right), "op": "contains", "value": _value(left, who)}
        if not isinstance(right, ListOf):
            raise WhereError(_SHAPE)
        return {"field": _field(left), "op": "in", "value": [_value(one, who) for one in right.items]}
    if not _names_field(left):
        left, operator, right = right, _TURNED.get(operator, operator), left
    if isinstance(right, Constant) and right.value is None and operator in ("==", "!="):
        return {"field": _field(left), "op": "isEmpty", "value": operator == "=="}
    return {"field": _field(left), "op": _OPERATORS[operator], "value": _value(right, who)}


def _names_field(node: Node | None) -> bool:
    return isinstance(node, Chain) and node.root == "record"


def _field(node: Node | None) -> str:
    if isinstance(node, Chain) and node.root == "record" and len(node.keys) == 1 and isinstance(node.keys[0], str):
        return node.keys[0]
    raise WhereError(_SHAPE)


def _value(node: Node, who: Mapping[str, str | None]) -> Json:
    if isinstance(node, Constant) and node.value is not None:
        return node.value
    if (
        isinstance(node, Negative)
        and isinstance(node.operand, Constant)
        and isinstance(node.operand.value, int | float)
    ):
        return -node.operand.value
    if isinstance(node, Chain) and node.root == "user" and len(node.keys) == 1 and node.keys[0] in USER:
        if (known := who.get(str(node.keys[0]))) is None:
            raise _NobodyError
        return known
    raise WhereError(_SHAPE)
