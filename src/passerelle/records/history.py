"""What surrounds a record: its history, and what people wrote about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from passerelle.kit.clock import Clock
from passerelle.kit.database import Connection, Database, fetch_one
from passerelle.kit.errors import PasserelleError
from passerelle.kit.json import JsonObject
from passerelle.records.errors import COMMENT_EMPTY
from passerelle.records.masking import Masking
from passerelle.records.models import Author, Comment, Record, RecordChange
from passerelle.records.personal import PersonalValues
from passerelle.records.repository import RecordRepository
from passerelle.records.service import Records
from passerelle.records.sight import seen_ids, sight_of
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


class RecordHistory:
    """Histories and comments of records that are there."""

    def __init__(
        self,
        database: Database,
        records: Records,
        repository: RecordRepository,
        personal: PersonalValues,
        clock: Clock,
    ) -> None:
        self._database = database
        self._personal = personal
        self._records = records
        self._repository = repository
        self._clock = clock

    async def history(
        self, workspace_id: UUID, table: str, record_id: UUID, before: HistoryPlace | None, limit: int
    ) -> tuple[Table, list[RecordChange]]:
        """A record's changes before a place, newest first, with those of the records that were merged into it.

        Raises TABLE_NOT_FOUND, RECORD_NOT_FOUND.
        """
        async with self._database.reading(workspace_id) as connection:
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
        return found, [RecordChange(**row) for row in rows]

    async def by_execution(self, workspace_id: UUID, execution_id: UUID) -> list[tuple[Table, RecordChange]]:
        """What an execution has done to records, in order: for its timeline. Personal values are in it as they are.

        Records that whoever asks does not see are left out, and so are the fields that they do not see of others.
        """
        async with self._database.workspace(workspace_id) as connection:
            rows = await connection.fetch(_BY_EXECUTION, workspace_id, execution_id)
            ids: dict[UUID, list[UUID]] = {}
            for row in rows:
                ids.setdefault(row["table_id"], []).append(row["record_id"])
            seen = await seen_records(connection, self._records, workspace_id, ids)
        return [
            (table, _seen_change(table, RecordChange(**{name: row[name] for name in _CHANGE})))
            for row in rows
            if (table := seen.get(row["record_id"])) is not None
        ]

    async def comment(
        self, workspace_id: UUID, table: str, record_id: UUID, comment_id: UUID, text: str, author: Author
    ) -> Comment:
        """Write a comment; the same id again answers with the first. Raises COMMENT_EMPTY, RECORD_NOT_FOUND."""
        if not text.strip() or len(text) > LONGEST_COMMENT:
            raise COMMENT_EMPTY.error(f"`text` must have 1 to {LONGEST_COMMENT:,} characters", "/text")
        async with self._database.transaction(workspace_id) as connection:
            _, record = await self._records.read_locked(workspace_id, table, record_id, connection)
            row = await fetch_one(
                connection,
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
        async with self._database.reading(workspace_id) as connection:
            found, record = await self._records.read(workspace_id, table, record_id, connection=connection)
            rows = await connection.fetch(
                "SELECT id, text, at, by FROM record_comment WHERE workspace_id = $1 AND record_id = $2 "
                "AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $4",
                workspace_id,
                record.id,
                before,
                limit,
            )
        mask = await self._mask(workspace_id, found, record)
        return [Comment(**{**row, "text": mask.value(row["text"])}) for row in rows]

    async def _mask(self, workspace_id: UUID, table: Table, record: Record) -> Masking:
        """Hides what people wrote of the record's personal values from who may not see those."""
        masked = sight_of(table).masked
        return Masking(await self._personal.of_records(workspace_id, [record.id]) if masked else [])


def _seen_change(table: Table, change: RecordChange) -> RecordChange:
    shown = sight_of(table).shown
    if shown is table:
        return change
    keys = {field.key for field in shown.fields}
    return replace(change, changes={key: facts for key, facts in change.changes.items() if key in keys})


async def seen_records(
    connection: Connection, records: Records, workspace_id: UUID, ids: Mapping[UUID, Sequence[UUID]]
) -> dict[UUID, Table]:
    """Those of the records, which `ids` has by their tables, that whoever asks sees; each with its table."""
    found: dict[UUID, Table] = {}
    for table_id, wanted in ids.items():
        with suppress(PasserelleError):
            table = await records.table(workspace_id, str(table_id), connection)
            found |= dict.fromkeys(await seen_ids(connection, table, list(wanted)), table)
    return found


def named_changes(table: Table, changes: JsonObject) -> list[dict[str, Any]]:
    """Each changed field with its value before and after."""
    return [
        {"field": table.by_key[key].name, "old": change["old"], "new": change["new"]}
        for key, change in changes.items()
        if key in table.by_key
    ]
