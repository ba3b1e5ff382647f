"""Legal holds in PostgreSQL.

Whoever removes something holds the workspace's lock together with others who remove; whoever places a hold has it
alone. So nothing that is held when the request for it is answered goes in a transaction that looked before.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from passerelle.holds.models import HeldObjects, Hold, HoldKind
from passerelle.kit.database import Connection

_COLUMNS: Final = "id, kind, object_id, reason, placed_at, placed_by, released_at, released_by"
_LOCK: Final = "hashtextextended('passerelle.holds ' || current_schema() || $1::text, 0)"
_HELD_OF_TABLE: Final = """
    SELECT r.id FROM record r WHERE r.workspace_id = $1 AND r.table_id = $2
      AND (is_workspace_held($1) OR r.id IN (SELECT id FROM held_objects($1))) LIMIT 1
"""
_THERE: Final = {
    "execution": "SELECT EXISTS (SELECT FROM execution WHERE workspace_id = $1 AND id = $2)",
    "record": """
        SELECT EXISTS (SELECT FROM record_table t
                       JOIN record r ON r.workspace_id = t.workspace_id AND r.table_id = t.id AND r.id = $2
                       WHERE t.workspace_id = $1)
    """,
    "workspace": "SELECT EXISTS (SELECT FROM workspace WHERE workspace_id = $1 AND workspace_id = $2)",
}


async def lock_to_remove(connection: Connection, workspace_id: UUID) -> None:
    """Until the transaction ends no hold is placed in the workspace."""
    await connection.execute(f"SELECT pg_advisory_xact_lock_shared({_LOCK})", str(workspace_id))


async def lock_to_hold(connection: Connection, workspace_id: UUID) -> None:
    """Until the transaction ends nobody removes anything of the workspace."""
    await connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK})", str(workspace_id))


async def held(connection: Connection, workspace_id: UUID) -> HeldObjects:
    """What is kept."""
    everything: bool = await connection.fetchval("SELECT is_workspace_held($1)", workspace_id)
    if everything:
        return HeldObjects(everything=True, ids=frozenset())
    rows = await connection.fetch("SELECT id FROM held_objects($1)", workspace_id)
    return HeldObjects(everything=False, ids=frozenset(row["id"] for row in rows))


async def held_of_table(connection: Connection, workspace_id: UUID, table_id: UUID) -> UUID | None:
    """A record of the table that is kept."""
    found: UUID | None = await connection.fetchval(_HELD_OF_TABLE, workspace_id, table_id)
    return found


async def is_there(connection: Connection, workspace_id: UUID, kind: HoldKind, object_id: UUID) -> bool:
    """Whether there is such a thing in the workspace."""
    return bool(await connection.fetchval(_THERE[kind], workspace_id, object_id))


async def open_on(connection: Connection, workspace_id: UUID, kind: HoldKind, object_id: UUID) -> Hold | None:
    """The hold on it that is not released."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM legal_hold "
        "WHERE workspace_id = $1 AND kind = $2 AND object_id = $3 AND released_at IS NULL",
        workspace_id,
        kind,
        object_id,
    )
    return None if row is None else Hold(*row)


async def find(connection: Connection, workspace_id: UUID, hold_id: UUID) -> Hold | None:
    """One hold."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM legal_hold WHERE workspace_id = $1 AND id = $2",
        workspace_id,
        hold_id,
    )
    return None if row is None else Hold(*row)


async def insert(connection: Connection, workspace_id: UUID, hold: Hold) -> None:
    """A new hold."""
    await connection.execute(
        "INSERT INTO legal_hold (workspace_id, id, kind, object_id, reason, placed_at, placed_by) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7)",
        workspace_id,
        hold.id,
        hold.kind,
        hold.object_id,
        hold.reason,
        hold.placed_at,
        hold.placed_by,
    )


async def release(connection: Connection, workspace_id: UUID, hold_id: UUID, by: str, now: datetime) -> None:
    """End a hold; one that was released stays as it is."""
    await connection.execute(
        "UPDATE legal_hold SET released_at = $3, released_by = $4 "
        "WHERE workspace_id = $1 AND id = $2 AND released_at IS NULL",
        workspace_id,
        hold_id,
        now,
        by,
    )


async def page(
    connection: Connection, workspace_id: UUID, before: UUID | None, limit: int, *, released: bool
) -> Sequence[Hold]:
    """Holds older than `before`, the newest first; those that were released only where `released` says so."""
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM legal_hold WHERE workspace_id = $1 AND ($4 OR released_at IS NULL) "
        "AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3",
        workspace_id,
        before,
        limit,
        released,
    )
    return [Hold(*row) for row in rows]
