"""Records in PostgreSQL. Every write is one statement: record, index rows, history and event become true together.

A write names the version of the table that its values were checked against, and writes nothing if that is not
the current one any more.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

from passerelle.kit.database import Connection, fetch_one
from passerelle.kit.event_log import NEW_EVENT
from passerelle.kit.ids import NewId
from passerelle.kit.json import Json, JsonObject
from passerelle.kit.observer import note_change
from passerelle.quotas.service import WorkspaceQuotas
from passerelle.records.conditions import Arguments
from passerelle.records.errors import RECORD_NOT_STORABLE, ValueTakenError
from passerelle.records.models import ERASED, Author, Next, Record, differences
from passerelle.records.searching import search_text
from passerelle.records.sight import seen_sql
from passerelle.tables.keys import EMPTY
from passerelle.tables.models import Field, Table
from passerelle.tables.types import type_of
from passerelle.tables.values import file_ids

COLUMNS: Final = "r.id, r.version, r.values, r.created_at, r.updated_at, r.deleted_at, r.merged_into"

_FIND: Final = f"SELECT {COLUMNS} FROM record r WHERE r.workspace_id = $1 AND r.id = $2 AND r.table_id = $3"
_FIND_MANY: Final = (
    f"SELECT {COLUMNS} FROM record r "
    "WHERE r.workspace_id = $1 AND r.id = ANY($2) AND r.table_id = $3 AND r.deleted_at IS NULL"
)
_LOCK: Final = "SELECT id FROM record WHERE workspace_id = $1 AND table_id = $2 AND id = ANY($3) ORDER BY id FOR UPDATE"
_FORWARDS: Final = (
    "SELECT r.id, r.merged_into FROM record r "
    "WHERE r.workspace_id = $1 AND r.id = ANY($2) AND r.table_id = $3 AND r.merged_into IS NOT NULL"
)
_MERGED: Final = "SELECT id FROM record WHERE workspace_id = $1 AND merged_into = $2"
_KNOWN_AS: Final = """
    WITH led AS (
        SELECT merged_into AS id FROM record
        WHERE workspace_id = $1 AND id = $2 AND merged_into IS NOT NULL AND merged_into <> $3
    ), now AS (
        SELECT coalesce((SELECT id FROM led), $2) AS id
    )
    SELECT id FROM now UNION
    SELECT r.id FROM record r JOIN now ON r.merged_into = now.id WHERE r.workspace_id = $1
"""
_FORWARD_ON: Final = "UPDATE record SET merged_into = $3 WHERE workspace_id = $1 AND merged_into = $2"
_HOLDERS: Final = (
    "SELECT u.field_id, u.key, u.record_id FROM record_unique u, unnest($2::uuid[], $3::bytea[]) AS w(field_id, key) "
    "WHERE u.workspace_id = $1 AND u.field_id = w.field_id AND u.key = w.key"
)

_HOLDER: Final = f"""
    SELECT u.record_id, {COLUMNS} FROM record_unique u
    LEFT JOIN record r ON r.workspace_id = $1 AND r.id = u.record_id AND r.table_id = $2 {{seen}}
    WHERE u.workspace_id = $1 AND u.field_id = $3 AND u.key = $4
"""

_SEARCH: Final = "array_to_tsvector(string_to_array({text}, ' ') || $2::uuid::text)"
_CURRENT: Final = "SELECT FROM record_table WHERE workspace_id = $1 AND id = $2 AND version = $3"

_INSERT: Final = f"""
    WITH t AS ({_CURRENT}), u AS (
        INSERT INTO record_unique (workspace_id, field_id, key, record_id)
        SELECT $1, n.field_id, n.key, n.id
        FROM t, unnest($11::uuid[], $12::bytea[], $13::uuid[]) AS n(field_id, key, id)
        ON CONFLICT DO NOTHING RETURNING record_id
    ), free AS (
        SELECT FROM t WHERE (SELECT count(*) FROM u) = cardinality($11::uuid[])
    ), r AS (
        INSERT INTO record (workspace_id, id, table_id, version, values, search, created_at, updated_at)
        SELECT $1, n.id, $2, 1, n.values, {_SEARCH.format(text="n.search")}, $4, $4
        FROM free, unnest($5::uuid[], $6::jsonb[], $7::text[]) AS n(id, values, search)
        RETURNING id
    ), k AS (
        INSERT INTO record_key (workspace_id, field_id, key, record_id)
        SELECT $1, n.field_id, n.key, n.id
        FROM free, unnest($8::uuid[], $9::bytea[], $10::uuid[]) AS n(field_id, key, id)
    ), c AS (
        INSERT INTO record_change (workspace_id, record_id, version, action, changes, at, by, execution_id)
        SELECT $1, n.id, 1, 'created', n.changes, $4, $14, $15
        FROM free, unnest($5::uuid[], $16::jsonb[]) AS n(id, changes)
    ), e AS (
        {NEW_EVENT}
        SELECT $1, n.id, 'record.created', $15, n.data, $4 FROM free, unnest($17::uuid[], $18::jsonb[]) AS n(id, data)
    )
    SELECT (SELECT count(*) FROM r) AS written, NOT EXISTS (SELECT FROM free) AND EXISTS (SELECT FROM t) AS taken
