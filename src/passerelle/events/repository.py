"""Reading events in PostgreSQL.

Events are read in the order of their positions, and only below the horizon: an event whose transaction still runs,
or any that began before it, is not shown yet, so a reader who goes on from a position misses none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal, Protocol
from uuid import UUID

from passerelle.events.models import Event, EventPosition
from passerelle.kit.database import Database, DatabaseRow
from passerelle.kit.json import JsonObject

_READ = """
    SELECT e.workspace_id, e.id, e.type, e.data, e.created_at, e.transaction FROM event e
    WHERE e.workspace_id = $1 AND (e.transaction, e.id) > ($2, $3)
      AND e.transaction < pg_snapshot_xmin(pg_current_snapshot())
      AND ($4::text[] = '{}' AND e.type <> 'audit.written' OR e.type = ANY ($4))
"""
_PLACE: Final = """
    SELECT CASE
        WHEN EXISTS (SELECT FROM event_forgotten f WHERE f.workspace_id = $1 AND (f.transaction, f.event_id) > ($2, $3))
            THEN 'forgotten'
        WHEN EXISTS (SELECT FROM event e WHERE e.workspace_id = $1 AND e.transaction = $2 AND e.id = $3)
            OR EXISTS (
                SELECT FROM event_forgotten f WHERE f.workspace_id = $1 AND f.transaction = $2 AND f.event_id = $3)
            THEN 'kept'
        WHEN $2 = '0'::xid8 THEN 'kept'
        ELSE 'unknown'
    END
"""
_IN_ORDER = " ORDER BY e.transaction, e.id LIMIT $5"


class Narrowing(Protocol):
    """What knows which events the caller of a request may hear of (`passerelle.workflows.event_visibility`)."""

    async def condition(self, workspace_id: UUID, values: list[Any]) -> str:
        """A condition on `e`, beginning with AND, or nothing; its values are appended to `values`."""

    async def trimmed(self, workspace_id: UUID, events: Sequence[Event]) -> list[Event]:
        """The events without what the caller may not know of them."""


class EventRepository:
    """Every query names the workspace; row-level security names it again."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def after(
        self,
        workspace_id: UUID,
        position: EventPosition,
        types: Sequence[str],
        limit: int,
        narrowing: Narrowing | None = None,
    ) -> list[Event]:
        """The next events after a position, at most `limit`; of these types only, if any is named."""
        values: list[Any] = [workspace_id, position.transaction, position.event_id, list(types), limit]
        condition = "" if narrowing is None else await narrowing.condition(workspace_id, values)
        async with self._database.workspace(workspace_id) as connection:
            rows = await connection.fetch(_READ + condition + _IN_ORDER, *values)
        found = [_event(row) for row in rows]
        return found if narrowing is None else await narrowing.trimmed(workspace_id, found)

    async def newest(self, workspace_id: UUID) -> EventPosition:
        """The position of the last event that can be read; the very beginning where there is none."""
        async with self._database.workspace(workspace_id) as connection:
            row = await connection.fetchrow(
                "SELECT transaction, id FROM event "
                "WHERE workspace_id = $1 AND transaction < pg_snapshot_xmin(pg_current_snapshot()) "
                "ORDER BY transaction DESC, id DESC LIMIT 1",
                workspace_id,
            )
        return EventPosition(*row) if row is not None else EventPosition()

    async def before(self, workspace_id: UUID, moment: datetime) -> EventPosition:
        """The position before every event that was made at `moment` or later.

        Transactions that overlap may have written their events in another order than they made them: a minute covers
        the longest.
        """
        async with self._database.workspace(workspace_id) as connection:
            row = await connection.fetchrow(
                "SELECT transaction, id FROM event WHERE workspace_id = $1 AND created_at < $2 "
                "ORDER BY transaction DESC, id DESC LIMIT 1",
                workspace_id,
                moment - timedelta(minutes=1),
            )
        return EventPosition(*row) if row is not None else EventPosition()

    async def place_of(self, workspace_id: UUID, position: EventPosition) -> Literal["kept", "forgotten", "unknown"]:
        """What a reader who stands at a position may know: `forgotten` where retention has taken what comes after it.

        unknown   no event has ever been there: it is of a database whose events were numbered otherwise, or of what
                  happened after the moment that this one was set back to
        """
        async with self._database.workspace(workspace_id) as connection:
            place: Literal["kept", "forgotten", "unknown"] = await connection.fetchval(
                _PLACE, workspace_id, position.transaction, position.event_id
            )
        return place

    async def with_news(self, waiting: Sequence[tuple[UUID, EventPosition]]) -> list[int]:
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


def _event(row: DatabaseRow) -> Event:
    data: JsonObject = row["data"]
    position = EventPosition(row["transaction"], row["id"])
    return Event(row["workspace_id"], row["id"], row["type"], data, row["created_at"], position)
