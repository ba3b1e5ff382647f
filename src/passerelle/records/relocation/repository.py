"""Moves in PostgreSQL. Each call works in the caller's transaction, so that a batch moves whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from passerelle.kit.database import Connection
from passerelle.kit.json import Json, JsonObject
from passerelle.records.models import Record
from passerelle.records.repository import COLUMNS, Keys, index_keys, record_of, unique_keys
from passerelle.records.searching import search_text
from passerelle.tables.models import Table

_NEXT: Final = (
    f"SELECT {COLUMNS} FROM record r WHERE r.workspace_id = $1 AND r.table_id = $2 AND r.id > $3 ORDER BY r.id LIMIT $4"
)
_NEXT_MOVED: Final = (
    f"SELECT {COLUMNS}, r.table_id, m.version AS moved_version, m.values AS was, m.changes, m.move_id "
    "FROM record_moved m JOIN record_move v ON v.workspace_id = m.workspace_id AND v.id = m.move_id "
    "JOIN record r ON r.workspace_id = m.workspace_id AND r.table_id = v.target_id AND r.id = m.record_id "
    "WHERE m.workspace_id = $1 AND v.source_id = $2 AND m.record_id > $3 ORDER BY m.record_id LIMIT $4"
)
_PLACE: Final = (
    "SELECT m.move_id, m.values, v.target_id, v.map FROM record_moved m "
    "JOIN record_move v ON v.workspace_id = m.workspace_id AND v.id = m.move_id "
    "WHERE m.workspace_id = $1 AND m.record_id = $2 AND v.source_id = $3"
)
_PUT: Final = """
    UPDATE record SET table_id = $3, values = n.values,
        search = array_to_tsvector(string_to_array(n.search, ' ') || $3::uuid::text)
    FROM unnest($4::uuid[], $5::jsonb[], $6::text[]) AS n(id, values, search)
    WHERE record.workspace_id = $1 AND record.table_id = $2 AND record.id = n.id
"""
_DROP: Final = (
    "DELETE FROM {relation} USING unnest($2::uuid[], $3::bytea[], $4::uuid[]) AS o(field_id, key, id) "
    "WHERE {relation}.workspace_id = $1 AND {relation}.field_id = o.field_id AND {relation}.key = o.key "
    "AND {relation}.record_id = o.id"
)
_ADD: Final = (
    "INSERT INTO {relation} (workspace_id, field_id, key, record_id) "
    "SELECT $1, n.* FROM unnest($2::uuid[], $3::bytea[], $4::uuid[]) AS n"
)
_CHANGES: Final = (
    "SELECT record_id, version, changes FROM record_change WHERE workspace_id = $1 AND record_id = ANY($2) "
    "AND changes <> '{}'"
)
_REWRITE: Final = """
    UPDATE record_change SET changes = n.changes
    FROM unnest($2::uuid[], $3::integer[], $4::jsonb[]) AS n(id, version, changes)
    WHERE workspace_id = $1 AND record_id = n.id AND record_change.version = n.version
"""
_NOTE: Final = """
    INSERT INTO record_moved (workspace_id, record_id, move_id, version, values, changes)
    SELECT $1, n.id, $2, n.version, n.values, n.changes
    FROM unnest($3::uuid[], $4::integer[], $5::jsonb[], $6::jsonb[]) AS n(id, version, values, changes)
