"""What is written to the store before it is removed: JSON lines, compressed, each file with a manifest beside it.

A file is there before its rows go, and is made known with their removal. A crash in between leaves rows that are
written once more, and a file that nobody knows: a job deletes it, which is written before the file and taken back in
the transaction that makes the file known. Each file holds one batch, so that it fits into memory.
"""

from __future__ import annotations

import asyncio
import gzip
import io
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import orjson

from passerelle.kit.clock import Clock, iso
from passerelle.kit.database import Connection, Database, take_turn
from passerelle.kit.errors import CommandError
from passerelle.kit.ids import NewId
from passerelle.kit.jobs import JobRunning, enqueue, enqueue_unless, forestall
from passerelle.kit.json import JsonObject
from passerelle.records.erasing import Erased, Subject
from passerelle.records.masking import Masking
from passerelle.resources.files import FileGoneError, Files
from passerelle.retention.repository import Place
from passerelle.workflows.erasing import masked_entry

ERASE_ARCHIVES: Final = "archive.erase"
"""The queue's name for: take what concerns these records out of the archives."""
DELETE_STRAY: Final = "archive.delete_stray"
"""The queue's name for: delete this file, unless it was made known."""
STRAY_AFTER: Final = timedelta(minutes=15)
"""How long after it was announced a file may still be made known."""
_LONGEST_PUT: Final = 10 * 60.0
"""Seconds that the store has to take a file: none may arrive after the job that would delete it."""
FORMAT: Final = 1

_COLUMNS: Final = "id, kind, entries, bytes, sha256, first_at, last_at, records, created_at"
_INSERT: Final = f"""
    INSERT INTO archive_file (workspace_id, {_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    ON CONFLICT (workspace_id, id) DO UPDATE
    SET entries = excluded.entries, bytes = excluded.bytes, sha256 = excluded.sha256, records = excluded.records
"""  # noqa: S608 - constant

CONTENT: Final[Mapping[str, str]] = {
    "executions": """
        SELECT e.id AS key, e.created_at AS at, e.record_id AS record, e.seq AS stamp,
            to_jsonb(e) - '{workspace_id,state,job_id,wake_at,untold,seq,waiting_step,waiting_kind,waiting_several,
                            failed_step,error_code}'::text[] || jsonb_build_object(
                'steps', (SELECT coalesce(jsonb_agg(to_jsonb(r) - '{workspace_id,execution_id}'::text[]
                                                    ORDER BY r.ordinal), '[]')
                          FROM step_run r WHERE r.workspace_id = $1 AND r.execution_id = e.id),
                'received', (SELECT coalesce(jsonb_agg(to_jsonb(v) - '{workspace_id,execution_id}'::text[]
                                                       ORDER BY v.id), '[]')
                             FROM received_event v WHERE v.workspace_id = $1 AND v.execution_id = e.id),
                'comments', (SELECT coalesce(jsonb_agg(jsonb_build_object('at', c.at, 'by', c.by, 'text', c.text)
                                                       ORDER BY c.id), '[]')
                             FROM execution_comment c WHERE c.workspace_id = $1 AND c.execution_id = e.id),
                'wrote_to', (SELECT coalesce(jsonb_agg(DISTINCT c.record_id), '[]')
                             FROM record_change c WHERE c.workspace_id = $1 AND c.execution_id = e.id)
            ) AS entry
        FROM execution e WHERE e.workspace_id = $1 AND e.id = ANY ($2)
    """,
    "events": """
        SELECT e.id AS key, e.created_at AS at, nullif(e.data ->> 'recordId', '') AS record, 0 AS stamp,
            jsonb_build_object('id', e.id, 'type', e.type, 'created_at', e.created_at, 'execution_id', e.execution_id,
                               'data', e.data) AS entry
        FROM event e WHERE e.workspace_id = $1 AND e.id = ANY ($2) AND e.transaction = ANY ($3)
    """,
    "deliveries": """
        SELECT d.id AS key, d.created_at AS at, NULL AS record, d.attempts AS stamp,
            to_jsonb(d) - '{workspace_id,claim,next_attempt_at,tries,transaction}'::text[] || jsonb_build_object(
                'attempts', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                    'at', a.started_at, 'ms', a.duration_ms, 'status', a.response_status, 'error', a.error)
                    ORDER BY a.number), '[]')
                             FROM webhook_attempt a WHERE a.workspace_id = $1 AND a.delivery_id = d.id)) AS entry
        FROM webhook_delivery d WHERE d.workspace_id = $1 AND d.id = ANY ($2)
    """,
}
"""What is written of each kind that can be archived: everything but what only the running system needs."""


