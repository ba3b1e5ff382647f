"""Filling the index of a field while records are read and written, and clearing one that is gone.

A field whose index is `building` is written by every new statement from the moment that its table says so. What
older statements may have missed is filled in here: once they have all ended, each record is locked for a moment
and its row put in. So nothing waits for an index, whatever the number of records.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

import structlog

from passerelle.kit.database import Connection, Database
from passerelle.kit.errors import PasserelleError
from passerelle.kit.jobs import JobRunning
from passerelle.records.models import Record
from passerelle.records.repository import RecordRepository, key_of, next_to_index, record_of
from passerelle.tables.errors import TABLE_NOT_FOUND
from passerelle.tables.keys import LONGEST_TEXT
from passerelle.tables.models import Field, Table
from passerelle.tables.service import Tables

BATCH: Final = 1_000
LOOKS: Final = 300
BETWEEN_LOOKS: Final = 0.1

log = structlog.get_logger("passerelle.records")

_FILL: Final = (
    "INSERT INTO {table} (workspace_id, field_id, key, record_id) "
    "SELECT $1, n.* FROM unnest($2::uuid[], $3::bytea[], $4::uuid[]) AS n ON CONFLICT DO NOTHING"
)
_CLEAR: Final = (
    "DELETE FROM {table} WHERE workspace_id = $1 AND ctid = ANY (ARRAY("
    "SELECT ctid FROM {table} WHERE workspace_id = $1 AND field_id = $2 LIMIT 10000))"
)
_OLDER_ENDED: Final = "SELECT older_statements_ended(changed_in) FROM record_table WHERE workspace_id = $1 AND id = $2"


class Indexing:
    """What the job `table.index` does."""

    def __init__(self, database: Database, tables: Tables, repository: RecordRepository) -> None:
        self._database = database
        self._tables = tables
        self._repository = repository

    async def run(self, job: JobRunning) -> None:
        """Fill what is being built and clear what is gone. May run any number of times."""
        workspace_id, table_id = UUID(job.payload["workspaceId"]), job.payload["tableId"]
        await self.clear(workspace_id, [UUID(index) for index in job.payload.get("stale", ())])
        try:
            await self.build(workspace_id, table_id)
        except PasserelleError as error:
            if error.problems[0].code != TABLE_NOT_FOUND.name:
                raise

    async def build(self, workspace_id: UUID, table_id: str) -> None:
        """Fill every index of the table that is being built. Raises TABLE_NOT_FOUND."""
        table = await self._tables.find_now(workspace_id, table_id)
        building = table.building
        if not building:
            return
        await self._older_statements_ended(table)
        problems = await self._fill(table, building)
        while not await self._tables.replace_fields(table, _finished(table, building, problems)):
            table = await self._tables.find_now(workspace_id, table_id)
        log.info("table.indexed", table=table_id, fields=len(building), failed=len(problems))

    async def clear(self, workspace_id: UUID, indexes: Sequence[UUID]) -> None:
        """Delete the rows of indexes that no table names any more."""
        async with self._database.workspace(workspace_id) as connection:
            for index in indexes:
                for name in ("record_key", "record_unique"):
                    while await connection.execute(_CLEAR.format(table=name), workspace_id, index) != "DELETE 0":
                        pass

    async def _older_statements_ended(self, table: Table) -> None:
        async with self._database.workspace(table.workspace_id) as connection:
            for _ in range(LOOKS):
                if await connection.fetchval(_OLDER_ENDED, table.workspace_id, table.id) is not False:
                    return
                await asyncio.sleep(BETWEEN_LOOKS)
        raise TimeoutError(f"a transaction older than the change of the table {table.id} does not end")

    async def _fill(self, table: Table, fields: Sequence[Field]) -> dict[UUID, str]:
        """Puts every record into the indexes. Returns what is wrong, by the index."""
        problems: dict[UUID, str] = {}
        last = UUID(int=0)
        while True:
            async with self._database.transaction(table.workspace_id) as connection:
                rows = await connection.fetch(next_to_index(BATCH), table.workspace_id, table.id, last)
                records = [record_of(row) for row in rows]
                for field in fields:
                    if field.id not in problems:
                        problem = await self._fill_batch(connection, table, field, records)
                        problems |= {field.id: problem} if problem is not None else {}
            if len(records) < BATCH:
                return problems
            last = records[-1].id

    async def _fill_batch(
        self, connection: Connection, table: Table, field: Field, records: Sequence[Record]
    ) -> str | None:
        for record in records:
            value = record.values.get(field.key)
            if isinstance(value, str) and len(value) > LONGEST_TEXT:
                return f"the record {record.id} has {len(value):,} characters, of which an index takes {LONGEST_TEXT}"
        if field.keyed:
            keys = [key_of(field, record.values) for record in records]
            ids = [record.id for record in records]
            query = _FILL.format(table="record_key")
            await connection.execute(query, table.workspace_id, [field.id] * len(ids), keys, ids)
        return await self._fill_unique(connection, table, field, records) if field.unique else None

    async def _fill_unique(
        self, connection: Connection, table: Table, field: Field, records: Sequence[Record]
    ) -> str | None:
        keys = {record.id: key_of(field, record.values) for record in records if field.key in record.values}
        await connection.execute(
            _FILL.format(table="record_unique"),
            table.workspace_id,
            [field.id] * len(keys),
            list(keys.values()),
            list(keys),
        )
        wanted = [(field.id, key) for key in keys.values()]
        holders = await self._repository.holders(connection, table.workspace_id, wanted)
        for record_id, key in keys.items():
            holder = holders.get((field.id, key))
            if holder != record_id:
                return f"the records {holder} and {record_id} have the same value: change one, then set `unique` again"
        return None


def _finished(table: Table, built: Sequence[Field], problems: dict[UUID, str]) -> tuple[Field, ...]:
    ids = {field.id for field in built}
    return tuple(
        replace(
            field,
            index="failed" if field.id in problems else "ready",
            index_problem=problems.get(field.id),
        )
        if field.id in ids and field.index == "building"
        else field
        for field in table.all_fields
    )