"""
"""Values that others have are no error of the statement: that would end the transaction that it runs in."""

_UPDATE: Final = f"""
    WITH t AS ({_CURRENT}), r AS (
        UPDATE record SET version = n.version + 1, values = n.values, search = {_SEARCH.format(text="n.search")},
            updated_at = $4, deleted_at = $9, merged_into = $10
        FROM t, unnest($5::uuid[], $6::integer[], $7::jsonb[], $8::text[]) AS n(id, version, values, search)
        WHERE record.workspace_id = $1 AND record.table_id = $2 AND record.id = n.id AND record.version = n.version
        RETURNING record.id
    ), dk AS (
        DELETE FROM record_key USING r, unnest($11::uuid[], $12::bytea[], $13::uuid[]) AS o(field_id, key, id)
        WHERE record_key.workspace_id = $1 AND record_key.field_id = o.field_id AND record_key.key = o.key
          AND record_key.record_id = o.id AND r.id = o.id
    ), k AS (
        INSERT INTO record_key (workspace_id, field_id, key, record_id)
        SELECT $1, n.field_id, n.key, n.id
        FROM r JOIN unnest($14::uuid[], $15::bytea[], $16::uuid[]) AS n(field_id, key, id) USING (id)
    ), du AS (
        DELETE FROM record_unique USING r, unnest($17::uuid[], $18::bytea[], $19::uuid[]) AS o(field_id, key, id)
        WHERE record_unique.workspace_id = $1 AND record_unique.field_id = o.field_id AND record_unique.key = o.key
          AND record_unique.record_id = o.id AND r.id = o.id
    ), u AS (
        INSERT INTO record_unique (workspace_id, field_id, key, record_id)
        SELECT $1, n.field_id, n.key, n.id
        FROM r JOIN unnest($20::uuid[], $21::bytea[], $22::uuid[]) AS n(field_id, key, id) USING (id)
    ), c AS (
        INSERT INTO record_change (workspace_id, record_id, version, action, changes, at, by, execution_id)
        SELECT $1, n.id, n.version + 1, $23, n.changes, $4, $24, $25
        FROM r JOIN unnest($5::uuid[], $6::integer[], $26::jsonb[]) AS n(id, version, changes) USING (id)
    ), e AS (
        {NEW_EVENT}
        SELECT $1, n.event_id, $27, $25, n.data, $4
        FROM r JOIN unnest($5::uuid[], $28::uuid[], $29::jsonb[]) AS n(id, event_id, data) USING (id)
        WHERE $27::text IS NOT NULL
    )
    SELECT count(*) FROM r
"""

_ATTACH: Final = """
    WITH n AS (
        SELECT * FROM unnest($4::uuid[], $5::uuid[]) AS n(file, record_id)
    ), held AS (
        SELECT f.id, n.record_id FROM n JOIN resource f ON f.workspace_id = $1 AND f.id = n.file FOR KEY SHARE OF f
    ), new AS (
        INSERT INTO attachment (workspace_id, id, record_id, resource_id, tags, created_at, created_by)
        SELECT $1, held.id, held.record_id, held.id, '{}', $2, $3 FROM held
        ON CONFLICT DO NOTHING
    )
    SELECT EXISTS (
        SELECT FROM n WHERE NOT EXISTS (SELECT FROM held WHERE held.id = n.file AND held.record_id = n.record_id)
          AND NOT EXISTS (
              SELECT FROM attachment a WHERE a.workspace_id = $1 AND a.record_id = n.record_id AND a.id = n.file)
    )
