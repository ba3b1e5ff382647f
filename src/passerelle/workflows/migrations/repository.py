"""Migrations in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from passerelle.engine.verdicts import MigrationVerdict, VerdictReason
from passerelle.kit.database import Connection, Database, DatabaseRow, fetch_one
from passerelle.kit.jobs import enqueue
from passerelle.workflows.migrations.models import (
    Counts,
    ExecutionMigration,
    Migration,
    MigrationStatus,
    ReasonCount,
    reason_json,
    reason_of,
)

JOB: Final = "definition.migrate"
"""The queue's name for: go on with this migration."""

_MIGRATION: Final = """
    SELECT m.id, m.workspace_id, m.definition_id, m.from_revision, f.number AS from_number, m.to_revision,
           t.number AS to_number, m.mapping, m.executions AS "only", m.dry_run, m.status, m.position, m.created_at,
           m.created_by, m.completed_at, m.undone_by, m.loosened_by
    FROM definition_migration m
    JOIN revision f ON f.workspace_id = m.workspace_id AND f.id = m.from_revision
    JOIN revision t ON t.workspace_id = m.workspace_id AND t.id = m.to_revision
    WHERE m.workspace_id = $1 AND m.definition_id = $2
"""
_STATUS: Final = """
    (SELECT id FROM execution WHERE workspace_id = $1 AND status = '{}' AND definition_id = $2 AND revision_id = $3
       AND ($4::uuid IS NULL OR id > $4) ORDER BY id LIMIT $5)
"""
_OPEN: Final = (
    " UNION ALL ".join(_STATUS.format(status) for status in ("RUNNING", "AWAITING", "FAILED")) + " ORDER BY id LIMIT $5"
)
"""Each part walks along one stretch of an index, however many executions have ended."""
_NAMED: Final = """
    SELECT id FROM execution WHERE workspace_id = $1 AND definition_id = $2 AND id = ANY($3)
      AND ($4::uuid IS NULL OR id > $4) ORDER BY id LIMIT $5
"""
_COUNTS: Final = """
    SELECT count(*) FILTER (WHERE verdict = 'safe') AS safe,
           count(*) FILTER (WHERE verdict = 'needs-mapping') AS needs_mapping,
           count(*) FILTER (WHERE verdict = 'loosens') AS loosens,
           count(*) FILTER (WHERE verdict = 'refused') AS refused,
           count(*) FILTER (WHERE moved_at IS NOT NULL) AS moved,
           count(*) FILTER (WHERE undone_at IS NOT NULL) AS undone,
           count(*) FILTER (WHERE kept IS NOT NULL) AS kept
    FROM execution_move WHERE workspace_id = $1 AND migration_id = $2
"""
_REASONS: Final = """
    SELECT r.code, r.message, r.step, r.verdict, count(*) AS executions, min(m.execution_id::text)::uuid AS example
    FROM execution_move m,
         jsonb_to_recordset(m.reasons) AS r(code text, message text, step text, verdict text)
    WHERE m.workspace_id = $1 AND m.migration_id = $2
    GROUP BY r.code, r.message, r.step, r.verdict
    ORDER BY count(*) DESC, r.code, r.step, r.message
"""
_MOVES: Final = """
    SELECT execution_id, verdict, reasons, moved_at, moved_seq, trail, added, undone_at, kept
    FROM execution_move WHERE workspace_id = $1 AND migration_id = $2 AND ($3::uuid IS NULL OR execution_id > $3)
"""
_ADD: Final = """
    INSERT INTO execution_move (workspace_id, migration_id, execution_id, verdict, reasons, moved_at, moved_seq,
                                trail, added)
    SELECT $1, $2, r.* FROM jsonb_to_recordset($3) AS r(
        execution_id uuid, verdict text, reasons jsonb, moved_at timestamptz, moved_seq integer, trail jsonb,
        added jsonb)
"""
_SETTLE: Final = """
    UPDATE execution_move m SET undone_at = r.undone_at, kept = r.kept
    FROM jsonb_to_recordset($3) AS r(execution_id uuid, undone_at timestamptz, kept text)
    WHERE m.workspace_id = $1 AND m.migration_id = $2 AND m.execution_id = r.execution_id
"""


