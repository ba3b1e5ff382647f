"""How a search is read: along which index, what is looked at besides, and whether that needs a time limit.

PostgreSQL is not left to guess: values of all tables share an index, so that its statistics say little about one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from passerelle.kit.json import Json, KnownJson
from passerelle.records.conditions import Arguments, condition_sql, key_sql, sort_argument, sort_sql
from passerelle.records.filters import Compare, Condition, SortKey, conjuncts
from passerelle.records.models import Record
from passerelle.records.repository import COLUMNS
from passerelle.tables.models import Field, Table
from passerelle.tables.types import type_of

FEW: Final = 2_000
"""Records that are sorted at once rather than read in the order of another index."""
WALKED: Final = 50_000
"""Records that are looked at one by one for words, in the wanted order, before all that have them are gathered: words
that many records have are found among the first, and of others there are few to gather. To gather a record takes as
long as to look at twenty."""
WALKED_BY_KEY: Final = 15_000
"""The same in the order of a field: its neighbours lie far apart, so that to look at one takes ten times as long."""
COUNTED_AMONG: Final = 100_000
"""The same for a count, which reads no more of a record than its words."""
SLACK: Final = timedelta(hours=25)
"""An id is made before its record, at most as long before as an idempotency key is kept."""

_INDEXED_OPS: Final = ("eq", "in", "startsWith", "gt", "gte", "lt", "lte", "isEmpty")


@dataclass(frozen=True, slots=True)
class Inside:
    """Fields in which all the words of a search have to stand: the index knows only that the record has them."""

    words: tuple[str, ...]
    keys: tuple[str, ...]

    def sql(self, arguments: Arguments) -> str:
        """The condition on `r.values`."""
        if not self.keys:
            return "false"
        values = ", ".join(f"r.values->>'{key}'" for key in self.keys)
        return " AND ".join(
            f"folded_text(concat_ws(' ', {values})) ~ {arguments.add(f'{chr(92)}m{word}')}" for word in self.words
        )


@dataclass(frozen=True, slots=True)
class Search:
    """What is wanted, checked against the table."""

    table: Table
    condition: Condition | None
    words: str | None
    """A `tsquery` that finds the records."""
    sort: tuple[SortKey, ...]
    limit: int
    after: tuple[UUID, tuple[Json, ...]] | None
    """The last record of the page before: its id, and its stored values of the sort's fields."""
    skip: int = 0
    """Records to pass over."""
    inside: Inside | None = None
    holding: str | None = None
    """A `tsquery` that records have to fulfil which are found otherwise."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A query with its values. `limited`: it may look at any number of records."""

    sql: str
    values: tuple[object, ...]
    limited: bool


@dataclass(frozen=True, slots=True)
class Along:
    """An index that is read from: of a field in ascending key, for the conditions on it; or the table's by id.

    by_change   the table's other one, by when records were changed
    """

    field: Field | None
    conditions: tuple[Compare, ...] = ()
    by_change: bool = False

    @property
    def relation(self) -> str:
        """The table that the index belongs to."""
        if self.field is not None and self.field.sortable_by_index:
            return "record_key"
        return "record_unique"


def filter_index(search: Search) -> Along | None:
    """The index that narrows most, as far as the operators tell: equality, then a list, then ranges."""
    usable = [
        part
        for part in conjuncts(search.condition)
        if isinstance(part, Compare) and part.op in _INDEXED_OPS and _findable(part)
    ]
    best = min(usable, key=lambda part: (_INDEXED_OPS.index(part.op), not part.field.unique), default=None)
    if best is None:
        return None
    return Along(best.field, tuple(part for part in usable if part.field.id == best.field.id))


def sort_index(search: Search) -> Along | None:
    """The index in whose order the records are wanted; None where the first key of the sort has none."""
    first = search.sort[0] if search.sort else None
    if first is None or first.field.name == "createdAt":
        return Along(None)
    if first.field.name == "updatedAt" and not first.field.key:
        return Along(None, by_change=True)
    if not first.field.key or not first.field.sortable_by_index:
        return None
    own = tuple(
        part
        for part in conjuncts(search.condition)
        if isinstance(part, Compare) and part.field.id == first.field.id and part.op in _INDEXED_OPS
    )
    return Along(first.field, own)


def ordered_by_filter(search: Search, along: Along) -> bool:
    """Whether the index of a filter gives the records in the wanted order as well: one key, then by id."""
    by_id = not search.sort or search.sort[0].field.name == "createdAt"
    return by_id and along.relation == "record_key" and any(part.op == "eq" for part in along.conditions)