"""
"""Whether a file is gone that was there when the values were checked. Nobody deletes the others meanwhile."""

_EVENTS: Final[dict[str, str]] = {"deleted": "record.deleted", "merged": "record.merged"}
"""The events of actions; all others are changes."""

Key = tuple[UUID, bytes]
"""A field, and a value of it as sortable bytes."""
Keys = list[Key]
Entry = tuple[UUID, bytes, UUID]
"""A row of an index: a key, and the record that has it."""


class _FileGone(Exception):  # noqa: N818
    """A file was deleted since the values that name it were checked."""


class RecordRepository:
    """Reads and writes records on connections that serve their workspace."""

    def __init__(self, new_id: NewId, quotas: WorkspaceQuotas | None = None) -> None:
        self._new_id = new_id
        self._quotas = quotas

    async def require_room(self, connection: Connection, workspace_id: UUID, more: int) -> None:
        """Raises RECORDS_QUOTA_REACHED where the workspace may not have so many more."""
        if self._quotas is not None:
            await self._quotas.require(workspace_id, "records", more, connection)

    async def find(self, connection: Connection, table: Table, record_id: UUID) -> Record | None:
        """A record, also one that is deleted."""
        arguments = Arguments(table.workspace_id, record_id, table.id)
        row = await connection.fetchrow(_FIND + seen_sql(table, arguments), *arguments.values)
        return record_of(row) if row is not None else None

    async def find_many(self, connection: Connection, table: Table, ids: Sequence[UUID]) -> dict[UUID, Record]:
        """Those of the records that are there, by id."""
        arguments = Arguments(table.workspace_id, ids, table.id)
        rows = await connection.fetch(_FIND_MANY + seen_sql(table, arguments), *arguments.values)
        return {row["id"]: record_of(row) for row in rows}

    async def find_related(self, connection: Connection, table: Table, ids: Sequence[UUID]) -> dict[UUID, Record]:
        """As `find_many`; a record that was merged into another is found as that one."""
        found = await self.find_many(connection, table, ids)
        missing = [one for one in ids if one not in found]
        forwards = await self.forwards(connection, table, missing) if missing else {}
        if forwards:
            others = await self.find_many(connection, table, list(forwards.values()))
            found |= {one: others[target] for one, target in forwards.items() if target in others}
        return found

    async def forwards(self, connection: Connection, table: Table, ids: Sequence[UUID]) -> dict[UUID, UUID]:
        """Those of the records that were merged, with the record that they were merged into."""
        arguments = Arguments(table.workspace_id, ids, table.id)
        rows = await connection.fetch(_FORWARDS + seen_sql(table, arguments), *arguments.values)
        return {row["id"]: row["merged_into"] for row in rows}

    async def merged_into(self, connection: Connection, workspace_id: UUID, record_id: UUID) -> list[UUID]:
        """The records that were merged into this one."""
        return [row["id"] for row in await connection.fetch(_MERGED, workspace_id, record_id)]

    async def known_as(self, connection: Connection, workspace_id: UUID, record_id: UUID) -> list[UUID]:
        """The record, or the one that it was merged into, and all that were merged into that."""
        rows = await connection.fetch(_KNOWN_AS, workspace_id, record_id, ERASED)
        return [row["id"] for row in rows]

    async def forward_on(self, connection: Connection, workspace_id: UUID, source: UUID, target: UUID) -> None:
        """Let all that was merged into `source` lead to `target`, so that no chain grows."""
        await connection.execute(_FORWARD_ON, workspace_id, source, target)

    async def lock(self, connection: Connection, table: Table, ids: Sequence[UUID]) -> None:
        """Hold these records until the transaction ends; always in the same order, so that nobody waits in a ring."""
        await connection.execute(_LOCK, table.workspace_id, table.id, ids)

    async def holders(self, connection: Connection, workspace_id: UUID, keys: Keys) -> dict[tuple[UUID, bytes], UUID]:
        """Which record has which of these values in a unique field."""
        rows = await connection.fetch(_HOLDERS, workspace_id, [key[0] for key in keys], [key[1] for key in keys])
        return {(row["field_id"], row["key"]): row["record_id"] for row in rows}

    async def holder(
        self, connection: Connection, table: Table, field: Field, stored: Json
    ) -> tuple[UUID | None, Record | None]:
        """Which record has the stored value in a unique field; and the record, if it is in the table and seen."""
        arguments = Arguments(table.workspace_id, table.id, field.id, key_of(field, {field.key: stored}))
        row = await connection.fetchrow(_HOLDER.format(seen=seen_sql(table, arguments)), *arguments.values)
        if row is None:
            return None, None
        holder, *columns = row
        return holder, Record(*columns) if columns[0] is not None else None

    async def insert(self, connection: Connection, table: Table, records: Sequence[Record], author: Author) -> bool:
        """Write new records that were made at the same moment. False, and nothing was written, if the table has changed
        or a file is gone.

        Files that their fields name become their attachments. Raises `ValueTakenError`, RECORDS_QUOTA_REACHED, and
        `asyncpg.UniqueViolationError` of `record_pkey` or, where another table has the id, `record_change_pkey`.
        """
        await self.require_room(connection, table.workspace_id, len(records))
        files = [(file, one.id) for one in records for _, file in file_ids(table, one.values, {})]
        # In one order, so that two who want the same values wait for one another instead of in a ring.
        unique = sorted((field_id, key, one.id) for one in records for field_id, key in unique_keys(table, one.values))
        # Of several values, those that were free have to be given back.
        try:
            async with _storable(), _together(connection, files or unique[1:]):
                written, is_taken = await self._insert(connection, table, records, unique, author)
                if is_taken:
                    raise ValueTakenError
                await _attach(connection, table, files if written else [], author, records[0].created_at)
        except _FileGone:
            return False
        if len(records) == written == 1:
            note_change(records[0].id, None, _by_name(table, records[0]))
        return written == len(records)

    async def _insert(
        self, connection: Connection, table: Table, records: Sequence[Record], unique: Sequence[Entry], author: Author
    ) -> tuple[int, bool]:
        """How many were written, and whether others have some of the values."""
        keys = [(field_id, key, record.id) for record in records for field_id, key in index_keys(table, record.values)]
        row = await fetch_one(
            connection,
            _INSERT,
            table.workspace_id, table.id, table.version, records[0].created_at,
            [record.id for record in records],
            [record.values for record in records],
            [search_text(table, record.values) for record in records],
            *_columns(keys, 3),
            *_columns(unique, 3),
            author.by, author.execution_id,
            [differences({}, record.values) for record in records],
            [self._new_id() for _ in records],
            [_event(table, record.id, 1, record.values, author) for record in records],
        )  # fmt: skip
        return row["written"], row["taken"]

    async def update(
        self, connection: Connection, table: Table, old: Record, new: Next, author: Author, now: datetime
    ) -> Record | None:
        """Write a record's next version. None, and nothing was written, if it or its table has changed meanwhile, or a
        file is gone.

        Raises `asyncpg.UniqueViolationError` of `record_unique_pkey`.
        """
        # Whoever fills an index locks the record too, and then inserts a row that this has to delete: only a
        # statement that begins once the lock is held sees it.
        async with _together(connection, table.building):
            if table.building:
                await self.lock(connection, table, [old.id])
            updated = await self._update(connection, table, [(old, new)], author, now)
        if updated != 1:
            return None
        now_is = Record(old.id, old.version + 1, dict(new.values), old.created_at, now, new.deleted_at, new.merged_into)
        note_change(old.id, _by_name(table, old), _by_name(table, now_is))
        return now_is

    async def update_locked(
        self,
        connection: Connection,
        table: Table,
        changed: Sequence[tuple[Record, JsonObject]],
        author: Author,
        now: datetime,
    ) -> bool:
        """Write the next version of records that the transaction has locked: new values for each, in one statement.

        False, and nothing was written, if the table has changed or a file is gone.
        Raises `asyncpg.UniqueViolationError`.
        """
        changes = [(old, Next(values)) for old, values in changed]
        return await self._update(connection, table, changes, author, now) == len(changes)

    async def _update(
        self,
        connection: Connection,
        table: Table,
        changed: Sequence[tuple[Record, Next]],
        author: Author,
        now: datetime,
    ) -> int:
        """How many records were written. All are to be deleted, merged or changed alike."""
        files = [(file, old.id) for old, new in changed for _, file in file_ids(table, new.values, old.values)]
        try:
            async with _storable(), _together(connection, files):
                written = await self._write(connection, table, changed, author, now)
                await _attach(connection, table, files if written else [], author, now)
        except _FileGone:
            return 0
        return written

    async def _write(
        self,
        connection: Connection,
        table: Table,
        changed: Sequence[tuple[Record, Next]],
        author: Author,
        now: datetime,
    ) -> int:
        like = changed[0][1]
        changes = [differences(old.values, new.values) for old, new in changed]
        keys, unique = _moved(table, index_keys, changed), _moved(table, unique_keys, changed)
        written: int = await connection.fetchval(
            _UPDATE,
            table.workspace_id, table.id, table.version, now,
            [old.id for old, _ in changed], [old.version for old, _ in changed],
            [new.values for _, new in changed], [search_text(table, new.values) for _, new in changed],
            like.deleted_at, like.merged_into,
            *_columns(keys[0], 3), *_columns(keys[1], 3), *_columns(unique[0], 3), *_columns(unique[1], 3),
            like.action, author.by, author.execution_id, changes,
            None if like.merged_into else _EVENTS.get(like.action, "record.updated"),
            [self._new_id() for _ in changed],
            [
                {**_event(table, old.id, old.version + 1, change, author), **_taken_in(new)}
                for (old, new), change in zip(changed, changes, strict=True)
            ],
        )  # fmt: skip
        return written


def _by_name(table: Table, record: Record) -> JsonObject:
    """A record's values as the audit names them."""
    values = {field.name: record.values[field.key] for field in table.fields if field.key in record.values}
    return values if record.deleted_at is None else {**values, "(deleted)": True}