class MoveRepository:
    """Every query names the workspace; row-level security names it again."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, migration: Migration) -> None:
        """Write a migration, and the job that does it. Writing the same id again changes nothing."""
        async with self._database.transaction(migration.workspace_id) as connection:
            made = await connection.fetchval(
                """
                INSERT INTO definition_migration (workspace_id, id, definition_id, from_revision, to_revision, mapping,
                                                  executions, dry_run, status, created_at, created_by,
                                                  loosened_by)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'RUNNING', $9, $10, $11) ON CONFLICT DO NOTHING RETURNING 1
                """,
                migration.workspace_id,
                migration.id,
                migration.definition_id,
                migration.from_revision,
                migration.to_revision,
                dict(migration.mapping),
                None if migration.only is None else list(migration.only),
                migration.dry_run,
                migration.created_at,
                migration.created_by,
                None if migration.loosened_by is None else list(migration.loosened_by),
            )
            if made is not None:
                await self._enqueue(connection, migration)

    async def undo(self, migration: Migration, by: str) -> bool:
        """Have a migration undone. False if it is not one that is done (any more)."""
        async with self._database.transaction(migration.workspace_id) as connection:
            begun = await connection.fetchval(
                "UPDATE definition_migration SET status = 'UNDOING', position = NULL, completed_at = NULL, "
                "undone_by = $3 WHERE workspace_id = $1 AND id = $2 AND status = 'DONE' RETURNING 1",
                migration.workspace_id,
                migration.id,
                by,
            )
            if begun is not None:
                await self._enqueue(connection, migration)
        return begun is not None

    async def find(self, workspace_id: UUID, definition_id: UUID, migration_id: UUID) -> Migration | None:
        """One migration of a definition."""
        async with self._database.workspace(workspace_id) as connection:
            row = await connection.fetchrow(_MIGRATION + "AND m.id = $3", workspace_id, definition_id, migration_id)
        return _migration(row) if row is not None else None

    async def page(self, workspace_id: UUID, definition_id: UUID, after: UUID | None, limit: int) -> list[Migration]:
        """A definition's migrations, newest first, older than `after`."""
        async with self._database.workspace(workspace_id) as connection:
            rows = await connection.fetch(
                _MIGRATION + "AND ($3::uuid IS NULL OR m.id < $3) ORDER BY m.id DESC LIMIT $4",
                workspace_id,
                definition_id,
                after,
                limit,
            )
        return [_migration(row) for row in rows]

    async def came_to(self, workspace_id: UUID, migration_id: UUID) -> tuple[Counts, tuple[ReasonCount, ...]]:
        """What a migration has come to so far."""
        async with self._database.workspace(workspace_id) as connection:
            counts = await fetch_one(connection, _COUNTS, workspace_id, migration_id)
            rows = await connection.fetch(_REASONS, workspace_id, migration_id)
        reasons = tuple(
            ReasonCount(
                VerdictReason(row["code"], row["message"], row["step"], MigrationVerdict(row["verdict"])),
                row["executions"],
                row["example"],
            )
            for row in rows
        )
        return Counts(**counts), reasons

    async def moves(
        self, workspace_id: UUID, migration_id: UUID, verdict: str | None, after: UUID | None, limit: int
    ) -> list[ExecutionMigration]:
        """What was said of executions, those of one verdict or all, in the order of their ids."""
        async with self._database.workspace(workspace_id) as connection:
            rows = await connection.fetch(
                _MOVES + "AND ($4::text IS NULL OR verdict = $4) ORDER BY execution_id LIMIT $5",
                workspace_id,
                migration_id,
                after,
                verdict,
                limit,
            )
        return [_move(row) for row in rows]

    async def strangers(self, workspace_id: UUID, definition_id: UUID, wanted: Sequence[UUID]) -> set[UUID]:
        """Those of the ids that are no executions of the definition."""
        async with self._database.workspace(workspace_id) as connection:
            rows = await connection.fetch(
                "SELECT id FROM execution WHERE workspace_id = $1 AND definition_id = $2 AND id = ANY($3)",
                workspace_id,
                definition_id,
                list(wanted),
            )
        return set(wanted) - {row["id"] for row in rows}

    async def forget_dry(self, before: Any, at_most: int) -> int:
        """Delete dry runs of every workspace from before then, some at a time. Returns how many."""
        async with self._database.shared() as connection:
            gone: int = await connection.fetchval("SELECT forget_dry_migrations($1, $2)", before, at_most)
        return gone

    # Within the transaction of one batch.

    async def hold(self, connection: Connection, migration: Migration) -> Migration | None:
        """The migration as it stands now; nobody else goes on with it until the transaction ends."""
        row = await connection.fetchrow(
            _MIGRATION + "AND m.id = $3 FOR UPDATE OF m", migration.workspace_id, migration.definition_id, migration.id
        )
        return _migration(row) if row is not None else None

    async def candidates(self, connection: Connection, migration: Migration, limit: int) -> list[UUID]:
        """The next executions that are to be judged, by their ids."""
        named = migration.only is not None
        rows = await connection.fetch(
            _NAMED if named else _OPEN,
            migration.workspace_id,
            migration.definition_id,
            list(migration.only or ()) if named else migration.from_revision,
            migration.position,
            limit,
        )
        return [row["id"] for row in rows]

    async def moved(self, connection: Connection, migration: Migration, limit: int) -> list[ExecutionMigration]:
        """The next executions that were moved."""
        rows = await connection.fetch(
            _MOVES + "AND moved_at IS NOT NULL ORDER BY execution_id LIMIT $4",
            migration.workspace_id,
            migration.id,
            migration.position,
            limit,
        )
        return [_move(row) for row in rows]

    async def note(self, connection: Connection, migration: Migration, moves: Sequence[ExecutionMigration]) -> None:
        """Write what was said of executions, and done."""
        if moves:
            await connection.execute(_ADD, migration.workspace_id, migration.id, [_facts(move) for move in moves])

    async def settle(self, connection: Connection, migration: Migration, moves: Sequence[ExecutionMigration]) -> None:
        """Write what an undo has done."""
        if moves:
            await connection.execute(_SETTLE, migration.workspace_id, migration.id, [_facts(move) for move in moves])

    async def progress(
        self, connection: Connection, migration: Migration, position: UUID | None, status: MigrationStatus, now: Any
    ) -> None:
        """How far it has come."""
        await connection.execute(
            "UPDATE definition_migration SET position = coalesce($3, position), status = $4, completed_at = $5 "
            "WHERE workspace_id = $1 AND id = $2",
            migration.workspace_id,
            migration.id,
            position,
            status.value,
            now,
        )

    async def _enqueue(self, connection: Connection, migration: Migration) -> None:
        payload = {
            "workspaceId": str(migration.workspace_id),
            "definitionId": str(migration.definition_id),
            "migrationId": str(migration.id),
        }
        await enqueue(connection, JOB, payload)


def _migration(row: DatabaseRow) -> Migration:
    facts = dict(row)
    lists = {name: None if facts[name] is None else tuple(facts[name]) for name in ("only", "loosened_by")}
    return Migration(**{**facts, **lists, "status": MigrationStatus(facts["status"])})


def _move(row: DatabaseRow) -> ExecutionMigration:
    facts = dict(row)
    return ExecutionMigration(
        **{
            **facts,
            "verdict": MigrationVerdict(facts["verdict"]),
            "reasons": tuple(reason_of(each) for each in facts["reasons"] or ()),
            "trail": tuple(facts["trail"] or ()),
            "added": tuple(facts["added"] or ()),
        }
    )


def _facts(move: ExecutionMigration) -> dict[str, Any]:
    return {
        "execution_id": str(move.execution_id),
        "verdict": move.verdict.value,
        "reasons": [reason_json(reason) for reason in move.reasons] or None,
        "moved_at": move.moved_at and move.moved_at.isoformat(),
        "moved_seq": move.moved_seq,
        "trail": list(move.trail) or None,
        "added": list(move.added) or None,
        "undone_at": move.undone_at and move.undone_at.isoformat(),
        "kept": move.kept,
    }