def count_sql(search: Search, along: Along) -> Statement:
    """How many records the index finds, counted up to `FEW`."""
    arguments = Arguments(search.table.workspace_id)
    where = _index_where(along, arguments)
    sql = f"SELECT count(*) FROM (SELECT FROM {along.relation} k WHERE {where} LIMIT {FEW + 1}) AS found"  # noqa: S608 - see `conditions`
    return Statement(sql, tuple(arguments.values), limited=False)


def counting(search: Search, along: Along | None, up_to: int) -> Statement:
    """How many records are found, counted up to one more than `up_to`."""
    arguments = Arguments(search.table.workspace_id, search.table.id)
    residual = _residual(search, along, arguments)
    if search.words is not None and not residual:
        return _counting_words(search, search.words, up_to)
    if search.words is not None:
        source = _text_source(search, residual, _NOWHERE, arguments)
    elif along is None or along.field is None:
        source = _table_source(search, residual, _NOWHERE, arguments)
    elif residual:
        source = _index_source(along, residual, _NOWHERE, arguments)
    else:
        # The index knows live records only, and is a fraction of the table.
        arguments = Arguments(search.table.workspace_id)
        source = f"{along.relation} k WHERE {_index_where(along, arguments)}"
    sql = f"SELECT count(*) FROM (SELECT FROM {source} LIMIT {up_to + 1}) AS found"  # noqa: S608 - see `conditions`
    return Statement(sql, tuple(arguments.values), limited=True)


def _counting_words(search: Search, words: str, up_to: int) -> Statement:
    """In the list of what is selected the function gives its records one by one, so that it ends at the limit."""
    sql = f"SELECT count(*) FROM (SELECT find_by_text($1, $2::text::tsquery) LIMIT {up_to + 1}) AS found"  # noqa: S608 - see `conditions`
    return Statement(sql, (search.table.id, words), limited=True)


def passing(search: Search, along: Along | None, *, in_order: bool) -> Statement | None:
    """The id of the last record that `search.skip` passes over, read from an index alone; None where none tells it."""
    if along is None or not in_order or search.words is not None or len(search.sort) > 1:
        return None
    arguments = Arguments(search.table.workspace_id)
    if any(part not in along.conditions for part in conjuncts(search.condition)):
        return None
    keys = _sort_keys(search, along, in_order=True)
    for_index, for_records = _after(search, keys, arguments)
    if for_records or not all(key.indexed for key in keys):
        return None
    if along.field is None:
        table = arguments.add(search.table.id)
        rest = "".join(f" AND {part}" for part in for_index)
        source = f"r.id FROM record r WHERE r.workspace_id = $1 AND r.table_id = {table} AND r.deleted_at IS NULL{rest}"
    else:
        source = (
            f"k.record_id FROM {along.relation} k WHERE {' AND '.join([_index_where(along, arguments), *for_index])}"
        )
    order = ", ".join(f"{key.sql} {'DESC' if key.descending else 'ASC'}" for key in keys)
    sql = f"SELECT {source} ORDER BY {order} OFFSET {search.skip - 1} LIMIT 1"
    return Statement(sql, tuple(arguments.values), limited=True)


def by_index(search: Search) -> Search:
    """The same where records are found otherwise, and their words are looked at one by one."""
    return replace(search, words=None, holding=search.words)


def is_walkable(search: Search, along: Along | None, *, in_order: bool) -> bool:
    """Whether an index alone gives the wanted order, so that its first records are those of the page."""
    return in_order and all(key.indexed for key in _sort_keys(search, along, in_order=True))


def counting_first(search: Search, up_to: int) -> Statement:
    """How many of the newest `COUNTED_AMONG` records are found, counted up to one more than `up_to`."""
    arguments = Arguments(search.table.workspace_id, search.table.id)
    residual = _residual(search, None, arguments)
    source = _table_source(search, residual, _NOWHERE, arguments, f" ORDER BY r.id DESC LIMIT {COUNTED_AMONG}")
    sql = f"SELECT count(*) FROM (SELECT FROM {source} LIMIT {up_to + 1}) AS found"  # noqa: S608 - see `conditions`
    return Statement(sql, tuple(arguments.values), limited=True)


