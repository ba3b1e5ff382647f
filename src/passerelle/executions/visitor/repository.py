"""Drafts and files of end users in PostgreSQL.

They lie beside the execution, never in its row: typing cannot get in the way of the engine's commits.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from passerelle.executions.visitor.models import Kept
from passerelle.kit.database import Connection, Database
from passerelle.kit.json import Json, JsonObject

_KEPT: Final = """
    SELECT
        (SELECT jsonb_agg(d.fields ORDER BY d.visit) FROM visitor_draft d
         WHERE d.workspace_id = $1 AND d.execution_id = $2 AND d.step = $3
           AND NOT EXISTS (SELECT FROM step_run r WHERE r.workspace_id = $1 AND r.execution_id = $2 AND r.step = d.step
                           AND r.visit >= d.visit AND r.status = 'COMPLETED')) AS drafts,
        (SELECT r.output FROM step_run r
         WHERE r.workspace_id = $1 AND r.execution_id = $2 AND r.step = ANY($4) AND r.status = 'COMPLETED'
         ORDER BY r.ordinal DESC LIMIT 1) AS earlier,
        (SELECT jsonb_agg(jsonb_build_object(
                'resourceId', f.id, 'resourceName', f.name, 'type', f.type, 'size', f.size,
                'sha256', encode(f.sha256, 'hex'),
                'resourcePath', 'resources/' || f.workspace_id || '/' || f.id || '/' || f.name)
            ORDER BY v.created_at, v.resource_id)
         FROM visitor_file v JOIN resource f ON f.workspace_id = v.workspace_id AND f.id = v.resource_id
         WHERE v.workspace_id = $1 AND v.execution_id = $2 AND v.step = $3) AS files
"""

_CURRENT: Final = """
    FROM execution e WHERE e.workspace_id = $1 AND e.id = $2 AND e.status IN ('RUNNING', 'AWAITING')
      AND e.state #>> ARRAY['lanes', '', 'step'] = $3 AND e.state #>> ARRAY['lanes', '', 'visit'] = $4::int::text
"""

_SAVE: Final = f"""
    INSERT INTO visitor_draft (workspace_id, execution_id, step, visit, fields)
    SELECT $1, $2, $3, $4, $5 {_CURRENT}
    ON CONFLICT (workspace_id, execution_id, step, visit) DO UPDATE
    SET fields = visitor_draft.fields || EXCLUDED.fields, updated_at = now()
    WHERE octet_length((visitor_draft.fields || EXCLUDED.fields)::text) <= $6
    RETURNING 1
