"""Reading executions for the API. Writing them is the engine's (`passerelle.engine.store`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from passerelle.engine.model import Status
from passerelle.kit.database import Database
from passerelle.kit.ids import NewId
from passerelle.kit.json import Json, JsonObject


@dataclass(frozen=True, slots=True)
class ExecutionView:
    """An execution with the names that its answers need."""

    id: UUID
    workspace_id: UUID
    definition_id: UUID
    name: str
    revision: int
    execution_type: str
    status: Status
    locale: str | None
    parameters: JsonObject
    record_id: UUID | None
    origin: str
    waiting_for: list[JsonObject]
    result: Json
    error: Json
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None
    expires_at: datetime | None
    parent_id: UUID | None = None
    parent_step: str | None = None


@dataclass(frozen=True, slots=True)
class StepRunView:
    """One finished attempt of a step."""

    step: str
    visit: int
    attempt: int
    kind: str
    status: str
    input: Json
    output: Json
    error: Json
    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class MoveView:
    """That an execution was moved to another revision, and perhaps back."""

    migration_id: UUID
    from_revision: UUID
    from_number: int
    to_revision: UUID
    to_number: int
    moved_at: datetime
    moved_by: str
    undone_at: datetime | None
    undone_by: str | None


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list of executions is narrowed by."""

    status: str | None = None
    definition_id: UUID | None = None
    record_id: UUID | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None
    parent_id: UUID | None = None


_VIEW = """
    SELECT e.id, e.workspace_id, e.definition_id, d.name, r.number AS revision, e.execution_type, e.status, e.locale,
           e.parameters, e.record_id, e.origin, e.waiting_for, e.result, e.error, e.created_at, e.updated_at,
           e.completed_at, e.expires_at, e.parent_id, e.parent_step
    FROM execution e
    JOIN definition d ON d.workspace_id = e.workspace_id AND d.id = e.definition_id
    JOIN revision r ON r.workspace_id = e.workspace_id AND r.id = e.revision_id
    WHERE e.workspace_id = $1
"""


_MOVES = """
    SELECT v.migration_id, m.from_revision, f.number AS from_number, m.to_revision, t.number AS to_number,
           v.moved_at, m.created_by AS moved_by, v.undone_at,
           CASE WHEN v.undone_at IS NOT NULL THEN m.undone_by END AS undone_by
    FROM execution_move v
    JOIN definition_migration m ON m.workspace_id = v.workspace_id AND m.id = v.migration_id
    JOIN revision f ON f.workspace_id = m.workspace_id AND f.id = m.from_revision
    JOIN revision t ON t.workspace_id = m.workspace_id AND t.id = m.to_revision
    WHERE v.workspace_id = $1 AND v.execution_id = $2 AND v.moved_at IS NOT NULL
    ORDER BY v.moved_at, v.migration_id
"""


class ExecutionRepository:
    """Every query names the workspace; row-level security names it again."""

    def __init__(self, database: Database, new_id: NewId) -> None:
        self._database = database
        self._new_id = new_id

    async def find(self, workspace_id: UUID, execution_id: UUID) -> ExecutionView | None:
        """One execution, or None if this workspace has none with that id."""
        async with self._database.workspace(workspace_id) as connection:
            row = await connection.fetchrow(_VIEW + "AND e.id = $2", workspace_id, execution_id)
        return _view(row) if row is not None else None

    async def status(self, workspace_id: UUID, execution_id: UUID) -> tuple[Status, bool] | None:
        """The status, and whether the execution goes on at once by itself."""
        async with self._database.workspace(workspace_id) as connection:
            row = await connection.fetchrow(
                "SELECT status, wake_at IS NOT NULL AND status = 'RUNNING' AS busy FROM execution "
                "WHERE workspace_id = $1 AND id = $2",
                workspace_id,
                execution_id,
            )
        return (Status(row["status"]), row["busy"]) if row is not None else None

    async def page(
        self,
        workspace_id: UUID,
        filters: Filters,
        after: UUID | None,
        limit: int,
        record_ids: Sequence[UUID] | None = None,
    ) -> list[ExecutionView]:
        """Executions, newest first, older than `after`. `record_ids`: what their record may be called."""
        conditions = {
            "e.status = ": filters.status,
            "e.definition_id = ": filters.definition_id,
            "e.record_id = ANY": record_ids,
            "e.created_at >= ": filters.created_from,
            "e.created_at < ": filters.created_before,
            "e.parent_id = ": filters.parent_id,
            "e.id < ": after,
        }
        wanted = {condition: value for condition, value in conditions.items() if value is not None}
        narrowed = "".join(f" AND {condition}(${number})" for number, condition in enumerate(wanted, 3))
        async with self._database.workspace(workspace_id) as connection:
            rows = await connection.fetch(
                _VIEW + narrowed + " ORDER BY e.id DESC LIMIT $2", workspace_id, limit, *wanted.values()
            )
        return [_view(row) for row in rows]

    async def step_runs(self, workspace_id: UUID, execution_id: UUID) -> list[StepRunView]:
        """Every finished attempt, in the order in which they were recorded."""
        async with self._database.workspace(workspace_id) as connection:
            rows = await connection.fetch(
                "SELECT step, visit, attempt, kind, status, input, output, error, started_at, ended_at FROM step_run "
                "WHERE workspace_id = $1 AND execution_id = $2 ORDER BY ordinal",
                workspace_id,
                execution_id,
            )
        return [StepRunView(**row) for row in rows]

    async def moves(self, workspace_id: UUID, execution_id: UUID) -> list[MoveView]:
        """When it was moved to another revision, oldest first."""
        async with self._database.workspace(workspace_id) as connection:
            rows = await connection.fetch(_MOVES, workspace_id, execution_id)
        return [MoveView(**row) for row in rows]

    async def keep_parameters(
        self, workspace_id: UUID, definition_id: UUID | None, parameters: JsonObject, parameters_id: UUID
    ) -> None:
        """Store parameters for later executions. Storing the same id again changes nothing."""
        async with self._database.workspace(workspace_id) as connection:
            await connection.execute(
                "INSERT INTO stored_parameters (workspace_id, id, definition_id, parameters) VALUES ($1, $2, $3, $4) "
                "ON CONFLICT DO NOTHING",
                workspace_id,
                parameters_id,
                definition_id,
                parameters,
            )

    async def kept_parameters(self, workspace_id: UUID, parameters_id: UUID) -> JsonObject | None:
        """Parameters that were stored before."""
        async with self._database.workspace(workspace_id) as connection:
            kept: JsonObject | None = await connection.fetchval(
                "SELECT parameters FROM stored_parameters WHERE workspace_id = $1 AND id = $2",
                workspace_id,
                parameters_id,
            )
        return kept


def _view(row: Any) -> ExecutionView:
    facts = dict(row)
    return ExecutionView(**{**facts, "status": Status(facts["status"]), "waiting_for": facts["waiting_for"] or []})
