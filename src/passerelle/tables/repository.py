"""Tables in PostgreSQL. A change is one statement, fenced by `version`, and writes the jobs that follow from it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg

from passerelle.holds.service import require_table_free
from passerelle.kit.database import Connection, Database, DatabaseRow
from passerelle.kit.jobs import enqueue
from passerelle.kit.json import Json, JsonObject
from passerelle.tables.models import CLEAR_JOB, INDEX_JOB, Field, Table

_COLUMNS: Final = (
    "SELECT workspace_id, id, name, title, fields, built_in, version, created_at, updated_at FROM record_table"
)
_FIND: Final = _COLUMNS + " WHERE workspace_id = $1 AND id = $2"
_FIND_BY_NAME: Final = _COLUMNS + " WHERE workspace_id = $1 AND name = $2"
STALE_FOR: Final = timedelta(seconds=5)
"""How long a process may still use an index that is gone; its rows are cleared only then."""


class NameTaken(Exception):  # noqa: N818 - an answer, not a fault
    """The workspace has a table of that name."""


class TableRepository:
    """Reads and writes tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, workspace_id: UUID, reference: UUID | str) -> Table | None:
        """A table by its id or its name."""
        async with self._database.workspace(workspace_id) as connection:
            return await self.find_on(connection, workspace_id, reference)

    async def find_on(self, connection: Connection, workspace_id: UUID, reference: UUID | str) -> Table | None:
        """As `find`, on a connection that serves the workspace."""
        query = _FIND if isinstance(reference, UUID) else _FIND_BY_NAME
        row = await connection.fetchrow(query, workspace_id, reference)
        return _table(row) if row is not None else None

    async def listed(self, workspace_id: UUID, after: str, limit: int) -> list[Table]:
        """Tables by name, after the name `after`."""
        async with self._database.workspace(workspace_id) as connection:
            rows = await connection.fetch(
                _COLUMNS + ' WHERE workspace_id = $1 AND name COLLATE "C" > $2 ORDER BY name COLLATE "C" LIMIT $3',
                workspace_id,
                after,
                limit,
            )
        return [_table(row) for row in rows]

    async def names(self, workspace_id: UUID) -> dict[UUID, str]:
        """The name of each table."""
        async with self._database.workspace(workspace_id) as connection:
            rows = await connection.fetch("SELECT id, name FROM record_table WHERE workspace_id = $1", workspace_id)
        return {row["id"]: row["name"] for row in rows}

    async def insert(self, table: Table) -> bool:
        """Write a new table. False if there is one with its id: the same request came before. Raises `NameTaken`."""
        async with self._database.workspace(table.workspace_id) as connection:
            try:
                done = await connection.execute(
                    "INSERT INTO record_table "
                    "(workspace_id, id, name, title, fields, built_in, version, created_at, updated_at) "
                    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) ON CONFLICT (workspace_id, id) DO NOTHING",
                    table.workspace_id,
                    table.id,
                    table.name,
                    table.title,
                    _fields(table.all_fields),
                    table.built_in,
                    table.version,
                    table.created_at,
                )
            except asyncpg.UniqueViolationError as error:
                raise NameTaken(table.name) from error
        return done == "INSERT 0 1"

    async def update(self, table: Table, now: datetime, stale: Sequence[UUID] = ()) -> bool:
        """Write a table's next version. False if somebody was faster. Raises `NameTaken`.

        stale   ids of indexes that are gone
        """
        async with self._database.transaction(table.workspace_id) as connection:
            try:
                done = await connection.execute(
                    "UPDATE record_table SET name = $3, title = $4, fields = $5, updated_at = $6, "
                    "version = version + 1, changed_in = pg_current_xact_id() "
                    "WHERE workspace_id = $1 AND id = $2 AND version = $7",
                    table.workspace_id,
                    table.id,
                    table.name,
                    table.title,
                    _fields(table.all_fields),
                    now,
                    table.version,
                )
            except asyncpg.UniqueViolationError as error:
                raise NameTaken(table.name) from error
            if done != "UPDATE 1":
                return False
            if table.building:
                await enqueue(connection, INDEX_JOB, _about(table))
            if stale:
                facts = {**_about(table), "stale": [str(index) for index in stale]}
                await enqueue(connection, INDEX_JOB, facts, after=STALE_FOR)
        return True

    async def delete(self, table: Table) -> bool:
        """Delete a table; a job clears its records. False if somebody changed it meanwhile. Raises UNDER_LEGAL_HOLD."""
        async with self._database.transaction(table.workspace_id) as connection:
            await require_table_free(connection, table.workspace_id, table.id)
            done = await connection.execute(
                "DELETE FROM record_table WHERE workspace_id = $1 AND id = $2 AND version = $3",
                table.workspace_id,
                table.id,
                table.version,
            )
            if done != "DELETE 1":
                return False
            indexes = [str(field.id) for field in table.all_fields]
            await enqueue(connection, CLEAR_JOB, {**_about(table), "stale": indexes}, after=STALE_FOR)
        return True

    async def has_values(self, table: Table, field: Field | None = None, option: str | None = None) -> bool:
        """Whether a record of the table exists: any, one with a value of `field`, or one with that option."""
        condition, values = "", list[Json]()
        if field is not None and option is None:
            condition, values = " AND values ? $3", [field.key]
        elif field is not None:
            wanted = [option] if field.type == "multiselect" else option
            condition, values = " AND values @> $3", [{field.key: wanted}]
        async with self._database.workspace(table.workspace_id) as connection:
            found: bool = await connection.fetchval(
                "SELECT EXISTS (SELECT FROM record WHERE workspace_id = $1 AND table_id = $2 "
                f"AND deleted_at IS NULL{condition})",
                table.workspace_id,
                table.id,
                *values,
            )
        return found


def _about(table: Table) -> dict[str, Any]:
    return {"workspaceId": str(table.workspace_id), "tableId": str(table.id)}


def _fields(fields: Sequence[Field]) -> list[JsonObject]:
    return [field.to_json() for field in fields]


def _table(row: DatabaseRow) -> Table:
    return Table(
        row["workspace_id"], row["id"], row["name"], row["title"],
        tuple(Field.from_json(facts) for facts in row["fields"]),
        row["built_in"], row["version"], row["created_at"], row["updated_at"],
    )  # fmt: skip
