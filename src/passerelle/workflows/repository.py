"""Reading executions for the API. Writing them is the engine's (`passerelle.engine.store`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from passerelle.engine.model import Status
from passerelle.kit.database import Connection, Database, DatabaseRow
from passerelle.kit.ids import NewId, first_id
from passerelle.kit.json import JsonObject
from passerelle.workflows.models import ExecutionFilters, ExecutionView, FailureGroup, MoveView, StepRunView

_BEGUN: Final = """
    NOT (e.origin IN ('LINK', 'TOKEN') AND (
        coalesce(e.error ->> 'code', '') = 'NEVER_BEGUN'
        OR (e.status = 'RUNNING' AND NOT EXISTS (
            SELECT FROM visit v WHERE v.workspace_id = e.workspace_id AND v.execution_id = e.id))))
"""
_FAILING: Final = (Status.FAILED, Status.EXPIRED, Status.CANCELLED)
"""Those that have an error."""
_RESTING: Final = (Status.RUNNING, Status.AWAITING)
_AT_FIRST: Final = " AND e.status IN ('RUNNING', 'AWAITING') AND e.waiting_{key} = {wanted}"
_AT_ANOTHER: Final = """
    AND e.status IN ('RUNNING', 'AWAITING') AND e.waiting_several AND e.waiting_{key} <> {wanted}
    AND e.waiting_for @> jsonb_build_array(jsonb_build_object('{key}', {wanted}))
"""
_FAILED_AT: Final = " AND e.status = 'FAILED' AND e.failed_step = {wanted}"
_NUMBERED: Final = """
    SELECT id FROM revision WHERE workspace_id = $1 AND number = $2 AND ($3::uuid IS NULL OR definition_id = $3)
"""
_APART: Final = timedelta(days=1)
"""An id may have been made so long before its execution, where a request was sent again."""

_VIEW = """
    SELECT e.id, e.workspace_id, e.definition_id, d.name, e.revision_id, r.number AS revision, e.execution_type,
           e.status, e.locale, e.parameters, e.record_id, e.origin, e.waiting_for, e.result, e.error, e.created_at,
           e.updated_at, e.completed_at, e.expires_at, e.parent_id, e.parent_step,
           e.started_by
    FROM ({found}) e
    JOIN definition d ON d.workspace_id = e.workspace_id AND d.id = e.definition_id
    JOIN revision r ON r.workspace_id = e.workspace_id AND r.id = e.revision_id
"""
_OF_WORKSPACE: Final = "SELECT * FROM execution e WHERE e.workspace_id = $1"

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

_FAILURES = """
    SELECT f.code, f.definition_id, d.name, count(*)::int AS count,
           (array_agg(f.id ORDER BY f.updated_at DESC))[1] AS latest_id,
           (array_agg(f.message ORDER BY f.updated_at DESC))[1] AS latest_message,
           max(f.updated_at) AS latest_at
    FROM (
        SELECT id, workspace_id, definition_id, updated_at, error ->> 'code' AS code, error ->> 'message' AS message
        FROM execution WHERE workspace_id = $1 AND status = 'FAILED'
          AND ($3::uuid[] IS NULL OR definition_id = ANY($3)) ORDER BY id DESC LIMIT $2
    ) f
    JOIN definition d ON d.workspace_id = f.workspace_id AND d.id = f.definition_id
    GROUP BY f.code, f.definition_id, d.name
    ORDER BY count(*) DESC, max(f.updated_at) DESC