"""

History = tuple[UUID, int, JsonObject]
"""One change: the record, the version, what it did by the keys of a table."""


@dataclass(frozen=True, slots=True)
class RelocatedRecord:
    """A record that was moved, as it is now, and as it was."""

    record: Record
    move_id: UUID
    version: int
    """At the moment of the move."""
    values: JsonObject
    changes: JsonObject

    @property
    def written(self) -> bool:
        """Whether somebody has written to it since."""
        return self.record.version != self.version


@dataclass(frozen=True, slots=True)
class Relocation:
    """Where records have gone, and by which map."""

    id: UUID
    target_id: UUID
    map: JsonObject


async def begin(
    connection: Connection,
    workspace_id: UUID,
    source: Table,
    target: Table,
    facts: JsonObject,
    move_id: UUID,
    now: datetime,
) -> UUID:
    """Note a move, or find the one that was begun with the same map; its id."""
    found: UUID | None = await connection.fetchval(
        "SELECT id FROM record_move WHERE workspace_id = $1 AND source_id = $2 AND target_id = $3 AND map = $4 LIMIT 1",
        workspace_id, source.id, target.id, facts,
    )  # fmt: skip
    if found is not None:
        return found
    await connection.execute(
        "INSERT INTO record_move (workspace_id, id, source_id, target_id, map, began_at) "
        "VALUES ($1, $2, $3, $4, $5, $6)",
        workspace_id, move_id, source.id, target.id, facts, now,
    )  # fmt: skip
    return move_id


async def moves_of(connection: Connection, workspace_id: UUID, source_id: UUID) -> dict[UUID, Relocation]:
    """Every move out of a table that records remain of, by its id."""
    rows = await connection.fetch(
        "SELECT v.id, v.target_id, v.map FROM record_move v WHERE v.workspace_id = $1 AND v.source_id = $2 "
        "AND EXISTS (SELECT FROM record_moved m WHERE m.workspace_id = v.workspace_id AND m.move_id = v.id)",
        workspace_id, source_id,
    )  # fmt: skip
    return {row["id"]: Relocation(*row) for row in rows}


async def next_records(
    connection: Connection, workspace_id: UUID, table_id: UUID, after: UUID, limit: int, *, lock: bool
) -> list[Record]:
    """Records of a table by id, deleted ones too; `lock`: nobody writes to them until the transaction ends."""
    query = _NEXT + (" FOR NO KEY UPDATE" if lock else "")
    return [record_of(row) for row in await connection.fetch(query, workspace_id, table_id, after, limit)]


async def next_moved(
    connection: Connection, workspace_id: UUID, source_id: UUID, after: UUID, limit: int, *, lock: bool
) -> list[RelocatedRecord]:
    """Records that have left a table, by id."""
    query = _NEXT_MOVED + (" FOR NO KEY UPDATE OF r" if lock else "")
    rows = await connection.fetch(query, workspace_id, source_id, after, limit)
    return [
        RelocatedRecord(
            Record(*tuple(row)[:7]), row["move_id"], row["moved_version"], row["was"], row["changes"]
        )
        for row in rows
    ]  # fmt: skip


async def place_of(
    connection: Connection, workspace_id: UUID, source_id: UUID, record_id: UUID
) -> tuple[Relocation, dict[str, Json]] | None:
    """Where a record of the table has gone, and the values that it left with; None if it has not."""
    row = await connection.fetchrow(_PLACE, workspace_id, record_id, source_id)
    return (Relocation(row["move_id"], row["target_id"], row["map"]), row["values"]) if row is not None else None


async def put(
    connection: Connection,
    old_table: Table,
    new_table: Table,
    old: Sequence[Record],
    values: Sequence[JsonObject],
) -> None:
    """Let records be of another table, with these values there. Raises `asyncpg.UniqueViolationError`."""
    workspace_id = old_table.workspace_id
    for relation, keys in (("record_key", index_keys), ("record_unique", unique_keys)):
        leaving = [(*key, one.id) for one in old if _is_live(one) for key in keys(old_table, one.values)]
        coming = [
            (*key, one.id)
            for one, new in zip(old, values, strict=True)
            if _is_live(one)
            for key in keys(new_table, new)
        ]
        if leaving:
            await connection.execute(_DROP.format(relation=relation), workspace_id, *_columns(leaving))
        if coming:
            await connection.execute(_ADD.format(relation=relation), workspace_id, *_columns(coming))
    await connection.execute(
        _PUT,
        workspace_id,
        old_table.id,
        new_table.id,
        [one.id for one in old],
        list(values),
        [search_text(new_table, one) for one in values],
    )


async def history_of(connection: Connection, workspace_id: UUID, ids: Sequence[UUID]) -> list[History]:
    """Every change of these records that did something to values."""
    return [tuple(row) for row in await connection.fetch(_CHANGES, workspace_id, ids)]


async def rewrite(connection: Connection, workspace_id: UUID, history: Sequence[History]) -> None:
    """Write what changes did by the keys of another table."""
    if history:
        await connection.execute(_REWRITE, workspace_id, *([one[column] for one in history] for column in range(3)))


async def note(
    connection: Connection, workspace_id: UUID, move_id: UUID, records: Sequence[Record], history: Sequence[History]
) -> None:
    """Remember what records were before they are moved."""
    changes: dict[UUID, dict[str, Json]] = {one.id: {} for one in records}
    for record_id, version, done in history:
        changes[record_id][str(version)] = done
    await connection.execute(
        _NOTE,
        workspace_id,
        move_id,
        [one.id for one in records],
        [one.version for one in records],
        [one.values for one in records],
        list(changes.values()),
    )


async def forget(connection: Connection, workspace_id: UUID, ids: Sequence[UUID]) -> None:
    """Forget that records were moved."""
    await connection.execute(
        "DELETE FROM record_moved WHERE workspace_id = $1 AND record_id = ANY($2)", workspace_id, ids
    )


async def hold_tables(connection: Connection, *tables: Table) -> bool:
    """Keep the tables as they are until the transaction ends. False if one has changed already."""
    for table in sorted(tables, key=lambda one: one.id):
        found = await connection.fetchval(
            "SELECT version FROM record_table WHERE workspace_id = $1 AND id = $2 FOR SHARE",
            table.workspace_id,
            table.id,
        )
        if found != table.version:
            return False
    return True


def _is_live(record: Record) -> bool:
    return record.deleted_at is None


def _columns(rows: Sequence[tuple[UUID, bytes, UUID]]) -> list[list[Keys | UUID | bytes]]:
    return [[row[index] for row in rows] for index in range(3)]
