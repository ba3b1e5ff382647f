"""Drafts and files of end users in PostgreSQL.

They lie beside the execution, never in its row: typing cannot get in the way of the engine's commits.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from passerelle.end_user.session.models import StoredStep
from passerelle.kit.database import Connection, Database
from passerelle.kit.json import Json, JsonObject

_KEPT_OF: Final = """
    jsonb_build_object(
        'drafts', (SELECT jsonb_agg(d.fields ORDER BY d.visit) FROM visitor_draft d
         WHERE d.workspace_id = e.workspace_id AND d.execution_id = e.id AND d.step = {step}
           AND NOT EXISTS (SELECT FROM step_run r WHERE r.workspace_id = e.workspace_id AND r.execution_id = e.id
                           AND r.step = d.step AND r.visit >= d.visit AND r.status = 'COMPLETED')),
        'earlier', (SELECT r.output FROM step_run r
         WHERE r.workspace_id = e.workspace_id AND r.execution_id = e.id AND r.step = ANY({names})
           AND r.status = 'COMPLETED'
         ORDER BY r.ordinal DESC LIMIT 1),
        'files', (SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                'resourceId', f.id, 'resourceName', f.name, 'type', f.type, 'size', f.size,
                'sha256', encode(f.sha256, 'hex'),
                'resourcePath', 'resources/' || f.workspace_id || '/' || f.id || '/' || f.name,
                'document', nullif(v.document, ''), 'sentName', v.sent_name,
                'preview', CASE WHEN f.renditions ? 'preview' THEN true END))
            ORDER BY v.created_at, v.resource_id)
         FROM visitor_file v JOIN resource f ON f.workspace_id = v.workspace_id AND f.id = v.resource_id
         WHERE v.workspace_id = e.workspace_id AND v.execution_id = e.id AND v.step = {step}))
"""
_HERE: Final = "(e.state #>> ARRAY['lanes', '', 'step'])"

KEPT_HERE: Final = _KEPT_OF.format(step=_HERE, names=f"ARRAY[{_HERE}]")
"""As `EndUserRepository.kept` for the step at which an execution `e` is, whatever that was called before: to be read
along with it (`Store.load`)."""

_KEPT: Final = (
    f"SELECT {_KEPT_OF.format(step='$3::text', names='$4::text[]')} AS kept "
    "FROM (SELECT $1::uuid AS workspace_id, $2::uuid AS id) AS e"
)
_DROP: Final = (
    "DELETE FROM visitor_draft WHERE workspace_id = $1 AND execution_id = $2 AND step = {step} AND visit <= {visit}"
)

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
        "RETURNING step, resource_id, created_at, document, sent_name",
        "INSERT INTO visitor_file (workspace_id, execution_id, step, resource_id, created_at, document, sent_name) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7)",
    ),
)


def stored_step(kept: JsonObject) -> StoredStep:
    """What `KEPT_HERE` has read."""
    return StoredStep(tuple(kept["drafts"] or ()), kept["earlier"], tuple(kept["files"] or ()))


class EndUserRepository:
    """Every query names the workspace; row-level security names it again."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def kept(self, workspace_id: UUID, execution_id: UUID, step: str, names: Collection[str]) -> StoredStep:
        """What was typed and sent at a step, at all of its visits. `names`: what the step was called at any time."""
        async with self._database.workspace(workspace_id) as connection:
            kept = await connection.fetchval(_KEPT, workspace_id, execution_id, step, list(names))
        return stored_step(kept)

    async def go_on(
        self, workspace_id: UUID, execution_id: UUID, over: tuple[str, int], step: str, names: Collection[str]
    ) -> StoredStep:
        """As `drop` for the step and visit that are `over`, and `kept` for the next step."""
        sql = f"WITH dropped AS ({_DROP.format(step='$5', visit='$6')}) {_KEPT}"
        async with self._database.workspace(workspace_id) as connection:
            kept = await connection.fetchval(sql, workspace_id, execution_id, step, list(names), *over)
        return stored_step(kept)

    async def save(
        self, workspace_id: UUID, execution_id: UUID, step: str, visit: int, fields: JsonObject, largest: int
    ) -> bool:
        """Keep typed fields, each over its former value. False where the step is not current, or too much is kept."""
        async with self._database.workspace(workspace_id) as connection:
            saved = await connection.fetchval(_SAVE, workspace_id, execution_id, step, visit, fields, largest)
        return saved is not None

    async def drop(self, workspace_id: UUID, execution_id: UUID, step: str, visit: int) -> None:
        """Forget what was typed at a step up to this visit: it was submitted. Somebody may be there again already."""
        async with self._database.workspace(workspace_id) as connection:
            await connection.execute(_DROP.format(step="$3", visit="$4"), workspace_id, execution_id, step, visit)

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

    async def link(self, workspace_id: UUID, execution_id: UUID) -> tuple[UUID, str | None] | None:
        """The newest link to an execution that was used, and the address that it was made for."""
        async with self._database.workspace(workspace_id) as connection:
            row = await connection.fetchrow(
                "SELECT id, email FROM link WHERE workspace_id = $1 AND execution_id = $2 "
                "ORDER BY activated_at DESC NULLS LAST, id DESC LIMIT 1",
                workspace_id,
                execution_id,
            )
        return None if row is None else (row["id"], row["email"])

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
        kept = await connection.fetchval(_KEPT, workspace_id, execution_id, step, [step])
        return list(stored_step(kept).files)

    async def add_file(
        self, connection: Connection, workspace_id: UUID, execution_id: UUID, step: str, resource_id: UUID,
        at: datetime, document: str, sent_name: str | None,
    ) -> None:  # fmt: skip
        """Count a kept file among the step's."""
        await connection.execute(
            "INSERT INTO visitor_file (workspace_id, execution_id, step, resource_id, created_at, document, sent_name) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7)",
            workspace_id,
            execution_id,
            step,
            resource_id,
            at,
            document,
            sent_name,
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

    async def is_submitted(
        self, workspace_id: UUID, execution_id: UUID, step: str, visit: int, resource_id: UUID
    ) -> bool:
        """Whether the step has given this file at that visit, or later."""
        async with self._database.workspace(workspace_id) as connection:
            found: bool = await connection.fetchval(
                "SELECT EXISTS (SELECT FROM step_run WHERE workspace_id = $1 AND execution_id = $2 "
                "AND step = $3 AND visit >= $4 AND status = 'COMPLETED' AND output -> 'files' @> $5)",
                workspace_id,
                execution_id,
                step,
                visit,
                [{"resourceId": str(resource_id)}],
            )
        return found

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