def statement(search: Search, along: Along | None, *, in_order: bool, walked: bool = False) -> Statement:
    """The search along an index (None: the table's own). `in_order`: the index gives the wanted order.

    walked   only the first that the index gives are looked at (`WALKED`; see `is_walkable`)
    """
    arguments = Arguments(search.table.workspace_id, search.table.id)
    residual = _residual(search, along, arguments)
    keys = _sort_keys(search, along, in_order=in_order)
    after = _after(search, keys, arguments)
    order = ", ".join(f"{key.sql} {'DESC' if key.descending else 'ASC'}" for key in keys)
    many = WALKED if along is None or along.field is None else WALKED_BY_KEY
    first = f" ORDER BY {order} LIMIT {many}" if walked else ""
    if search.words is not None:
        source = _text_source(search, residual, after, arguments)
    elif along is not None and along.field is not None:
        source = _index_source(along, residual, after, arguments, first)
    else:
        source = _table_source(search, residual, after, arguments, first)
    alone = in_order and len(keys) <= 2 and search.words is None
    skip = f" OFFSET {search.skip}" if search.skip else ""
    sql = f"SELECT {COLUMNS} FROM {source} ORDER BY {order} LIMIT {search.limit + 1}{skip}"  # noqa: S608 - likewise
    return Statement(sql, tuple(arguments.values), limited=bool(residual or search.skip) or not alone)


def deleted_statement(search: Search, since: datetime, before: tuple[datetime, UUID] | None) -> Statement:
    """What was deleted after `since`, the latest first, with who did it; `before`: where the page before ended."""
    arguments = Arguments(search.table.workspace_id, search.table.id, since)
    where = [condition_sql(part, arguments) for part in conjuncts(search.condition)]
    if before is not None:
        where.append(f"(r.deleted_at, r.id) < ({arguments.add(before[0])}, {arguments.add(before[1])})")
    sql = (
        f"SELECT {COLUMNS}, c.by FROM record r LEFT JOIN record_change c "  # noqa: S608 - see `conditions`
        "ON c.workspace_id = r.workspace_id AND c.record_id = r.id AND c.version = r.version "
        "WHERE r.workspace_id = $1 AND r.table_id = $2 AND r.deleted_at > $3 AND r.merged_into IS NULL "
        f"{''.join(f'AND {part} ' for part in where)}ORDER BY r.deleted_at DESC, r.id DESC LIMIT {search.limit + 1}"
    )
    return Statement(sql, tuple(arguments.values), limited=True)


def position_of(search: Search, record: Record) -> dict[str, KnownJson]:
    """Where a page ends, for the next one's `after`."""
    values = [_sorted_value(order.field, record) for order in search.sort if order.field.name != "createdAt"]
    return {"id": str(record.id), "values": values}


def helped_by_index(search: Search) -> list[Field]:
    """The fields along whose index the search could be read, had they one, in the order in which they matter."""
    compared = [
        part.field
        for part in conjuncts(search.condition)
        if isinstance(part, Compare) and part.op in _INDEXED_OPS and not _findable(part)
    ]
    first = [order.field for order in search.sort[:1] if not order.field.sortable_by_index]
    found = {field.id: field for field in (*compared, *first) if field.key and type_of(field).indexable}
    return list(found.values())


_After = tuple[list[str], list[str]]
_NOWHERE: Final[_After] = ([], [])


@dataclass(frozen=True, slots=True)
class _Key:
    """One key of the order: its SQL, and the field that its value comes from (None: the id)."""

    sql: str
    descending: bool
    field: Field | None
    indexed: bool = False


def _residual(search: Search, along: Along | None, arguments: Arguments) -> list[str]:
    """The conditions that the index does not answer."""
    found = [
        condition_sql(part, arguments)
        for part in conjuncts(search.condition)
        if along is None or part not in along.conditions
    ]
    if search.holding is not None:
        found.append(f"r.search @@ {arguments.add(search.holding)}::text::tsquery")
    return found if search.inside is None else [*found, search.inside.sql(arguments)]


def _findable(part: Compare) -> bool:
    field = part.field
    if not field.key or not field.findable_by_index:
        return False
    # A unique field's own index holds no empty values.
    return field.sortable_by_index or part.op != "isEmpty"


def _sort_keys(search: Search, along: Along | None, *, in_order: bool) -> list[_Key]:
    keys: list[_Key] = []
    by_key = along is not None and along.field is not None
    by_change = along is not None and along.by_change
    for index, order in enumerate(search.sort):
        if order.field.name == "createdAt":
            return [*keys, _id_key(along, order.descending, search)]
        if index == 0 and in_order and by_key and search.words is None:
            keys.append(_Key("k.key", order.descending, order.field, indexed=True))
        else:
            indexed = index == 0 and in_order and by_change
            keys.append(_Key(sort_sql(order.field), order.descending, order.field, indexed=indexed))
    descending = search.sort[-1].descending if search.sort else True
    return [*keys, _id_key(along, descending, search)]


def _id_key(along: Along | None, descending: bool, search: Search) -> _Key:
    by_key = along is not None and along.field is not None and search.words is None
    return _Key("k.record_id" if by_key else "r.id", descending, None, indexed=True)


