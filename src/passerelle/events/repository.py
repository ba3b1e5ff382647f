"""Reading events in PostgreSQL.

Events are read in the order of their positions, and only below the horizon: an event whose transaction still runs,
or any that began before it, is not shown yet, so a reader who goes on from a position misses none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from passerelle.events.models import Event, Position
from passerelle.kit.database import Connection, Database
from passerelle.kit.json import JsonObject

_READ = """
    SELECT workspace_id, id, type, data, created_at, transaction FROM event
    WHERE workspace_id = $1 AND (transaction, id) > ($2, $3)
      AND transaction < pg_snapshot_xmin(pg_current_snapshot()) AND ($4::text[] = '{}' OR type = ANY ($4))
    ORDER BY transaction, id LIMIT $5
"""


async def insert(connection: Connection, event: Event) -> None:
    """Write an event in the caller's transaction."""
    await connection.execute(
        "INSERT INTO event (workspace_id, id, type, execution_id, data, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
        event.workspace_id,
        event.id,
        event.type,
        event.execution_id,
        event.data,
        event.created_at,
    )


class EventRepository:
    """Every query names the workspace; row-level security names it again."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def after(self, workspace_id: UUID, position: Position, types: Sequence[str], limit: int) -> list[Event]:
        """The next events after a position, at most `limit`; of these types only, if any is named."""
        async with self._database.workspace(workspace_id) as connection:
            rows = await connection.fetch(
                _READ, workspace_id, position.transaction, position.event_id, list(types), limit
            )
        return [_event(row) for row in rows]

    async def newest(self, workspace_id: UUID) -> Position:
        """The position of the last event that can be read; the very beginning where there is none."""
        async with self._database.workspace(workspace_id) as connection:
            row = await connection.fetchrow(
                "SELECT transaction, id FROM event "
                "WHERE workspace_id = $1 AND transaction < pg_snapshot_xmin(pg_current_snapshot()) "
                "ORDER BY transaction DESC, id DESC LIMIT 1",
                workspace_id,
            )
        return Position(*row) if row is not None else Position()

    async def before(self, workspace_id: UUID, moment: datetime) -> Position:
        """The position before every event that was made at `moment` or later."""
        async with self._database.workspace(workspace_id) as connection:
            return await position_before(connection, workspace_id, moment)

    async def lies_ahead(self, position: Position) -> bool:
        """Whether no transaction of this cluster has had the position's number yet."""
        async with self._database.shared() as connection:
            return bool(
                await connection.fetchval(
                    "SELECT $1::xid8 >= pg_snapshot_xmax(pg_current_snapshot())", position.transaction
                )
            )

    async def forgotten(self, workspace_id: UUID) -> Position:
        """The last event that retention has taken away; the very beginning where it took none."""
        async with self._database.workspace(workspace_id) as connection:
            row = await connection.fetchrow(
                "SELECT transaction, event_id FROM event_forgotten WHERE workspace_id = $1", workspace_id
            )
        return Position(*row) if row is not None else Position()

    async def with_news(self, waiting: Sequence[tuple[UUID, Position]]) -> list[int]:
        """The indexes of those workspaces and positions after which there is an event."""
        async with self._database.shared() as connection:
            rows = await connection.fetch(
                "SELECT place FROM new_events($1, $2, $3)",
                [workspace_id for workspace_id, _ in waiting],
                [position.transaction for _, position in waiting],
                [position.event_id for _, position in waiting],
            )
        return [row["place"] - 1 for row in rows]

    async def forget(self, before: datetime, at_most: int) -> int:
        """Delete events of every workspace that are older than `before`, some at a time. Returns how many."""
        async with self._database.shared() as connection:
            gone: int = await connection.fetchval("SELECT forget_events($1, $2)", before, at_most)
        return gone


async def position_before(connection: Connection, workspace_id: UUID, moment: datetime) -> Position:
    """As `EventRepository.before`, on a connection that serves the workspace.

    Transactions that overlap may have written their events in another order than they made them: a minute covers
    the longest.
    """
    row = await connection.fetchrow(
        "SELECT transaction, id FROM event WHERE workspace_id = $1 AND created_at < $2 "
        "ORDER BY transaction DESC, id DESC LIMIT 1",
        workspace_id,
        moment - timedelta(minutes=1),
    )
    return Position(*row) if row is not None else Position()


def _event(row: Any) -> Event:
    data: JsonObject = row["data"]
    position = Position(row["transaction"], row["id"])
    return Event(row["workspace_id"], row["id"], row["type"], data, row["created_at"], position)
