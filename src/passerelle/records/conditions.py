"""Conditions and sort keys as SQL. Names never stand in it: values are bound, and field keys are numbers."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from passerelle.kit.json import KnownJson
from passerelle.records.filters import Combined, Compare, Condition, Negated
from passerelle.tables.keys import EMPTY, after_prefix, text_key
from passerelle.tables.models import Field
from passerelle.tables.types import type_of

_SIGNS: Final = {"eq": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_COLUMNS: Final = {"createdAt": "r.created_at", "updatedAt": "r.updated_at"}


class Arguments:
    """The values of a statement, in the order of their numbers."""

    def __init__(self, *values: Any) -> None:
        self.values = list(values)

    def add(self, value: Any) -> str:
        """`$n`, bound to `value`."""
        self.values.append(value)
        return f"${len(self.values)}"


def condition_sql(condition: Condition, arguments: Arguments) -> str:
    """A condition on `r.values`. A comparison with an empty value does not hold, so that its negation does."""
    if isinstance(condition, Negated):
        return f"NOT coalesce({condition_sql(condition.part, arguments)}, false)"
    if isinstance(condition, Combined):
        if not condition.parts:
            return "true" if condition.how == "and" else "false"
        parts = f" {condition.how.upper()} ".join(condition_sql(part, arguments) for part in condition.parts)
        return f"({parts})"
    return _comparison(condition, arguments)


def key_sql(compare: Compare, arguments: Arguments) -> str | None:
    """The same on `k.key` of the field's index; None where the index does not help."""
    type_ = type_of(compare.field)
    if compare.op == "isEmpty":
        return f"k.key {'=' if compare.value else '<>'} {arguments.add(EMPTY)}"
    if compare.op == "in":
        return f"k.key = ANY({arguments.add([type_.key(value) for value in compare.value])}::bytea[])"
    if compare.op == "startsWith":
        prefix = text_key(compare.value)
        bound = after_prefix(prefix)
        upper = f" AND k.key < {arguments.add(bound)}" if bound is not None else ""
        return f"k.key >= {arguments.add(prefix)}{upper}"
    if compare.op not in _SIGNS:
        return None
    # The empty key sorts before all others, but an empty value is less than nothing.
    beyond = f"k.key > {arguments.add(EMPTY)} AND " if compare.op in ("lt", "lte") else ""
    return f"{beyond}k.key {_SIGNS[compare.op]} {arguments.add(type_.key(compare.value))}"


def sort_sql(field: Field) -> str:
    """What records are sorted by; empty values stand before all others."""
    if not field.key:
        return "r.id" if field.name == "createdAt" else _COLUMNS[field.name]
    if type_of(field).kind == "text":
        return f"coalesce((r.values->>'{field.key}') COLLATE \"C\", '')"
    return f"coalesce(r.values->'{field.key}', 'null'::jsonb)"


def sort_argument(field: Field, value: KnownJson, arguments: Arguments) -> str:
    """A value of `sort_sql`, bound."""
    if not field.key:
        return f"{arguments.add(datetime.fromisoformat(value))}::timestamptz"
    if type_of(field).kind == "text":
        return f"{arguments.add(value or '')}::text"
    return f"coalesce({arguments.add(value)}::jsonb, 'null'::jsonb)"


def _comparison(compare: Compare, arguments: Arguments) -> str:
    field, op, value = compare.field, compare.op, compare.value
    expression, cast = _expression(field)
    if op == "isEmpty":
        return f"{expression} IS {'' if value else 'NOT '}NULL"
    if op == "contains" and type_of(field).kind == "list":
        return f"{expression} @> {arguments.add([value])}::jsonb"
    if op == "contains":
        return f"strpos({expression}, {arguments.add(value)}::text) > 0"
    if op == "startsWith":
        return f"starts_with({expression}, {arguments.add(value)}::text)"
    if op == "in":
        return f"{expression} = ANY({arguments.add([_bound(field, item) for item in value])}::{cast}[])"
    bound = f"{arguments.add(_bound(field, value))}::{cast}"
    return f"{expression} IS DISTINCT FROM {bound}" if op == "ne" else f"{expression} {_SIGNS[op]} {bound}"


def _expression(field: Field) -> tuple[str, str]:
    """The field's value and the type of what it is compared with."""
    if not field.key:
        return _COLUMNS[field.name], "timestamptz"
    if type_of(field).kind == "text":
        return f"(r.values->>'{field.key}') COLLATE \"C\"", "text"
    return f"(r.values->'{field.key}')", "jsonb"


def _bound(field: Field, value: KnownJson) -> Any:
    return value if field.key else datetime.fromisoformat(value)