@dataclass(frozen=True, slots=True)
class Archive:
    """A file of what was removed. `first_at`, `last_at`: of its entries."""

    id: UUID
    kind: str
    entries: int
    bytes: int
    sha256: str
    first_at: datetime
    last_at: datetime
    records: Sequence[UUID]
    created_at: datetime

    def path(self, workspace_id: UUID) -> str:
        """Where it is in the store."""
        return path_of(workspace_id, self.kind, self.first_at, self.id)


@dataclass(frozen=True, slots=True)
class WrittenArchive:
    """A file that is in the store, and what its rows were like: only those that still are go.

    `stray`: the job that deletes it unless it is made known.
    """

    archive: Archive
    stamps: Mapping[UUID, int]
    stray: int


@dataclass(frozen=True, slots=True)
class _Erasure:
    """Who is to go: the records, and what their personal fields hold and held."""

    records: frozenset[str]
    mask: Masking

    def left_of(self, entries: Sequence[JsonObject]) -> list[JsonObject]:
        """The entries without those of the records; what others wrote to the records is masked in them."""
        return [self._masked(one) for one in entries if _record_of(one) not in self.records]

    def _masked(self, entry: JsonObject) -> JsonObject:
        return masked_entry(entry, self.mask) if self.records & _wrote_to(entry) else entry