@asynccontextmanager
async def _storable() -> AsyncIterator[None]:
    """What PostgreSQL says to the values themselves is the caller's to mend. Raises RECORD_NOT_STORABLE."""
    try:
        yield
    except (asyncpg.DataError, asyncpg.ProgramLimitExceededError) as error:
        raise RECORD_NOT_STORABLE.error(f"the database cannot hold these values: {error.args[0]}") from error


@asynccontextmanager
async def _together(connection: Connection, reasons: Collection[object]) -> AsyncIterator[None]:
    """A transaction, where there is a reason for one: a single statement needs none."""
    if not reasons:
        yield
        return
    async with connection.transaction():
        yield


async def _attach(
    connection: Connection, table: Table, files: Sequence[tuple[UUID, UUID]], author: Author, now: datetime
) -> None:
    """Let records have the files that their fields name; those that they have already are left alone.

    Raises `_FileGone`, which takes back what was written.
    """
    if files and await connection.fetchval(_ATTACH, table.workspace_id, now, author.by, *_columns(files, 2)):
        raise _FileGone


def _taken_in(new: Next) -> JsonObject:
    return {"mergedRecordId": str(new.merged_from)} if new.merged_from is not None else {}


def next_to_index(batch: int) -> str:
    """A query for the next records of a table by id, locked: `$1` workspace, `$2` table, `$3` the last id."""
    return (
        f"SELECT {COLUMNS} FROM record r WHERE r.workspace_id = $1 AND r.table_id = $2 AND r.deleted_at IS NULL "
        f"AND r.id > $3 ORDER BY r.id LIMIT {batch} FOR NO KEY UPDATE"
    )