"""


class ExecutionRepository:
    """Every query names the workspace; row-level security names it again."""

    def __init__(self, database: Database, new_id: NewId) -> None:
        self._database = database
        self._new_id = new_id

    async def find(self, workspace_id: UUID, execution_id: UUID) -> ExecutionView | None:
        """One execution, or None if this workspace has none with that id."""
        async with self._database.workspace(workspace_id) as connection:
            row = await connection.fetchrow(
                _VIEW.format(found=_OF_WORKSPACE + " AND e.id = $2"), workspace_id, execution_id
            )
        return _view(row) if row is not None else None

    async def several(self, workspace_id: UUID, execution_ids: Sequence[UUID]) -> list[ExecutionView]:
        """Executions by their ids; those that are not there are left out."""
        async with self._database.workspace(workspace_id) as connection:
            rows = await connection.fetch(
                _VIEW.format(found=_OF_WORKSPACE + " AND e.id = ANY ($2)"), workspace_id, list(execution_ids)
            )
        return [_view(row) for row in rows]

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
        filters: ExecutionFilters,
        after: UUID | None,
        limit: int,
        record_ids: Sequence[UUID] | None = None,
    ) -> list[ExecutionView]:
        """Executions, newest first, older than `after`. `record_ids`: what their record may be called."""
        narrowed, values = _narrowed({**_conditions(filters, record_ids), "(e.id < {})": after}, 2)
        async with self._database.reading(workspace_id) as connection:
            running = await _running(connection, workspace_id, filters)
            # The page is found first, by one index: joined before, every execution may be read and sorted.
            ordered = f" ORDER BY e.id DESC LIMIT {limit:d}"
            found = _found(filters, f"{running}{narrowed}{ordered}", values)
            page = f"SELECT * FROM ({found}) e{ordered}"
            rows = await connection.fetch(_VIEW.format(found=page) + " ORDER BY e.id DESC", workspace_id, *values)
        return [_view(row) for row in rows]

    async def count(
        self, workspace_id: UUID, filters: ExecutionFilters, at_most: int, record_ids: Sequence[UUID] | None = None
    ) -> dict[str, int]:
        """How many there are in each status, none counted further than `at_most`."""
        narrowed, values = _narrowed(_conditions(filters, record_ids), 2)
        statuses = [Status(filters.status)] if filters.status else list(_FAILING if filters.error_code else Status)
        async with self._database.reading(workspace_id) as connection:
            running = await _running(connection, workspace_id, filters)
            counted: dict[str, int] = dict.fromkeys(Status, 0) if filters.status is None else {}
            for status in statuses:
                these = [*values]
                found = _found(replace(filters, status=status), f"{running}{narrowed}", these)
                limited = f"SELECT FROM ({found}) e LIMIT {at_most:d}"
                counted[status] = await connection.fetchval(f"SELECT count(*) FROM ({limited}) e", workspace_id, *these)
            return counted

    async def failures(
        self, workspace_id: UUID, at_most: int, definitions: Sequence[UUID] | None = None
    ) -> list[FailureGroup]:
        """The newest failed executions, at most so many, grouped by definition and error; the largest group first.

        definitions   only of these
        """
        async with self._database.reading(workspace_id) as connection:
            rows = await connection.fetch(_FAILURES, workspace_id, at_most, definitions)
        return [FailureGroup(**row) for row in rows]

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

    async def has_received(self, workspace_id: UUID, execution_id: UUID, event_id: UUID) -> bool:
        """Whether this event came before, whatever has become of it."""
        async with self._database.workspace(workspace_id) as connection:
            found: bool = await connection.fetchval(
                "SELECT EXISTS (SELECT FROM received_event WHERE workspace_id = $1 AND execution_id = $2 AND id = $3)",
                workspace_id,
                execution_id,
                event_id,
            )
        return found

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


def _found(filters: ExecutionFilters, rest: str, values: list[Any]) -> str:
    """What finds them: `rest` holds for each. The value that it asks for besides is appended to `values`."""
    ways = _ways(filters, values)
    return " UNION ALL ".join(f"({_OF_WORKSPACE}{_literally(filters)}{one}{rest})" for one in ways)


def _ways(filters: ExecutionFilters, values: list[Any]) -> list[str]:
    """The ways in which one may be at a step, or wait: each with an index of its own that has them in their order.

    For all of them together there is none, and PostgreSQL would read every execution until it has found a page. No
    execution is found in two ways.
    """
    key, wanted = ("step", filters.step) if filters.step is not None else ("kind", filters.waiting_for)
    if wanted is None:
        return [""]
    ways = []
    if filters.status is None or filters.status in _RESTING:
        ways += [_AT_FIRST, _AT_ANOTHER]
    if filters.waiting_for is None and filters.status in (None, Status.FAILED):
        ways.append(_FAILED_AT)
    if not ways:
        return [" AND false"]
    values.append(wanted)
    return [one.format(key=key, wanted=f"${len(values) + 1}::text") for one in ways]


def _literally(filters: ExecutionFilters) -> str:
    """The conditions that are written out with their values.

    Only so does an index serve that holds some statuses alone, and only so does PostgreSQL know which definitions few
    executions have: a plan that it keeps for any of them may read all executions to find these.
    """
    said = "" if filters.status is None else f" AND e.status = '{Status(filters.status).value}'"
    if filters.definition_id is not None:
        said += f" AND e.definition_id = '{filters.definition_id}'::uuid"
    if filters.definitions is not None:
        ids = ", ".join(f"'{one}'::uuid" for one in filters.definitions)
        said += f" AND e.definition_id IN ({ids})" if ids else " AND false"
    return said


async def _running(connection: Connection, workspace_id: UUID, filters: ExecutionFilters) -> str:
    """The condition that they run a revision of the wanted number, written out as well.

    Of a revision that few executions run PostgreSQL would not know that, and read all of them.
    """
    if filters.revision is None:
        return ""
    found = await connection.fetch(_NUMBERED, workspace_id, filters.revision, filters.definition_id)
    ids = ", ".join(f"'{row['id']}'::uuid" for row in found)
    return f" AND e.revision_id IN ({ids})" if ids else " AND false"


def _conditions(filters: ExecutionFilters, record_ids: Sequence[UUID] | None) -> dict[str, Any]:
    """What must hold, each with its value; those without one are to be left out.

    Ids sort by the time of creation: with bounds for them, nothing that is far from the wanted days is looked at.
    """
    return {
        "e.record_id = ANY ({})": record_ids,
        "e.created_at >= {}": filters.created_from,
        "e.id >= {}": filters.created_from and first_id(filters.created_from - _APART),
        "e.created_at < {}": filters.created_before,
        "e.id < {}": filters.created_before and first_id(filters.created_before + _APART),
        "e.parent_id = {}": filters.parent_id,
        "e.error_code = {}": filters.error_code,
        f"({_BEGUN}) = {{}}": filters.begun or None,
        "e.waiting_for @> {}": filters.step and filters.waiting_for and [{"kind": filters.waiting_for}],
    }


def _narrowed(conditions: Mapping[str, Any], first: int) -> tuple[str, list[Any]]:
    """The conditions that have a value, and the values in their order; `first`: the number of the first one."""
    wanted = {condition: value for condition, value in conditions.items() if value is not None}
    narrowed = "".join(f" AND {condition.format(f'${number}')}" for number, condition in enumerate(wanted, first))
    return narrowed, list(wanted.values())


def _view(row: DatabaseRow) -> ExecutionView:
    facts = dict(row)
    return ExecutionView(**{**facts, "status": Status(facts["status"]), "waiting_for": facts["waiting_for"] or []})
