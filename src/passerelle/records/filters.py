"""Filters and sorts as callers write them, checked against a table: every mistake names its field and place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from passerelle.kit.errors import PasserelleError, Problem
from passerelle.kit.http.fields import pointer
from passerelle.kit.json import Json, JsonObject, KnownJson
from passerelle.records.errors import FILTER_INVALID, FILTER_TOO_LARGE
from passerelle.tables.models import SYSTEM_FIELDS, Field, Table
from passerelle.tables.types import type_of
from passerelle.tables.values import read_value, unknown_field

Op = Literal["eq", "ne", "in", "gt", "gte", "lt", "lte", "contains", "startsWith", "isEmpty"]

OPERATORS: Final[tuple[Op, ...]] = (
    "eq", "ne", "in", "gt", "gte", "lt", "lte", "contains", "startsWith", "isEmpty",
)  # fmt: skip
RANGES: Final = frozenset({"gt", "gte", "lt", "lte"})
DEEPEST: Final = 10
MOST_PARTS: Final = 100
MOST_VALUES: Final = 500
MOST_SORTS: Final = 5

_SYSTEM: Final = {name: Field("", UUID(int=0), name, "datetime") for name in SYSTEM_FIELDS}
"""`createdAt` and `updatedAt` as fields; they have no key, since they are columns."""

Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Compare:
    """One condition on one field; `value` is as it would be stored, a list for `in`."""

    field: Field
    op: Op
    value: KnownJson


@dataclass(frozen=True, slots=True)
class Combined:
    """Several conditions."""

    how: Literal["and", "or"]
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Negated:
    """A condition that must not hold."""

    part: Condition


Condition = Compare | Combined | Negated

ALL: Final = Combined("and", ())
"""What every record fulfils."""
NOTHING: Final = Combined("or", ())
"""What none does."""


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key of a sort."""

    field: Field
    descending: bool


def parse_filter(table: Table, value: Json) -> Condition | None:
    """A filter, None for none. Raises FILTER_INVALID with everything that is wrong, or FILTER_TOO_LARGE."""
    if value is None:
        return None
    parsing = _Parsing(table)
    condition = parsing.condition(value, ("filter",), 1)
    if parsing.problems:
        raise PasserelleError(FILTER_INVALID.status, parsing.problems)
    return condition


def parse_sort(table: Table, names: Sequence[str]) -> tuple[SortKey, ...]:
    """Sort keys from `name` and `-name`. Raises FILTER_INVALID."""
    problems: list[Problem] = []
    orders: list[SortKey] = []
    for index, name in enumerate(names):
        try:
            field = _field(table, name.removeprefix("-"))
            if field.key and not type_of(field).indexable:
                raise ValueError(f"records cannot be sorted by `{field.name}`, which is of type {field.type}")
            orders.append(SortKey(field, name.startswith("-")))
        except ValueError as error:
            problems.append(FILTER_INVALID.problem(str(error), pointer(("sort", index))))
    if len(names) > MOST_SORTS:
        problems.append(FILTER_INVALID.problem(f"sort by at most {MOST_SORTS} fields", pointer(["sort"])))
    if problems:
        raise PasserelleError(FILTER_INVALID.status, problems)
    return _until_created(orders)


def _until_created(orders: Sequence[SortKey]) -> tuple[SortKey, ...]:
    """Records are made one after the other: what stands behind `createdAt` decides nothing."""
    for index, order in enumerate(orders):
        if order.field.name == "createdAt" and not order.field.key:
            return tuple(orders[: index + 1])
    return tuple(orders)


def parse_names(table: Table, names: Sequence[str], member: str, *, relations: bool) -> tuple[Field, ...]:
    """The fields of a list such as `fields` or `include`. Raises FILTER_INVALID."""
    problems: list[Problem] = []
    fields: list[Field] = []
    for index, name in enumerate(names):
        field = table.by_name.get(name)
        if field is None:
            problems.append(FILTER_INVALID.problem(unknown_field(table, name), pointer((member, index))))
        elif relations and field.type != "relation":
            message = f"`{name}` is no relation, it is of type {field.type}: only related records can be included"
            problems.append(FILTER_INVALID.problem(message, pointer((member, index))))
        else:
            fields.append(field)
    if problems:
        raise PasserelleError(FILTER_INVALID.status, problems)
    return tuple(fields)


def conjuncts(condition: Condition | None) -> Iterator[Condition]:
    """The conditions that must all hold."""
    if isinstance(condition, Combined) and condition.how == "and":
        for part in condition.parts:
            yield from conjuncts(part)
    elif condition is not None:
        yield condition