def index_keys(table: Table, values: JsonObject) -> Keys:
    """A record's rows in `record_key`: one for each indexed field, empty ones too."""
    return [(field.id, key_of(field, values)) for field in table.keyed]


def unique_keys(table: Table, values: JsonObject) -> Keys:
    """A record's rows in `record_unique`: one for each unique field that has a value."""
    return [(field.id, key_of(field, values)) for field in table.unique if field.key in values]


def key_of(field: Field, values: JsonObject) -> bytes:
    """What the field's value sorts by."""
    value = values.get(field.key)
    return EMPTY if value is None else type_of(field).key(value)


def record_of(row: Any) -> Record:
    """A row of `COLUMNS`."""
    return Record(*row)


def _moved(
    table: Table, keys: Callable[[Table, JsonObject], Keys], changed: Sequence[tuple[Record, Next]]
) -> tuple[list[Entry], list[Entry]]:
    """Index rows to delete and to insert; a deleted record has none."""
    gone: list[Entry] = []
    added: list[Entry] = []
    for old, new in changed:
        before = set(keys(table, old.values)) if old.deleted_at is None else set()
        after = set(keys(table, new.values)) if new.deleted_at is None else set()
        gone += [(*key, old.id) for key in before - after]
        added += [(*key, old.id) for key in after - before]
    return sorted(gone), sorted(added)


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [[row[index] for row in rows] for index in range(width)]


def _event(table: Table, record_id: UUID, version: int, changed: JsonObject, author: Author) -> JsonObject:
    """Which fields have changed, not their values: events leave the workspace."""
    return {
        "recordId": str(record_id),
        "tableId": str(table.id),
        "table": table.name,
        "version": version,
        "workflowId": str(author.execution_id) if author.execution_id else None,
        "changed": [table.by_key[key].name for key in changed if key in table.by_key],
    }
