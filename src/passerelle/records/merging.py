"""Merging two records of a table into one, which then answers for both ids."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final
from uuid import UUID

import structlog

from passerelle.kit.clock import Clock
from passerelle.kit.database import Connection, Database
from passerelle.kit.errors import PasserelleError
from passerelle.kit.http.fields import FIELD_REQUIRED, FIELD_UNKNOWN, pointer
from passerelle.kit.jobs import JobRunning, enqueue
from passerelle.kit.json import Json
from passerelle.records import errors
from passerelle.records.attachments import Attachments
from passerelle.records.models import Author, Next, Record, differences
from passerelle.records.repository import RecordRepository
from passerelle.records.service import ATTEMPTS, Records, version_conflict
from passerelle.records.sight import sight_of
from passerelle.tables.models import Field, Table
from passerelle.tables.service import Tables
from passerelle.tables.values import unknown_field

REPOINT_JOB: Final = "record.repoint"
"""The queue's name for: let relations to a merged record point to the one that it was merged into."""
BATCH: Final = 200

log = structlog.get_logger("passerelle.records")


class _TableChanged(Exception):  # noqa: N818
    """The table changed in the middle: what was written in this transaction is rolled back."""


class Merging:
    """Merges records of every workspace."""

    def __init__(
        self,
        database: Database,
        tables: Tables,
        records: Records,
        repository: RecordRepository,
        attachments: Attachments,
        clock: Clock,
    ) -> None:
        self._database = database
        self._tables = tables
        self._records = records
        self._repository = repository
        self._attachments = attachments
        self._clock = clock

    async def merge(
        self,
        workspace_id: UUID,
        table: str,
        record_id: UUID,
        source_id: UUID,
        take: Sequence[str],
        author: Author,
        *,
        expected: Collection[int] | None = None,
    ) -> tuple[Table, Record]:
        """Merge the record `source_id` into `record_id`; merging them again changes nothing.

        The record keeps its values and gets those of the other where it has none, and in the fields of `take`.
        Comments and files move to it, histories and executions are shown together, and the other id answers with it.
        Raises RECORD_NOT_FOUND, MERGE_WITH_ITSELF, FIELD_UNKNOWN, FIELD_REQUIRED, RECORD_VERSION_CONFLICT.
        """
        if record_id == source_id:
            raise errors.MERGE_WITH_ITSELF.error("a record cannot be merged with itself: `from` is its own id", "/from")
        related = await self._tables.pointing_to(workspace_id, (await self._tables.find(workspace_id, table)).id)
        for _ in range(ATTEMPTS):
            with suppress(_TableChanged):
                async with self._database.transaction(workspace_id) as connection:
                    found, target, source = await self._pair(connection, workspace_id, table, record_id, source_id)
                    if target.id == source.id:
                        return found, target
                    if expected is not None and target.version not in expected:
                        raise version_conflict(target)
                    await self._require_allowed(connection, found, target, source, take)
                    merged = await self._written(connection, found, target, source, take, author)
                    await self._brought_along(connection, found, source.id, merged.id, related)
                    return found, merged
            await self._tables.find_now(workspace_id, table)
        raise errors.RECORD_BUSY.error(f"too many changes of the record {record_id} at once: send the request again")

    async def repoint(self, job: JobRunning) -> None:
        """What the job `record.repoint` does, with ordinary changes of records. May run any number of times.

        A record that refuses the change, because the field is unique and the other id is there already, is left as
        it is: whoever reads along the relation is led on.
        """
        workspace_id, source = UUID(job.payload["workspaceId"]), UUID(job.payload["from"])
        try:
            _, target = await self._records.read(workspace_id, job.payload["tableId"], source)
        except PasserelleError:
            return  # The merged record was deleted, or its table.
        for facts in job.payload["fields"]:
            last = UUID(int=0)
            while ids := await self._pointing(workspace_id, UUID(facts["tableId"]), facts["key"], source, last):
                for record_id in ids:
                    await self._point(workspace_id, facts["tableId"], record_id, facts["key"], (source, target.id))
                last = ids[-1]

    async def _pair(
        self, connection: Connection, workspace_id: UUID, table: str, record_id: UUID, source_id: UUID
    ) -> tuple[Table, Record, Record]:
        """Both records, locked, in the state that the lock found them in."""
        found, target = await self._records.read(workspace_id, table, record_id, connection=connection)
        source = await self._source(connection, workspace_id, table, source_id)
        await self._repository.lock(connection, found, [target.id, source.id])
        _, target = await self._records.read(workspace_id, table, record_id, connection=connection)
        return found, target, await self._source(connection, workspace_id, table, source_id)

    async def _source(self, connection: Connection, workspace_id: UUID, table: str, source_id: UUID) -> Record:
        try:
            _, source = await self._records.read(workspace_id, table, source_id, connection=connection)
        except PasserelleError as error:
            if error.problems[0].code != errors.RECORD_NOT_FOUND.name:
                raise
            raise errors.RECORD_NOT_FOUND.error(error.problems[0].message, "/from") from None
        return source

    async def _require_allowed(
        self, connection: Connection, table: Table, target: Record, source: Record, take: Sequence[str]
    ) -> None:
        """Whoever asks may edit both records, and what the merged one becomes. Raises PERMISSION_DENIED."""
        sight = sight_of(table)
        values = _merged(table, target, source, take)
        sight.require_changed(differences(target.values, values))
        await sight.require_done(connection, [target, source, replace(target, values=values)])

    async def _written(
        self, connection: Connection, table: Table, target: Record, source: Record, take: Sequence[str], author: Author
    ) -> Record:
        """The merged record. Raises `_TableChanged`, which takes back what was written.

        The other one goes first, since it lets go of unique values; its files before, since values may name them.
        """
        now = self._clock()
        values = _merged(table, target, source, take)
        await self._attachments.move(connection, table.workspace_id, source.id, target.id)
        gone = Next(source.values, "merged", deleted_at=now, merged_into=target.id)
        becomes = Next(values, "merged", merged_from=source.id)
        if await self._repository.update(connection, table, source, gone, author, now) is not None:
            merged = await self._repository.update(connection, table, target, becomes, author, now)
            if merged is not None:
                return merged
        raise _TableChanged

    async def _brought_along(
        self,
        connection: Connection,
        table: Table,
        source: UUID,
        target: UUID,
        related: Sequence[tuple[Table, Field]],
    ) -> None:
        await self._repository.forward_on(connection, table.workspace_id, source, target)
        await connection.execute(
            "UPDATE record_comment SET record_id = $3 WHERE workspace_id = $1 AND record_id = $2",
            table.workspace_id,
            source,
            target,
        )
        if related:
            facts = {
                "workspaceId": str(table.workspace_id),
                "tableId": str(table.id),
                "from": str(source),
                "fields": [{"tableId": str(other.id), "key": field.key} for other, field in related],
            }
            await enqueue(connection, REPOINT_JOB, facts)

    async def _pointing(self, workspace_id: UUID, table_id: UUID, key: str, source: UUID, last: UUID) -> list[UUID]:
        async with self._database.workspace(workspace_id) as connection:
            rows = await connection.fetch(
                "SELECT id FROM record WHERE workspace_id = $1 AND table_id = $2 AND deleted_at IS NULL "
                "AND values->>$3 = $4 AND id > $5 ORDER BY id LIMIT $6",
                workspace_id,
                table_id,
                key,
                str(source),
                last,
                BATCH,
            )
        return [row["id"] for row in rows]

    async def _point(
        self, workspace_id: UUID, table_id: str, record_id: UUID, key: str, way: tuple[UUID, UUID]
    ) -> None:
        source, target = str(way[0]), str(way[1])

        def pointed(table: Table, old: Record) -> Next:
            return Next({**old.values, **({key: target} if old.values.get(key) == source else {})})

        try:
            await self._records.change(workspace_id, table_id, record_id, pointed, Author("merge"))
        except PasserelleError as error:
            log.warning("record.not_repointed", record=str(record_id), codes=[one.code for one in error.problems])


def _merged(table: Table, target: Record, source: Record, take: Sequence[str]) -> dict[str, Json]:
    """The values of the merged record. Raises FIELD_UNKNOWN, FIELD_REQUIRED."""
    known = sight_of(table).shown
    problems = [
        FIELD_UNKNOWN.problem(unknown_field(known, name), pointer(["fields", index]))
        for index, name in enumerate(take)
        if name not in known.by_name
    ]
    values = dict(target.values)
    for field in table.fields:
        if field.name in take or field.key not in values:
            values.pop(field.key, None)
            if field.key in source.values:
                values[field.key] = source.values[field.key]
            elif field.required and field.name in take:
                reason = f"`{field.name}` is required, and the other record has no value of it"
                problems.append(FIELD_REQUIRED.problem(reason, pointer(["fields", take.index(field.name)])))
    if problems:
        raise PasserelleError(400, problems)
    return values
