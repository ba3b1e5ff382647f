"""What goes with executions whose time is over: everything that is theirs alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from passerelle.kit.database import Connection
from passerelle.kit.ids import parse_id
from passerelle.records.erasing import delete_files_later

_FILES: Final = """
    SELECT r.id FROM resource r
    WHERE r.workspace_id = $1 AND r.id = ANY ($2)
      AND NOT EXISTS (SELECT FROM attachment a WHERE a.workspace_id = $1 AND a.resource_id = r.id)
      AND NOT EXISTS (SELECT FROM visitor_file v WHERE v.workspace_id = $1 AND v.resource_id = r.id)
"""
_NAMED: Final = """
    SELECT DISTINCT jsonb_path_query(output, 'lax $.**.resourceId') #>> '{}' AS id FROM step_run
    WHERE workspace_id = $1 AND execution_id = ANY ($2) AND output IS NOT NULL
    UNION SELECT resource_id::text FROM visitor_file WHERE workspace_id = $1 AND execution_id = ANY ($2)
"""
_PARTS: Final = (
    "DELETE FROM visitor_draft WHERE workspace_id = $1 AND execution_id = ANY ($2)",
    "DELETE FROM visitor_file WHERE workspace_id = $1 AND execution_id = ANY ($2)",
    "DELETE FROM execution_comment WHERE workspace_id = $1 AND execution_id = ANY ($2)",
    "DELETE FROM execution_move WHERE workspace_id = $1 AND execution_id = ANY ($2) AND moved_at IS NOT NULL",
    "DELETE FROM received_event WHERE workspace_id = $1 AND execution_id = ANY ($2)",
    "DELETE FROM step_run WHERE workspace_id = $1 AND execution_id = ANY ($2)",
    "DELETE FROM execution WHERE workspace_id = $1 AND id = ANY ($2)",
)
"""The execution itself last: others refer to it."""


async def remove_executions(connection: Connection, workspace_id: UUID, ids: Sequence[UUID]) -> None:
    """Delete executions that have ended, with their steps, drafts, comments and files, in the caller's transaction.

    A file that a record has, or another execution was sent, stays; the others are deleted by a job afterwards.
    """
    named = [row["id"] for row in await connection.fetch(_NAMED, workspace_id, ids)]
    files = [found for one in named if one and (found := parse_id(one)) is not None]
    for statement in _PARTS:
        await connection.execute(statement, workspace_id, ids)
    free = [row["id"] for row in await connection.fetch(_FILES, workspace_id, files)] if files else []
    if free:
        await delete_files_later(connection, workspace_id, free, timedelta(seconds=1))
