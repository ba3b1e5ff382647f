"""Events are appended in the transaction of what they tell of."""

from __future__ import annotations

from passerelle.events.models import Event
from passerelle.kit.database import Connection
from passerelle.kit.event_log import NEW_EVENT


async def append_event(connection: Connection, event: Event) -> None:
    """Append an event in the caller's transaction. A statement that does more at once begins with `NEW_EVENT`."""
    await connection.execute(
        f"{NEW_EVENT} VALUES ($1, $2, $3, $4, $5, $6)",
        event.workspace_id,
        event.id,
        event.type,
        event.execution_id,
        event.data,
        event.created_at,
    )