def compared(condition: Condition) -> Iterator[Compare]:
    """Every comparison in a condition."""
    if isinstance(condition, Compare):
        yield condition
    elif isinstance(condition, Negated):
        yield from compared(condition.part)
    else:
        for part in condition.parts:
            yield from compared(part)


class _Parsing:
    def __init__(self, table: Table) -> None:
        self._table = table
        self._parts = 0
        self.problems: list[Problem] = []

    def condition(self, value: Json, place: Place, depth: int) -> Condition:
        self._parts += 1
        if depth > DEEPEST:
            raise FILTER_TOO_LARGE.error(f"a filter may be nested {DEEPEST} levels deep", pointer(place))
        if self._parts > MOST_PARTS:
            raise FILTER_TOO_LARGE.error(f"a filter may have {MOST_PARTS} parts", pointer(place))
        if not isinstance(value, dict):
            return self._wrong("a filter must be an object: `{field, op, value}`, `{and}`, `{or}` or `{not}`", place)
        for how in ("and", "or", "not"):
            if how in value:
                return self._combined(how, value, place, depth)
        return self._comparison(value, place)

    def _combined(self, how: str, value: JsonObject, place: Place, depth: int) -> Condition:
        if len(value) > 1:
            return self._wrong(f"`{how}` stands alone in its object: put the other conditions inside", place)
        inner = value[how]
        if how == "not":
            return Negated(self.condition(inner, (*place, how), depth + 1))
        if not isinstance(inner, list) or not inner:
            return self._wrong(f"`{how}` must be a list of at least one condition", (*place, how))
        parts = tuple(self.condition(part, (*place, how, index), depth + 1) for index, part in enumerate(inner))
        return Combined("and" if how == "and" else "or", parts)

    def _comparison(self, value: JsonObject, place: Place) -> Condition:
        unknown = sorted(value.keys() - {"field", "op", "value"})
        if unknown:
            return self._wrong(f"`{unknown[0]}` is not part of a condition: it has `field`, `op`, `value`", place)
        name, op = value.get("field"), value.get("op", "eq")
        if not isinstance(name, str):
            return self._wrong("a condition needs `field`, the name of a field", (*place, "field"))
        if op not in OPERATORS:
            return self._wrong(f"there is no operator `{op}`: choose one of {', '.join(OPERATORS)}", (*place, "op"))
        if "value" not in value and op != "isEmpty":
            return self._wrong(f"`{op}` needs `value`", place)
        return self._compare(name, op, value.get("value", True), place)

    def _compare(self, name: str, op: Op, value: Json, place: Place) -> Condition:
        try:
            field = _field(self._table, name)
        except ValueError as error:
            return self._wrong(str(error), (*place, "field"))
        try:
            return Compare(field, op, _operand(field, op, value))
        except ValueError as error:
            return self._wrong(f"`{name}` {error}", (*place, "value"))

    def _wrong(self, message: str, place: Place) -> Condition:
        self.problems.append(FILTER_INVALID.problem(message, pointer(place)))
        return Combined("and", ())


def _field(table: Table, name: str) -> Field:
    found = table.by_name.get(name) or _SYSTEM.get(name)
    if found is None:
        raise ValueError(unknown_field(table, name))
    return found


def _operand(field: Field, op: Op, value: KnownJson) -> KnownJson:
    """What the field is compared with. Raises `ValueError` with what would be right."""
    if op == "isEmpty":
        if not isinstance(value, bool):
            raise ValueError("is compared by `isEmpty` with true or false")
        return value
    kind = type_of(field).kind
    if op == "contains" and kind == "list":
        listed: KnownJson = read_value(field, [value])
        return listed[0]
    if op in ("contains", "startsWith"):
        if kind != "text" or not field.key:
            raise ValueError(f"is of type {field.type}, in which `{op}` does not look")
        if not isinstance(value, str) or not value:
            raise ValueError(f"is searched by `{op}` for a text that is not empty")
        return value
    if op in RANGES and not type_of(field).ordered:
        raise ValueError(f"is of type {field.type}, which has no order for `{op}`")
    if op == "in":
        if not isinstance(value, list) or not 1 <= len(value) <= MOST_VALUES:
            raise ValueError(f"needs a list of 1 to {MOST_VALUES} values for `in`")
        return [_stored(field, item) for item in value]
    return _stored(field, value)


def _stored(field: Field, value: Json) -> Json:
    if value is None or value == "":
        raise ValueError("is compared with nothing: use `isEmpty`")
    return read_value(field, value)
