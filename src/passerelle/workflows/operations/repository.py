"""Operations in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Final
from uuid import UUID

from passerelle.kit.database import Database, DatabaseRow
from passerelle.kit.jobs import enqueue
from passerelle.workflows.operations.models import BulkOperation, OperationResult, OperationStatus, OutcomeCount

JOB: Final = "execution.operate"
"""The queue's name for: go on with this operation."""
MOST_OUTCOMES: Final = 100
"""Groups of results that are told; the report has every result."""

_OPERATION: Final = """
    SELECT id, workspace_id, action, executions AS "only", filters, dry_run, reason, definition, status, position,
           total, total_exact, looked_at, created_at, created_by, completed_at
    FROM execution_operation WHERE workspace_id = $1
"""
_OUTCOMES: Final = """
    SELECT outcome, name, step, code, message, count(*)::int AS executions, min(execution_id::text)::uuid AS example
    FROM execution_operation_result WHERE workspace_id = $1 AND operation_id = $2
    GROUP BY outcome, name, step, code, message ORDER BY count(*) DESC, outcome, name, step, code LIMIT $3
"""
_NOTE: Final = """
    WITH o AS (
        UPDATE execution_operation SET position = $3, looked_at = looked_at + jsonb_array_length($4)
        WHERE workspace_id = $1 AND id = $2 RETURNING status
    ), noted AS (
        INSERT INTO execution_operation_result (workspace_id, operation_id, execution_id, name, outcome, step, code,
                                                message)
        SELECT $1, $2, r.* FROM jsonb_to_recordset($4) AS r(
            execution_id uuid, name text, outcome text, step text, code text, message text)
        ON CONFLICT DO NOTHING
    )
    SELECT status FROM o
"""
_RESULTS: Final = """
    SELECT execution_id, name, outcome, step, code, message FROM execution_operation_result
    WHERE workspace_id = $1 AND operation_id = $2 AND ($3::uuid IS NULL OR execution_id < $3)
    ORDER BY execution_id DESC LIMIT $4
"""


class OperationRepository:
    """Every query names the workspace; row-level security names it again."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, operation: BulkOperation) -> None:
        """Write an operation, and the job that does it. Writing the same id again changes nothing."""
        async with self._database.transaction(operation.workspace_id) as connection:
            made = await connection.fetchval(
                """
                INSERT INTO execution_operation (workspace_id, id, action, executions, filters, dry_run, reason,
                    definition, status, total, total_exact, looked_at, created_at, created_by)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'RUNNING', $9, $10, 0, $11, $12)
                ON CONFLICT DO NOTHING RETURNING 1
                """,
                *(operation.workspace_id, operation.id, operation.action),
                None if operation.only is None else list(operation.only),
                *(operation.filters, operation.dry_run, operation.reason, operation.definition),
                *(operation.total, operation.total_exact, operation.created_at, operation.created_by),
            )
            if made is not None:
                facts = {"workspaceId": str(operation.workspace_id), "operationId": str(operation.id)}
                await enqueue(connection, JOB, facts)

    async def find(self, workspace_id: UUID, operation_id: UUID) -> BulkOperation | None:
        """One operation, or None if this workspace has none with that id."""
        async with self._database.workspace(workspace_id) as connection:
            row = await connection.fetchrow(_OPERATION + "AND id = $2", workspace_id, operation_id)
        return None if row is None else _operation(row)

    async def page(self, workspace_id: UUID, before: UUID | None, by: str | None, limit: int) -> list[BulkOperation]:
        """Operations, newest first; `by`: only those of this user or key."""
        async with self._database.workspace(workspace_id) as connection:
            rows = await connection.fetch(
                _OPERATION + "AND ($2::uuid IS NULL OR id < $2) AND ($3::text IS NULL OR created_by ->> 'id' = $3) "
                "ORDER BY id DESC LIMIT $4",
                *(workspace_id, before, by, limit),
            )
        return [_operation(row) for row in rows]

    async def outcomes(self, workspace_id: UUID, operation_id: UUID) -> list[OutcomeCount]:
        """What it came to, the most frequent first."""
        async with self._database.workspace(workspace_id) as connection:
            rows = await connection.fetch(_OUTCOMES, workspace_id, operation_id, MOST_OUTCOMES)
        return [OutcomeCount(**row) for row in rows]

    async def results(
        self, workspace_id: UUID, operation_id: UUID, before: UUID | None, limit: int
    ) -> list[OperationResult]:
        """What became of each execution, the newest execution first."""
        async with self._database.reading(workspace_id) as connection:
            rows = await connection.fetch(_RESULTS, workspace_id, operation_id, before, limit)
        return [OperationResult(**row) for row in rows]

    async def note(
        self, operation: BulkOperation, results: Sequence[OperationResult], position: UUID
    ) -> OperationStatus | None:
        """Write what became of executions, and how far it has come; where the operation stands now."""
        facts = [{**asdict(one), "execution_id": str(one.execution_id)} for one in results]
        async with self._database.workspace(operation.workspace_id) as connection:
            status = await connection.fetchval(_NOTE, operation.workspace_id, operation.id, position, facts)
        return None if status is None else OperationStatus(status)

    async def end(self, workspace_id: UUID, operation_id: UUID, status: OperationStatus, now: datetime) -> bool:
        """End an operation. False if it is not under way (any more)."""
        async with self._database.transaction(workspace_id) as connection:
            ended = await connection.fetchval(
                "UPDATE execution_operation SET status = $3, completed_at = $4 "
                "WHERE workspace_id = $1 AND id = $2 AND status = 'RUNNING' RETURNING 1",
                *(workspace_id, operation_id, status.value, now),
            )
        return ended is not None

    async def forget(self, before: datetime, at_most: int) -> int:
        """Delete operations, with their results, that were made before. Returns how many."""
        async with self._database.shared() as connection:
            gone: int = await connection.fetchval("SELECT forget_operations($1, $2)", before, at_most)
        return gone


def _operation(row: DatabaseRow) -> BulkOperation:
    facts = dict(row)
    only = None if facts["only"] is None else tuple(facts["only"])
    return BulkOperation(**{**facts, "only": only, "status": OperationStatus(facts["status"])})
