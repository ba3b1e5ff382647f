"""What goes of links when a record is erased: the address that they were sent to."""

from __future__ import annotations

from typing import Final

from passerelle.kit.database import Connection
from passerelle.records.erasing import Erased, Subject, rows_of

_LINKS: Final = """
    UPDATE link SET email = NULL
    WHERE workspace_id = $1 AND (execution_id = ANY($2) OR record_id = ANY($3)) AND email IS NOT NULL
"""
_EMAILS: Final = """
    UPDATE link_email e SET error = NULL, content = NULL FROM link l
    WHERE e.workspace_id = $1 AND l.workspace_id = $1 AND e.link_id = l.id
      AND (l.execution_id = ANY($2) OR l.record_id = ANY($3)) AND (e.error IS NOT NULL OR e.content IS NOT NULL)
"""


async def erase_addresses(connection: Connection, subject: Subject) -> Erased:
    """Forget whom links were sent to."""
    about = (subject.workspace_id, list(subject.executions), list(subject.records))
    await connection.execute(_EMAILS, *about)
    return Erased({"links": rows_of(await connection.execute(_LINKS, *about))})