class Archives:
    """The archives of every workspace."""

    def __init__(self, database: Database, files: Files, clock: Clock, new_id: NewId) -> None:
        self._database = database
        self._files = files
        self._clock = clock
        self._new_id = new_id

    async def write(self, workspace_id: UUID, kind: str, places: Sequence[Place]) -> WrittenArchive | None:
        """Put what is at these places into the store. None where nothing is there now.

        Raises FILES_UNAVAILABLE, and `TimeoutError` where the store does not take it for too long.
        """
        async with self._database.workspace(workspace_id) as connection:
            rows = await connection.fetch(CONTENT[kind], workspace_id, *_keys(kind, places))
        if not rows:
            return None
        content = _packed(row["entry"] for row in rows)
        archive = Archive(
            self._new_id(),
            kind,
            len(rows),
            len(content),
            sha256(content).hexdigest(),
            min(row["at"] for row in rows),
            max(row["at"] for row in rows),
            sorted({UUID(one) for row in rows for one in _records_about(row["record"], row["entry"])}),
            self._clock(),
        )
        stray = await self._announce(workspace_id, archive)
        async with asyncio.timeout(_LONGEST_PUT):
            await self._put(workspace_id, archive, content)
        return WrittenArchive(archive, {row["key"]: row["stamp"] for row in rows}, stray)

    async def _announce(self, workspace_id: UUID, archive: Archive) -> int:
        """Commit the job that deletes a file which is then written and never made known; its id."""
        facts: JsonObject = {
            "workspaceId": str(workspace_id),
            "archive": str(archive.id),
            "path": archive.path(workspace_id),
        }
        async with self._database.transaction(workspace_id) as connection:
            return await enqueue_unless(connection, DELETE_STRAY, facts, after=STRAY_AFTER)

    async def note(self, connection: Connection, workspace_id: UUID, written: WrittenArchive) -> bool:
        """Make a file known, in the transaction that removes what is in it. False where it may be deleted already."""
        if not await forestall(connection, written.stray):
            return False
        await self._know(connection, workspace_id, written.archive)
        return True

    async def _know(self, connection: Connection, workspace_id: UUID, archive: Archive) -> None:
        await connection.execute(
            _INSERT, workspace_id, archive.id, archive.kind, archive.entries, archive.bytes, archive.sha256,
            archive.first_at, archive.last_at, list(archive.records), archive.created_at,
        )  # fmt: skip

    async def delete_stray(self, job: JobRunning) -> None:
        """What the job does: delete a file that was not made known in time. May run any number of times.

        Raises FILES_UNAVAILABLE.
        """
        if await self.find(UUID(job.payload["workspaceId"]), UUID(job.payload["archive"])) is None:
            await self._delete(job.payload["path"])

    async def drop(self, workspace_id: UUID, archive: Archive) -> None:
        """Take back what was written and is not to be known. Raises FILES_UNAVAILABLE."""
        await self._delete(archive.path(workspace_id))

    async def _delete(self, path: str) -> None:
        for one in (path, manifest_path(path)):
            await self._files.delete(one)

    async def listed(
        self, workspace_id: UUID, kind: str | None = None, after: UUID | None = None, limit: int = 500
    ) -> list[Archive]:
        """The files of a workspace, the oldest first."""
        async with self._database.workspace(workspace_id) as connection:
            rows = await connection.fetch(
                f"SELECT {_COLUMNS} FROM archive_file WHERE workspace_id = $1 "  # noqa: S608 - constant
                "AND ($2::text IS NULL OR kind = $2) AND ($3::uuid IS NULL OR id > $3) ORDER BY id LIMIT $4",
                workspace_id,
                kind,
                after,
                limit,
            )
        return [Archive(*row) for row in rows]

    async def find(self, workspace_id: UUID, archive_id: UUID, connection: Connection | None = None) -> Archive | None:
        """One of them."""
        async with self._database.joined(connection, workspace_id) as own:
            row = await own.fetchrow(
                f"SELECT {_COLUMNS} FROM archive_file WHERE workspace_id = $1 AND id = $2",  # noqa: S608 - constant
                workspace_id,
                archive_id,
            )
        return None if row is None else Archive(*row)

    async def read(self, workspace_id: UUID, archive: Archive) -> list[JsonObject]:
        """What is in a file. Raises `CommandError` where it is gone, or another than was written."""
        return unpacked(await self._content(archive.path(workspace_id)), archive.sha256)

    async def erase(self, job: JobRunning) -> None:
        """What the job does: write the files that concern records anew without them. May run any number of times."""
        workspace_id = UUID(job.payload["workspaceId"])
        gone = frozenset(str(one) for one in job.payload["records"])
        erasure = _Erasure(gone, Masking(job.payload.get("personal", [])))
        async with self._database.workspace(workspace_id) as connection:
            rows = await connection.fetch("SELECT id FROM archives_about($1)", [UUID(one) for one in gone])
        # Of two jobs of one person the later one knows no values any more; it may have been here before this one.
        told = {UUID(one) for one in job.payload.get("archives", [])}
        for archive_id in sorted(told | {row["id"] for row in rows}):
            async with self._database.transaction(workspace_id) as connection:
                # In turn: of two that write a file anew at once, one would put back whom the other left out.
                await take_turn(connection, f"archive {archive_id}")
                archive = await self.find(workspace_id, archive_id, connection)
                if archive is not None:
                    await self._without(connection, workspace_id, archive, erasure)

    async def _without(self, connection: Connection, workspace_id: UUID, archive: Archive, erasure: _Erasure) -> None:
        try:
            entries = unpacked(await self._content(archive.path(workspace_id)), None)
        except CommandError:
            entries = []  # the file is gone: there is nothing of them in it
        left = erasure.left_of(entries)
        content = _packed(left)
        kept = [one for one in archive.records if str(one) not in erasure.records]
        changed = replace(
            archive, entries=len(left), bytes=len(content), sha256=sha256(content).hexdigest(), records=kept
        )
        await self._put(workspace_id, changed, content)
        await self._know(connection, workspace_id, changed)

    async def _put(self, workspace_id: UUID, archive: Archive, content: bytes) -> None:
        path = archive.path(workspace_id)
        manifest = {
            "format": FORMAT,
            "workspaceId": str(workspace_id),
            "kind": archive.kind,
            "entries": archive.entries,
            "bytes": archive.bytes,
            "sha256": archive.sha256,
            "firstAt": iso(archive.first_at),
            "lastAt": iso(archive.last_at),
            "writtenAt": iso(archive.created_at),
        }
        await self._files.put(path, io.BytesIO(content))
        await self._files.put(manifest_path(path), io.BytesIO(orjson.dumps(manifest, option=orjson.OPT_INDENT_2)))

    async def _content(self, path: str) -> bytes:
        try:
            return b"".join([part async for part in await self._files.read(path)])
        except FileGoneError:
            raise CommandError(f"the store has no {path}") from None


