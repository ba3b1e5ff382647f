"""What goes of links when their executions do: the links themselves, tokens, visits, and devices that were lent to."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from passerelle.kit.database import Connection


async def remove_links(connection: Connection, workspace_id: UUID, executions: Sequence[UUID]) -> None:
    """Delete whatever led end users to executions, in the caller's transaction."""
    for table in ("handover", "visit", "widget_token", "link"):  # a link takes its codes and letters along
        await connection.execute(
            f"DELETE FROM {table} WHERE workspace_id = $1 AND execution_id = ANY ($2)",  # noqa: S608 - constant
            workspace_id,
            executions,
        )
