"""Finding records by filter, words and order; pages that stay right while records are added."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

from passerelle.kit.clock import iso
from passerelle.kit.database import Connection, Database
from passerelle.kit.errors import PasserelleError
from passerelle.kit.http.pages import DEFAULT_LIMIT, Cursors, limit_of
from passerelle.kit.json import Json
from passerelle.records import plans
from passerelle.records.errors import FILTER_INVALID, SEARCH_TOO_SLOW
from passerelle.records.filters import Combined, Compare, Condition, compared, parse_filter, parse_names, parse_sort
from passerelle.records.models import KEPT_DELETED, Record, flat
from passerelle.records.plans import Along, Inside, Search, Statement
from passerelle.records.repository import RecordRepository, record_of
from passerelle.records.schemas import CountBody, SearchBody
from passerelle.records.searching import text_query, words_of
from passerelle.records.sight import Sight, done_by, sight_of
from passerelle.tables.models import Field, Table
from passerelle.tables.service import Tables
from passerelle.tables.types import type_of
from passerelle.tables.values import is_empty, read_value, unknown_field

TIME_LIMIT: Final = 2_000
"""Milliseconds that a search may take which an index does not answer alone."""


@dataclass(frozen=True, slots=True)
class Found:
    """One page: records as the API shows them, and where the next one begins."""

    data: list[dict[str, Any]]
    next: str | None


class RecordSearch:
    """Lists and searches of records."""

    def __init__(
        self,
        database: Database,
        tables: Tables,
        repository: RecordRepository,
        cursors: Cursors,
        time_limit: int = TIME_LIMIT,
    ) -> None:
        """`time_limit`: milliseconds of a search that no index answers alone."""
        self._database = database
        self._tables = tables
        self._repository = repository
        self._cursors = cursors
        self._time_limit = time_limit

    async def page(self, workspace_id: UUID, table: str, body: SearchBody) -> Found:
        """One page of a search.

        Raises TABLE_NOT_FOUND, FILTER_INVALID, FILTER_TOO_LARGE, CURSOR_INVALID, LIMIT_INVALID, SEARCH_TOO_SLOW.
        """
        found, search = await self._checked(workspace_id, table, body)
        sight = sight_of(found)
        sight.require_any()
        shown = parse_names(sight.shown, body.fields or (), "fields", relations=False)
        include = parse_names(sight.shown, body.include or (), "include", relations=True)
        sight.require_open(include, ["include"])
        async with self._database.reading(workspace_id) as connection:
            rows = await self._run(connection, search)
            page = rows[: search.limit]
            names = tuple((field.key, field.name) for field in shown) or sight.shown.names
            data = [flat(row[0], row[1], row[2], row[3], row[4], names) for row in page]
            if sight.masked:
                data = [sight.cover(one, names) for one in data]
            for field in include:
                await self._include(connection, found, field, page, data)
        following = None
        if len(rows) > search.limit:
            position = plans.position_of(search, record_of(page[-1]))
            following = self._cursors.encode(position, bound_to=_bound_to(found, body))
        return Found(data, following)

    async def count(self, workspace_id: UUID, table: str, body: CountBody) -> tuple[int, bool]:
        """How many records are found, counted up to `body.up_to`, and whether there are no more.

        Raises TABLE_NOT_FOUND, FILTER_INVALID, FILTER_TOO_LARGE, SEARCH_TOO_SLOW.
        """
        wanted = SearchBody(filter=body.filter, text=body.text)
        _, search = await self._checked(workspace_id, table, wanted)
        along = plans.filter_index(search) if search.words is None else None
        async with self._database.reading(workspace_id) as connection:
            if search.words is not None and body.up_to * 10 <= plans.COUNTED_AMONG:
                counting = plans.counting_first(plans.by_index(search), body.up_to)
                [row] = await self._rows(connection, search, counting)
                if row[0] > body.up_to:
                    return body.up_to, False
            [row] = await self._rows(connection, search, plans.counting(search, along, body.up_to))
        return min(row[0], body.up_to), row[0] <= body.up_to

    async def deleted(
        self, workspace_id: UUID, table: str, filter_: Json, limit: int, after: str | None, since: datetime
    ) -> Found:
        """One page of the records that were deleted after `since`, the latest first: each with when and by whom.

        Raises TABLE_NOT_FOUND, FILTER_INVALID, FILTER_TOO_LARGE, CURSOR_INVALID, SEARCH_TOO_SLOW.
        """
        found = await self._tables.find_now(workspace_id, table)
        search = Search(found, searched_by(found, filter_), None, (), limit, None)
        bound_to = ["deleted", workspace_id, found.id, filter_]
        before = None
        if after is not None:
            place = self._cursors.decode(after, bound_to=bound_to)
            before = (datetime.fromisoformat(place["at"]), UUID(place["id"]))
        async with self._database.reading(workspace_id) as connection:
            rows = await self._rows(connection, search, plans.deleted_statement(search, since, before))
        data = [
            {
                "record": sight_of(found).json(record_of(row[:-1])),
                "deletedAt": iso(row["deleted_at"]),
                "deletedBy": row["by"],
                "restorableUntil": iso(row["deleted_at"] + KEPT_DELETED),
            }
            for row in rows[:limit]
        ]
        following = None
        if len(rows) > limit:
            last = rows[limit - 1]
            following = self._cursors.encode(
                {"at": last["deleted_at"].isoformat(), "id": last["id"]}, bound_to=bound_to
            )
        return Found(data, following)

    async def pages(self, workspace_id: UUID, table: Table, body: SearchBody) -> AsyncIterator[list[dict[str, Any]]]:
        """Every page of a search, at least one. No connection is held between two. Raises as `page`."""
        after = body.after
        while True:
            found = await self.page(workspace_id, str(table.id), body.model_copy(update={"after": after}))
            yield found.data
            if found.next is None:
                return
            after = found.next

    async def find(
        self, workspace_id: UUID, table: str, values: Mapping[str, Json], limit: int, connection: Connection
    ) -> tuple[Table, list[Record]]:
        """The newest records whose fields have these values; null finds empty ones. For steps of workflows.

        Raises TABLE_NOT_FOUND, FILTER_INVALID, SEARCH_TOO_SLOW.
        """
        found = await self._tables.find(workspace_id, table, connection)
        parts = tuple(_equality(found, name, value) for name, value in values.items())
        search = Search(found, Combined("and", parts), None, (), limit, None)
        return found, [record_of(row) for row in (await self._run(connection, search))[:limit]]

    async def _checked(self, workspace_id: UUID, table: str, body: SearchBody) -> tuple[Table, Search]:
        """The search against the table as it is remembered; a mistake is told only of the table as it is now."""
        found = await self._tables.find(workspace_id, table)
        try:
            return found, self._search(found, body)
        except PasserelleError:
            found = await self._tables.find_now(workspace_id, table)
            return found, self._search(found, body)

    def _search(self, table: Table, body: SearchBody) -> Search:
        after = None
        if body.after is not None:
            position = self._cursors.decode(body.after, bound_to=_bound_to(table, body))
            after = (UUID(position["id"]), tuple(position["values"]))
        words = None
        if body.text is not None:
            words = text_query(body.text)
            if words is None:
                raise FILTER_INVALID.error("`text` must have at least one letter or digit", "/text")
        limit = limit_of(str(body.limit)) if body.limit is not None else DEFAULT_LIMIT
        sight = sight_of(table)
        sight.require_any()
        sort = parse_sort(sight.shown, body.sort or ())
        sight.require_open((order.field for order in sort), ["sort"])
        search = Search(table, searched_by(table, body.filter), words, sort, limit, after, body.skip or 0)
        return replace(search, inside=_inside(sight, body.text)) if body.text is not None else search

    async def _run(self, connection: Connection, search: Search) -> list[Any]:
        """The rows of one page, and one more where there is a next page."""
        if search.words is not None and (rows := await self._walked(connection, search)) is not None:
            return rows
        along, in_order = await self._along(connection, search)
        if search.skip and (passing := plans.passing(search, along, in_order=in_order)) is not None:
            passed = await self._rows(connection, search, passing)
            if not passed:
                return []
            search = await self._behind(connection, search, passed[0][0])
        statement = plans.statement(search, along, in_order=in_order)
        return await self._rows(connection, search, statement)

    async def _walked(self, connection: Connection, search: Search) -> list[Any] | None:
        """The page of a search for words, where the first records of an index fill it; None where they do not."""
        search = plans.by_index(search)
        along, in_order = await self._along(connection, search)
        if not plans.is_walkable(search, along, in_order=in_order):
            return None
        rows = await self._rows(connection, search, plans.statement(search, along, in_order=True, walked=True))
        return rows if len(rows) > search.limit else None

    async def _behind(self, connection: Connection, search: Search, record_id: UUID) -> Search:
        """The search from behind this record on."""
        found = await self._repository.find(connection, search.table, record_id)
        assert found is not None
        position = plans.position_of(search, found)
        return replace(search, skip=0, after=(found.id, tuple(position["values"])))

    async def _along(self, connection: Connection, search: Search) -> tuple[Along | None, bool]:
        """The index to read, and whether it gives the order too."""
        if search.words is not None:
            return None, False
        by_filter, by_sort = plans.filter_index(search), plans.sort_index(search)
        if by_filter is None:
            return by_sort, by_sort is not None
        if plans.ordered_by_filter(search, by_filter):
            return by_filter, True
        if by_sort is None or by_filter.relation == "record_unique":
            return by_filter, False
        if by_sort.field is not None and by_sort.conditions:
            return by_sort, True
        counting = plans.count_sql(search, by_filter)
        few = await connection.fetchval(counting.sql, *counting.values) <= plans.FEW
        return (by_filter, False) if few else (by_sort, True)

    async def _rows(self, connection: Connection, search: Search, statement: Statement) -> list[Any]:
        if not statement.limited:
            return list(await connection.fetch(statement.sql, *statement.values))
        try:
            async with connection.transaction():
                before = await connection.fetchval("SELECT current_setting('statement_timeout')")
                await connection.execute("SELECT set_config('statement_timeout', $1, true)", str(self._time_limit))
                rows = await connection.fetch(statement.sql, *statement.values)
                # The transaction may be the engine's, and go on.
                await connection.execute("SELECT set_config('statement_timeout', $1, true)", before)
                return list(rows)
        except asyncpg.QueryCanceledError:
            raise _too_slow(search, self._time_limit) from None

    async def _include(
        self,
        connection: Connection,
        table: Table,
        field: Field,
        rows: Sequence[Any],
        data: Sequence[dict[str, Any]],
    ) -> None:
        """Put the related records beside those of a page; null where there is none any more."""
        assert field.table_id is not None
        ids = {UUID(target) for row in rows if (target := row["values"].get(field.key)) is not None}
        try:
            other = await self._tables.find(table.workspace_id, str(field.table_id), connection)
            related = await self._repository.find_related(connection, other, list(ids))
            sight = sight_of(other)
            shown = {str(one): sight.json(found) for one, found in related.items()}
        except PasserelleError:
            shown = {}
        for row, item in zip(rows, data, strict=True):
            item.setdefault("included", {})[field.name] = shown.get(row["values"].get(field.key, ""))


def _bound_to(table: Table, body: SearchBody) -> Json:
    return ["records", table.workspace_id, table.id, body.filter, body.text, body.sort]


def searched_by(table: Table, filter_: Json) -> Condition | None:
    """What is searched by, with what the caller sees at all. Raises FILTER_INVALID, PERMISSION_DENIED…"""
    sight = sight_of(table)
    sight.require_any()
    wanted = parse_filter(sight.shown, filter_)
    if wanted is not None:
        sight.require_open((one.field for one in compared(wanted)), ["filter"])
    allowed = done_by(table)
    if allowed is None or wanted is None:
        return allowed or wanted
    return Combined("and", (allowed, wanted))


def _inside(sight: Sight, text: str) -> Inside | None:
    """Where the words of a text have to stand; None where the whole record is open."""
    fields = [field for field in sight.table.fields if type_of(field).searched]
    open_ = [field for field in sight.shown.fields if type_of(field).searched and field.key not in sight.masked]
    return None if len(open_) == len(fields) else Inside(tuple(words_of(text)), tuple(field.key for field in open_))


def _equality(table: Table, name: str, value: Json) -> Condition:
    field = table.by_name.get(name)
    if field is None:
        raise FILTER_INVALID.error(unknown_field(table, name))
    if is_empty(value):
        return Compare(field, "isEmpty", True)
    try:
        return Compare(field, "eq", read_value(field, value))
    except ValueError as error:
        raise FILTER_INVALID.error(f"`{name}` {error}") from None


def _too_slow(search: Search, limit: int) -> PasserelleError:
    helpful = plans.helped_by_index(search)
    by_sort = bool(search.sort) and helpful[:1] == [search.sort[0].field]
    return SEARCH_TOO_SLOW.error(
        f"the search took more than {limit / 1000:g} s in the table {search.table.name}: {_advice(search, helpful)}",
        "/sort" if by_sort else "/filter",
    )


def _advice(search: Search, helpful: Sequence[Field]) -> str:
    """What makes the search faster."""
    if not helpful:
        return "narrow it by `text`, or by `eq`, `in`, `startsWith` or a range on an indexed field"
    building = next((field.name for field in helpful if field.keyed and field.index == "building"), None)
    if building is not None:
        return f"the index of `{building}` is being made, search again when it is ready"
    name, *others = (f"`{field.name}`" for field in helpful)
    also = f" (also without an index: {', '.join(others)})" if others else ""
    return f'set `"indexed": true` on {name} with PATCH /tables/{search.table.name}{also}, or narrow the search'
