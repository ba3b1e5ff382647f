"""Erasing a person: the values go, here and wherever the record's executions have left them; that it was there stays.

What else keeps values of people (executions, links, webhooks) adds an `Eraser`, which works in the same transaction.
Files are deleted after the commit, and by a job should the process die in between.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from passerelle.events.appending import append_event
from passerelle.events.models import Event
from passerelle.holds.service import require_free
from passerelle.kit.clock import Clock
from passerelle.kit.database import Connection, Database
from passerelle.kit.errors import PasserelleError
from passerelle.kit.ids import NewId, parse_id
from passerelle.kit.jobs import JobRunning, enqueue
from passerelle.kit.json import Json, JsonObject
from passerelle.records.errors import RECORD_NOT_FOUND
from passerelle.records.models import ERASED, Author, Record
from passerelle.records.personal import PersonalValues
from passerelle.records.repository import RecordRepository, index_keys, unique_keys
from passerelle.resources.service import Resources
from passerelle.tables.models import Table
from passerelle.tables.service import Tables

ERASE_JOB: Final = "record.erase_files"
"""The queue's name for: delete these files, unless that was done."""

_MERGED: Final = """
    WITH RECURSIVE m AS (
        SELECT $3::uuid AS id UNION
        SELECT r.id FROM record r JOIN m ON r.merged_into = m.id WHERE r.workspace_id = $1 AND r.table_id = $2
    )
    SELECT id FROM m
"""
_RECORDS: Final = """
    UPDATE record SET version = version + 1, values = '{}', search = NULL, updated_at = $4, deleted_at = $4,
        merged_into = CASE WHEN id = $5 THEN $6 ELSE merged_into END
    WHERE workspace_id = $1 AND table_id = $2 AND id = ANY($3)
"""
_KEYS: Final = """
    DELETE FROM {relation} USING unnest($2::uuid[], $3::bytea[]) AS o(field_id, key)
    WHERE {relation}.workspace_id = $1 AND {relation}.field_id = o.field_id AND {relation}.key = o.key
      AND {relation}.record_id = $4
"""
_HISTORY: Final = """
    UPDATE record_change SET changes = coalesce((
        SELECT jsonb_object_agg(key, '{"old": null, "new": null}'::jsonb) FROM jsonb_object_keys(changes) AS key), '{}')
    WHERE workspace_id = $1 AND record_id = ANY($2)
"""
_CHANGE: Final = """
    INSERT INTO record_change (workspace_id, record_id, version, action, changes, at, by, execution_id)
    SELECT workspace_id, id, version, 'erased', '{}', $3, $4, NULL FROM record WHERE workspace_id = $1 AND id = ANY($2)
"""
_MOVED: Final = "DELETE FROM record_moved WHERE workspace_id = $1 AND record_id = ANY($2)"
_COMMENTS: Final = "UPDATE record_comment SET text = '' WHERE workspace_id = $1 AND record_id = ANY($2) AND text <> ''"
_ATTACHMENTS: Final = "DELETE FROM attachment WHERE workspace_id = $1 AND record_id = ANY($2) RETURNING resource_id"
_ANSWERS: Final = "DELETE FROM idempotency_key WHERE workspace_id = $1 AND resource_id = ANY($2)"
_FREE: Final = """
    SELECT id FROM resource r WHERE workspace_id = $1 AND id = ANY($2)
      AND NOT EXISTS (SELECT FROM attachment a WHERE a.workspace_id = r.workspace_id AND a.resource_id = r.id)
"""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose values are to go."""

    workspace_id: UUID
    records: Sequence[UUID]
    """The record, and those that were merged into it."""
    personal: Sequence[Json]
    """What fields with a `pii` class hold and held."""
    executions: Sequence[UUID]
    """The executions that concern the record."""
    at: datetime


@dataclass(frozen=True, slots=True)
class Erased:
    """What was done: counts by kind, and files that nobody may need any more."""

    counts: dict[str, int] = field(default_factory=dict)
    files: frozenset[UUID] = frozenset()


Eraser = Callable[[Connection, Subject], Awaitable[Erased]]
Concerned = Callable[[Connection, UUID, Sequence[UUID]], Awaitable[list[UUID]]]
"""The executions that concern records. Raises RECORD_IN_USE while one of them may still go on."""


class _TakenBackError(Exception):
    """Rolls a preview back."""


async def delete_files_later(
    connection: Connection, workspace_id: UUID, resource_ids: Sequence[UUID], after: timedelta
) -> None:
    """Have a job delete files, but for those that a record has by then."""
    facts = {"workspaceId": str(workspace_id), "resources": [str(one) for one in resource_ids]}
    await enqueue(connection, ERASE_JOB, facts, after=after)


class Erasing:
    """Erases records."""

    def __init__(
        self, database: Database, tables: Tables, repository: RecordRepository, personal: PersonalValues,
        resources: Resources, clock: Clock, new_id: NewId, concerned: Concerned, erasers: Sequence[Eraser],
    ) -> None:  # fmt: skip
        self._database = database
        self._tables = tables
        self._repository = repository
        self._personal = personal
        self._resources = resources
        self._clock = clock
        self._new_id = new_id
        self._concerned = concerned
        self._erasers = erasers

    async def erase(self, workspace_id: UUID, table: str, record_id: UUID, author: Author) -> dict[str, int]:
        """Erase a record, also one that is deleted; again for one that is erased finds nothing more to do.

        Returns counts by kind. Raises TABLE_NOT_FOUND, RECORD_NOT_FOUND, RECORD_IN_USE, UNDER_LEGAL_HOLD.
        """
        async with self._database.transaction(workspace_id) as connection:
            counts, free = await self._everything(connection, workspace_id, table, record_id, author)
        await self._delete(workspace_id, free)
        return counts

    async def preview(self, workspace_id: UUID, table: str, record_id: UUID, author: Author) -> dict[str, int]:
        """What `erase` would return and raise: it is done, and taken back."""
        counts: dict[str, int] = {}
        with suppress(_TakenBackError):
            async with self._database.transaction(workspace_id) as connection:
                counts, _ = await self._everything(connection, workspace_id, table, record_id, author)
                raise _TakenBackError
        return counts

    async def _everything(
        self, connection: Connection, workspace_id: UUID, table: str, record_id: UUID, author: Author
    ) -> tuple[dict[str, int], list[UUID]]:
        """Everything that is in the database; counts by kind, and the files that nobody needs any more."""
        found = await self._tables.find_now(workspace_id, table, connection)
        record = await self._locked(connection, found, record_id)
        ids = [row["id"] for row in await connection.fetch(_MERGED, workspace_id, found.id, record.id)]
        executions = await self._concerned(connection, workspace_id, ids)
        await require_free(connection, workspace_id, [*ids, *executions])
        subject = Subject(
            workspace_id,
            ids,
            await self._personal.of_records(workspace_id, ids, connection),
            executions,
            self._clock(),
        )
        counts, files = await self._erase(connection, found, record, subject, author)
        for eraser in self._erasers:
            erased = await eraser(connection, subject)
            counts, files = counts | erased.counts, files | erased.files
        free = [row["id"] for row in await connection.fetch(_FREE, workspace_id, list(files))]
        if free:
            await delete_files_later(connection, workspace_id, free, timedelta(minutes=1))
        return counts | {"files": len(free)}, free

    async def delete_files(self, job: JobRunning) -> None:
        """What the job does; it finds nothing where the files were deleted at once."""
        workspace_id = UUID(job.payload["workspaceId"])
        left = await self._delete(workspace_id, [UUID(one) for one in job.payload["resources"]])
        if left:
            async with self._database.transaction(workspace_id) as connection:
                await delete_files_later(connection, workspace_id, left, timedelta(minutes=10))

    async def _delete(self, workspace_id: UUID, ids: Sequence[UUID]) -> list[UUID]:
        """Those that could not be deleted, as the store is away: the job tries again."""
        left = []
        for resource_id in ids:
            try:
                await self._resources.delete(workspace_id, resource_id)
            except PasserelleError:
                left.append(resource_id)
        return left

    async def _locked(self, connection: Connection, table: Table, record_id: UUID) -> Record:
        wanted: UUID | None = record_id
        record = None
        while wanted not in (None, ERASED):
            await self._repository.lock(connection, table, [wanted])
            record = await self._repository.find(connection, table, wanted)
            wanted = record.merged_into if record is not None else None
        if record is None:
            raise RECORD_NOT_FOUND.error(f"the table {table.name} has no record {record_id}")
        return record

    async def _erase(
        self, connection: Connection, table: Table, record: Record, subject: Subject, author: Author
    ) -> tuple[dict[str, int], frozenset[UUID]]:
        workspace_id, ids, now = subject.workspace_id, list(subject.records), subject.at
        for relation, keys in (("record_key", index_keys), ("record_unique", unique_keys)):
            rows = keys(table, record.values)
            columns = [row[0] for row in rows], [row[1] for row in rows]
            await connection.execute(_KEYS.format(relation=relation), workspace_id, *columns, record.id)
        histories = await connection.execute(_HISTORY, workspace_id, ids)
        done = record.merged_into == ERASED
        if not done:
            await connection.execute(_RECORDS, workspace_id, table.id, ids, now, record.id, ERASED)
            await connection.execute(_CHANGE, workspace_id, ids, now, author.by)
        if record.deleted_at is None:
            data: JsonObject = {
                "recordId": str(record.id),
                "tableId": str(table.id),
                "table": table.name,
                "version": record.version + 1,
                "workflowId": None,
                "changed": [],
            }
            await append_event(connection, Event(workspace_id, self._new_id(), "record.deleted", data, now))
        await connection.execute(_MOVED, workspace_id, ids)
        comments = await connection.execute(_COMMENTS, workspace_id, ids)
        attached = await connection.fetch(_ATTACHMENTS, workspace_id, ids)
        await connection.execute(_ANSWERS, workspace_id, [*ids, *subject.executions])
        files = frozenset(row["resource_id"] for row in attached) | frozenset(resources_in(record.values))
        counts = {
            "records": 0 if done else len(ids),
            "fields": len(record.values),
            "changes": rows_of(histories),
            "comments": rows_of(comments),
            "attachments": len(attached),
        }
        return counts, files


def resources_in(value: Json) -> Iterator[UUID]:
    """The files that a value names by `resourceId`, at any depth."""
    if isinstance(value, dict):
        found = value.get("resourceId")
        if isinstance(found, str) and (resource_id := parse_id(found)) is not None:
            yield resource_id
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from resources_in(part)


def rows_of(done: Any) -> int:
    """How many rows a statement wrote, from what PostgreSQL says of it."""
    return int(str(done).rpartition(" ")[2])


async def nobody(connection: Connection, workspace_id: UUID, records: Sequence[UUID]) -> list[UUID]:
    """`Concerned` where there are no executions."""
    return []