def _after(search: Search, keys: Sequence[_Key], arguments: Arguments) -> _After:
    """What is left after the page before: conditions for the index, and others."""
    if search.after is None:
        return [], []
    record_id, values = search.after
    bound = [_bound(key, value, arguments) for key, value in zip(keys, (*values, str(record_id)), strict=True)]
    same_way = len({key.descending for key in keys}) == 1
    if same_way and all(key.indexed for key in keys):
        sign = "<" if keys[0].descending else ">"
        return [f"({', '.join(key.sql for key in keys)}) {sign} ({', '.join(bound)})"], []
    steps = []
    for index, key in enumerate(keys):
        equal = [f"{keys[before].sql} = {bound[before]}" for before in range(index)]
        steps.append(" AND ".join([*equal, f"{key.sql} {'<' if key.descending else '>'} {bound[index]}"]))
    chain = " OR ".join(f"({step})" for step in steps)
    if not keys[0].indexed:
        return [], [f"({chain})"]
    # Lets the index begin near the place; the chain decides.
    return [f"{keys[0].sql} {'<=' if keys[0].descending else '>='} {bound[0]}", f"({chain})"], []


def _bound(key: _Key, value: Json, arguments: Arguments) -> str:
    if key.field is None:
        return f"{arguments.add(UUID(str(value)))}::uuid"
    if key.indexed and key.field.key:
        field = key.field
        return f"{arguments.add(b'' if value is None else type_of(field).key(value))}::bytea"
    return sort_argument(key.field, value, arguments)


def _index_where(along: Along, arguments: Arguments) -> str:
    assert along.field is not None
    found = [key_sql(part, arguments) for part in along.conditions]
    conditions = [condition for condition in found if condition is not None]
    return " AND ".join(["k.workspace_id = $1", f"k.field_id = {arguments.add(along.field.id)}", *conditions])


def _index_source(along: Along, residual: Sequence[str], after: _After, arguments: Arguments, first: str = "") -> str:
    """`first`: which of the index's entries are looked at; empty for all."""
    where = " AND ".join([_index_where(along, arguments), *after[0]])
    inner = " AND ".join(["r.workspace_id = $1", "r.table_id = $2", "r.id = k.record_id", *residual, *after[1]])
    # OFFSET 0 keeps the two apart: records are looked up one by one, in the order of the index.
    records = f"SELECT {COLUMNS} FROM record r WHERE {inner} OFFSET 0"  # noqa: S608 - likewise
    if first:
        return f"(SELECT * FROM {along.relation} k WHERE {where}{first}) k CROSS JOIN LATERAL ({records}) r"  # noqa: S608 - likewise
    return f"{along.relation} k CROSS JOIN LATERAL ({records}) r WHERE {where}"


def _table_source(search: Search, residual: Sequence[str], after: _After, arguments: Arguments, first: str = "") -> str:
    """`first`: which of the table's records are looked at; empty for all."""
    conditions = ["r.table_id = $2", "r.deleted_at IS NULL", *after[0]]
    others = [*residual, *after[1]]
    since = [
        datetime.fromisoformat(part.value)
        for part in conjuncts(search.condition)
        if isinstance(part, Compare) and part.field.name == "createdAt" and part.op in ("gt", "gte")
    ]
    if since:
        conditions.append(f"r.id >= {arguments.add(_first_id(max(since)))}")
    if first:
        within = f"(SELECT * FROM record r WHERE r.workspace_id = $1 AND {' AND '.join(conditions)}{first}) r"  # noqa: S608 - likewise
        return f"{within} WHERE {' AND '.join(others)}"
    return f"record r WHERE r.workspace_id = $1 AND {' AND '.join([*conditions, *others])}"


def _text_source(search: Search, residual: Sequence[str], after: _After, arguments: Arguments) -> str:
    words = arguments.add(search.words)
    where = [
        "r.workspace_id = $1",
        "r.table_id = $2",
        "r.id = found",
        "r.deleted_at IS NULL",
        *residual,
        *after[0],
        *after[1],
    ]
    return f"find_by_text($2, {words}::text::tsquery) AS found, record r WHERE {' AND '.join(where)}"


def _first_id(moment: datetime) -> UUID:
    """The least UUIDv7 of what can have been made at `moment`."""
    milliseconds = max(0, int((moment - SLACK).timestamp() * 1000))
    return UUID(int=milliseconds << 80)


def _sorted_value(field: Field, record: Record) -> Json:
    return record.values.get(field.key) if field.key else record.updated_at.isoformat()
