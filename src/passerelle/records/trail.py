"""What surrounds a record: its history, and what people wrote about it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from passerelle.kit.clock import Clock, iso
from passerelle.kit.database import Database
from passerelle.kit.json import JsonObject
from passerelle.records.errors import COMMENT_EMPTY
from passerelle.records.models import Author, Change, Comment
from passerelle.records.repository import RecordRepository
from passerelle.records.service import Records
from passerelle.tables.models import Table

LONGEST_COMMENT: Final = 10_000

_CHANGES: Final = (
    "SELECT record_id, version, action, changes, at, by, execution_id FROM record_change WHERE workspace_id = $1 "
)

_CHANGE: Final = ("record_id", "version", "action", "changes", "at", "by", "execution_id")
_BY_EXECUTION: Final = (
    "SELECT r.table_id, c.* FROM record_change c "
    "JOIN record r ON r.workspace_id = c.workspace_id AND r.id = c.record_id "
    "WHERE c.workspace_id = $1 AND c.execution_id = $2 ORDER BY c.at, c.record_id, c.version"
)


HistoryPlace = tuple[datetime, UUID, int]
"""When, of which record, which version: what changes are sorted by."""


class Trail:
    """Histories and comments of records that are there."""

    def __init__(self, database: Database, records: Records, repository: RecordRepository, clock: Clock) -> None:
        self._database = database
        self._records = records
        self._repository = repository
        self._clock = clock

    async def history(
        self, workspace_id: UUID, table: str, record_id: UUID, before: HistoryPlace | None, limit: int
    ) -> tuple[Table, list[Change]]:
        """A record's changes before a place, newest first, with those of the records that were merged into it.

        Raises TABLE_NOT_FOUND, RECORD_NOT_FOUND.
        """
        async with self._database.workspace(workspace_id) as connection:
            found, record = await self._records.read_any(workspace_id, table, record_id, connection)
            if (place := await self._records.places.find(connection, found, record.id)) is not None:
                found = place.target
            merged = await self._repository.merged_into(connection, workspace_id, record.id)
            rows = await connection.fetch(
                _CHANGES + "AND record_id = ANY($2) AND ($3::timestamptz IS NULL OR (at, record_id, version) < "
                "($3, $4::uuid, $5::integer)) ORDER BY at DESC, record_id DESC, version DESC LIMIT $6",
                workspace_id,
                [record.id, *merged],
                *(before or (None, None, None)),
                limit,
            )
        return found, [Change(**row) for row in rows]

    async def by_execution(self, workspace_id: UUID, execution_id: UUID) -> list[tuple[Table, Change]]:
        """What an execution has done to records, in order: for its timeline. Personal values are in it as they are."""
        async with self._database.workspace(workspace_id) as connection:
            rows = await connection.fetch(_BY_EXECUTION, workspace_id, execution_id)
            tables = {
                table_id: await self._records.table(workspace_id, str(table_id), connection)
                for table_id in {row["table_id"] for row in rows}
            }
        return [(tables[row["table_id"]], Change(**{name: row[name] for name in _CHANGE})) for row in rows]

    async def comment(
        self, workspace_id: UUID, table: str, record_id: UUID, comment_id: UUID, text: str, author: Author
    ) -> Comment:
        """Write a comment; the same id again answers with the first. Raises COMMENT_EMPTY, RECORD_NOT_FOUND."""
        if not text.strip() or len(text) > LONGEST_COMMENT:
            raise COMMENT_EMPTY.error(f"`text` must have 1 to {LONGEST_COMMENT:,} characters", "/text")
        async with self._database.workspace(workspace_id) as connection:
            _, record = await self._records.read(workspace_id, table, record_id, connection=connection)
            row = await connection.fetchrow(
                "INSERT INTO record_comment (workspace_id, id, record_id, text, at, by) "
                "VALUES ($1, $2, $3, $4, $5, $6) "
                "ON CONFLICT (workspace_id, record_id, id) DO UPDATE SET id = excluded.id RETURNING id, text, at, by",
                workspace_id,
                comment_id,
                record.id,
                text,
                self._clock(),
                author.by,
            )
        return Comment(**row)

    async def comments(
        self, workspace_id: UUID, table: str, record_id: UUID, before: UUID | None, limit: int
    ) -> list[Comment]:
        """Comments older than `before`, newest first. Raises TABLE_NOT_FOUND, RECORD_NOT_FOUND."""
        async with self._database.workspace(workspace_id) as connection:
            _, record = await self._records.read(workspace_id, table, record_id, connection=connection)
            rows = await connection.fetch(
                "SELECT id, text, at, by FROM record_comment WHERE workspace_id = $1 AND record_id = $2 "
                "AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $4",
                workspace_id,
                record.id,
                before,
                limit,
            )
        return [Comment(**row) for row in rows]


def change_json(table: Table, change: Change) -> dict[str, Any]:
    """A change as the API shows it: by the names that the fields have now, or had when they were dropped."""
    return {
        "recordId": str(change.record_id),
        "version": change.version,
        "action": change.action,
        "at": iso(change.at),
        "by": change.by,
        "executionId": str(change.execution_id) if change.execution_id else None,
        "changes": named_changes(table, change.changes),
    }


def named_changes(table: Table, changes: JsonObject) -> list[dict[str, Any]]:
    """Each changed field with its value before and after."""
    return [
        {"field": table.by_key[key].name, "old": change["old"], "new": change["new"]}
        for key, change in changes.items()
        if key in table.by_key
    ]


def comment_json(comment: Comment) -> dict[str, Any]:
    """A comment as the API shows it."""
    return {"id": str(comment.id), "text": comment.text, "at": iso(comment.at), "by": comment.by}