async def erase_archives(connection: Connection, subject: Subject) -> Erased:
    """Have what was archived of the records erased as well, by a job. Returns how many files that concerns.

    The job has to know the values that it masks: they stay in the queue for as long as in the files, and no longer.
    """
    found = await connection.fetch("SELECT id FROM archives_about($1)", list(subject.records))
    if found:
        facts: JsonObject = {
            "workspaceId": str(subject.workspace_id),
            "records": [str(one) for one in subject.records],
            "personal": list(subject.personal),
            "archives": [str(row["id"]) for row in found],
        }
        await enqueue(connection, ERASE_ARCHIVES, facts)
    return Erased({"archives": len(found)})


def path_of(workspace_id: UUID, kind: str, first_at: datetime, archive_id: UUID) -> str:
    """Where an archive is in the store: by month, so that whoever looks there finds their way."""
    return f"archive/{workspace_id}/{kind}/{first_at:%Y-%m}/{archive_id}.jsonl.gz"


def manifest_path(path: str) -> str:
    """What is beside an archive."""
    return path.removesuffix(".jsonl.gz") + ".json"


def unpacked(content: bytes, digest: str | None) -> list[JsonObject]:
    """The entries of a file. `digest`: what was written of it. Raises `CommandError` where it is another file."""
    if digest is not None and sha256(content).hexdigest() != digest:
        raise CommandError("the file is another than was written: its SHA-256 is not that of the manifest")
    try:
        return [orjson.loads(line) for line in gzip.decompress(content).splitlines()]
    except (OSError, EOFError, ValueError) as error:
        raise CommandError(f"the file is no archive: {error}") from None


def _packed(entries: Iterator[Any] | Sequence[Any]) -> bytes:
    lines = b"".join(orjson.dumps(entry) + b"\n" for entry in entries)
    return gzip.compress(lines, mtime=0)


def _record_of(entry: JsonObject) -> str | None:
    data = entry.get("data")
    found = entry.get("record_id") or (data.get("recordId") if isinstance(data, dict) else None)
    return found if isinstance(found, str) else None


def _wrote_to(entry: JsonObject) -> set[str]:
    """The records that an execution wrote to; none is told in files of older releases."""
    found = entry.get("wrote_to")
    return {str(one) for one in found} if isinstance(found, list) else set()


def _records_about(record: object, entry: JsonObject) -> set[str]:
    return _wrote_to(entry) | ({str(record)} if record is not None else set())


def _keys(kind: str, places: Sequence[Place]) -> tuple[list[Any], ...]:
    if kind == "events":
        return [one[1] for one in places], [one[0] for one in places]
    return ([one[0] for one in places],)


async def all_archives(archives: Archives, workspace_id: UUID, kind: str | None) -> AsyncIterator[Archive]:
    """Every file of a workspace, page by page."""
    after: UUID | None = None
    while page := await archives.listed(workspace_id, kind, after):
        for one in page:
            yield one
        after = page[-1].id


async def read_all(
    archives: Archives,
    workspace_id: UUID,
    wanted: Sequence[UUID] | None,
    kind: str | None,
    tell: Callable[[Sequence[JsonObject]], None],
) -> None:
    """Tell what is in the files of a workspace, one by one; in those that are `wanted`, else in all of the kind.

    Raises `CommandError` before anything is told where the workspace has no such file, and after all that can be read
    where some cannot: with each of these, and why.
    """
    chosen = None if wanted is None else [await _wanted(archives, workspace_id, one, kind) for one in wanted]
    refused = []
    async for one in all_archives(archives, workspace_id, kind) if chosen is None else _each(chosen):
        try:
            entries = await archives.read(workspace_id, one)
        except CommandError as error:
            refused.append(f"the archive {one.id} cannot be read now: {error}")
            continue
        tell(entries)
    if refused:
        hint = "while a person is erased from a file it cannot be read: try again in a minute"
        raise CommandError("\n".join([*refused, hint]))


async def _wanted(archives: Archives, workspace_id: UUID, archive_id: UUID, kind: str | None) -> Archive:
    found = await archives.find(workspace_id, archive_id)
    if found is None or kind not in (None, found.kind):
        what = "archive" if kind is None else f"archive of {kind}"
        raise CommandError(f"the workspace has no {what} {archive_id}: `passerelle archive list` shows them")
    return found


async def _each(archives: Sequence[Archive]) -> AsyncIterator[Archive]:
    for one in archives:
        yield one