"""

_RENAMED: Final = (
    (
        "DELETE FROM visitor_draft WHERE workspace_id = $1 AND execution_id = $2 AND step = ANY($3) "
        "RETURNING step, visit, fields, updated_at",
        "INSERT INTO visitor_draft (workspace_id, execution_id, step, visit, fields, updated_at) "
        "VALUES ($1, $2, $3, $4, $5, $6)",
    ),
    (
        "DELETE FROM visitor_file WHERE workspace_id = $1 AND execution_id = $2 AND step = ANY($3) "
        "RETURNING step, resource_id, created_at",
        "INSERT INTO visitor_file (workspace_id, execution_id, step, resource_id, created_at) "
        "VALUES ($1, $2, $3, $4, $5)",
    ),
)


class VisitorRepository:
    """Every query names the workspace; row-level security names it again."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def kept(self, workspace_id: UUID, execution_id: UUID, step: str, names: Collection[str]) -> Kept:
        """What was typed and sent at a step, at all of its visits. `names`: what the step was called at any time."""
        async with self._database.workspace(workspace_id) as connection:
            row = await connection.fetchrow(_KEPT, workspace_id, execution_id, step, list(names))
        return Kept(tuple(row["drafts"] or ()), row["earlier"], tuple(row["files"] or ()))

    async def save(
        self, workspace_id: UUID, execution_id: UUID, step: str, visit: int, fields: JsonObject, largest: int
    ) -> bool:
        """Keep typed fields, each over its former value. False where the step is not current, or too much is kept."""
        async with self._database.workspace(workspace_id) as connection:
            saved = await connection.fetchval(_SAVE, workspace_id, execution_id, step, visit, fields, largest)
        return saved is not None

    async def drop(self, workspace_id: UUID, execution_id: UUID, step: str) -> None:
        """Forget what was typed at a step: it was submitted."""
        async with self._database.workspace(workspace_id) as connection:
            await connection.execute(
                "DELETE FROM visitor_draft WHERE workspace_id = $1 AND execution_id = $2 AND step = $3",
                workspace_id,
                execution_id,
                step,
            )

    async def submitted(self, workspace_id: UUID, execution_id: UUID, step: str, visit: int) -> tuple[bool, Json]:
        """Whether that visit of the step is over, and what it gave."""
        async with self._database.workspace(workspace_id) as connection:
            row = await connection.fetchrow(
                "SELECT output FROM step_run WHERE workspace_id = $1 AND execution_id = $2 AND step = $3 "
                "AND visit = $4 AND status = 'COMPLETED'",
                workspace_id,
                execution_id,
                step,
                visit,
            )
        return row is not None, row["output"] if row is not None else None

    async def seq(self, workspace_id: UUID, execution_id: UUID) -> int | None:
        """The number of the execution's last commit; None if there is no such execution."""
        async with self._database.workspace(workspace_id) as connection:
            seq: int | None = await connection.fetchval(
                "SELECT seq FROM execution WHERE workspace_id = $1 AND id = $2", workspace_id, execution_id
            )
        return seq

    async def hold(self, connection: Connection, execution_id: UUID, step: str) -> None:
        """One at a time may change the files of a step, until the transaction ends."""
        await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 5))", f"{execution_id}:{step}")

    async def is_current(
        self, connection: Connection, workspace_id: UUID, execution_id: UUID, step: str, visit: int
    ) -> bool:
        """Whether the execution rests at that visit of the step."""
        found = await connection.fetchval(f"SELECT 1 {_CURRENT}", workspace_id, execution_id, step, visit)
        return found is not None

    async def files(
        self, connection: Connection, workspace_id: UUID, execution_id: UUID, step: str
    ) -> list[JsonObject]:
        """The step's files so far, in the order in which they came."""
        row = await connection.fetchrow(_KEPT, workspace_id, execution_id, step, [step])
        return list(row["files"] or ())

    async def add_file(
        self, connection: Connection, workspace_id: UUID, execution_id: UUID, step: str, resource_id: UUID,
        at: datetime,
    ) -> None:  # fmt: skip
        """Count a kept file among the step's."""
        await connection.execute(
            "INSERT INTO visitor_file (workspace_id, execution_id, step, resource_id, created_at) "
            "VALUES ($1, $2, $3, $4, $5)",
            workspace_id,
            execution_id,
            step,
            resource_id,
            at,
        )

    async def remove_file(
        self, connection: Connection, workspace_id: UUID, execution_id: UUID, step: str, resource_id: UUID
    ) -> bool:
        """Count a file no longer. False if it was not one of the step's."""
        removed = await connection.fetchval(
            "DELETE FROM visitor_file WHERE workspace_id = $1 AND execution_id = $2 AND step = $3 AND resource_id = $4 "
            "RETURNING 1",
            workspace_id,
            execution_id,
            step,
            resource_id,
        )
        return removed is not None

    async def abandoned(self, at_most: int) -> list[tuple[UUID, UUID]]:
        """Of so many files of executions that are over, of every workspace, those that were never submitted: workspace
        and id. The others are looked at no more."""
        async with self._database.shared() as connection:
            rows = await connection.fetch("SELECT * FROM settle_visitor_files($1)", at_most)
        return [(row["workspace_id"], row["resource_id"]) for row in rows]

    async def forget(self, before: datetime, at_most: int) -> int:
        """Delete drafts of every workspace that nobody touched since, some at a time. Returns how many."""
        async with self._database.shared() as connection:
            gone: int = await connection.fetchval("SELECT forget_visitor_drafts($1, $2)", before, at_most)
        return gone


async def rename_steps(
    connection: Connection, workspace_id: UUID, execution_id: UUID, names: Mapping[str, str]
) -> None:
    """Keep what was typed and sent under the new names of an execution's steps, by the old ones."""
    for take, give in _RENAMED:
        # Taken out first: two steps may change their names with each other.
        rows = await connection.fetch(take, workspace_id, execution_id, list(names))
        for row in rows:
            await connection.execute(give, workspace_id, execution_id, names[row["step"]], *row[1:])
