"""What is gone for good: records that were deleted thirty days ago, and everything of a deleted table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog

from passerelle.holds.service import require_free
from passerelle.kit.clock import Clock
from passerelle.kit.database import Database
from passerelle.kit.jobs import JobRunning
from passerelle.records.erasing import delete_files_later
from passerelle.records.indexing import Indexing
from passerelle.records.models import KEPT_DELETED

BATCH: Final = 500

log = structlog.get_logger("passerelle.records")

_OF_TABLE: Final = "SELECT id FROM record WHERE workspace_id = $1 AND table_id = $2 LIMIT $3"
_FORWARDED: Final = "SELECT id FROM record WHERE workspace_id = $1 AND table_id = $2 AND merged_into = ANY($3)"
_DETACHED: Final = "DELETE FROM attachment WHERE workspace_id = $1 AND record_id = ANY($2) RETURNING resource_id"


class Purging:
    """Deletes records with their history, comments and files. Nothing of them can be brought back."""

    SCHEDULE: Final = ("record.purge", "41 * * * *")
    """The purge's name, and when it runs."""

    def __init__(self, database: Database, indexing: Indexing, clock: Clock) -> None:
        self._database = database
        self._indexing = indexing
        self._clock = clock

    async def clear_table(self, job: JobRunning) -> None:
        """What the job `table.clear` does: delete what a deleted table has left. May run any number of times."""
        workspace_id, table_id = UUID(job.payload["workspaceId"]), UUID(job.payload["tableId"])
        count = 0
        while ids := await self._ids(_OF_TABLE, workspace_id, table_id, BATCH):
            await self._purge(workspace_id, table_id, ids)
            count += len(ids)
        await self._indexing.clear(workspace_id, [UUID(index) for index in job.payload["stale"]])
        log.info("table.cleared", table=str(table_id), records=count)

    async def purge_deleted(self) -> int:
        """Delete what was deleted thirty days ago, in every workspace. Returns how many records there were.

        One that cannot go now, such as under a legal hold, is passed over. Files go by a job.
        """
        before = self._clock() - KEPT_DELETED
        passed: list[UUID] = []
        count = 0
        while True:
            async with self._database.shared() as connection:
                rows = await connection.fetch("SELECT * FROM records_deleted_before($1, $2, $3)", before, passed, BATCH)
            if not rows:
                return count
            for row in rows:
                # Restoring refuses a record of this age: nobody brings it back while it goes.
                try:
                    count += await self._purge_one(row["workspace_id"], row["table_id"], row["id"])
                except Exception as error:
                    passed.append(row["id"])
                    log.warning("record.not_purged", record=str(row["id"]), error=repr(error))

    async def _purge_one(self, workspace_id: UUID, table_id: UUID, record_id: UUID) -> int:
        """The record, and those that were merged into it: they have nothing to answer with any more."""
        ids = [record_id]
        while more := await self._ids(_FORWARDED, workspace_id, table_id, ids):
            known = len(ids)
            ids = list(dict.fromkeys([*ids, *more]))
            if len(ids) == known:
                break
        await self._purge(workspace_id, table_id, ids)
        return len(ids)

    async def _purge(self, workspace_id: UUID, table_id: UUID, ids: Sequence[UUID]) -> None:
        async with self._database.transaction(workspace_id) as connection:
            await require_free(connection, workspace_id, ids)
            files = await connection.fetch(_DETACHED, workspace_id, ids)
            if files:  # once they hang on nothing, and not before: what is kept keeps its files
                found = list({row["resource_id"] for row in files})
                await delete_files_later(connection, workspace_id, found, timedelta())
            for name in ("record_comment", "record_change", "record_moved"):
                await connection.execute(
                    f"DELETE FROM {name} WHERE workspace_id = $1 AND record_id = ANY($2)",  # noqa: S608 - constant
                    workspace_id,
                    ids,
                )
            await connection.execute(
                "DELETE FROM record WHERE workspace_id = $1 AND table_id = $2 AND id = ANY($3)",
                workspace_id,
                table_id,
                ids,
            )

    async def _ids(self, query: str, workspace_id: UUID, *values: object) -> list[UUID]:
        async with self._database.workspace(workspace_id) as connection:
            rows = await connection.fetch(query, workspace_id, *values)
        return [row[0] for row in rows]
