"""What goes of webhooks when a record is erased: what receivers answered. Deliveries themselves hold no values."""

from __future__ import annotations

from typing import Final

from passerelle.kit.database import Connection
from passerelle.records.erasing import Erased, Subject, rows_of

_ANSWERS: Final = """
    UPDATE webhook_attempt a SET response_body = NULL, response_headers = NULL, error = NULL
    FROM webhook_delivery d
    WHERE a.workspace_id = $1 AND d.workspace_id = $1 AND a.delivery_id = d.id
      AND (d.execution_id = ANY($2) OR d.event_id IN (
          SELECT id FROM event WHERE workspace_id = $1 AND data->>'recordId' = ANY($3)))
"""


async def erase_answers(connection: Connection, subject: Subject) -> Erased:
    """Empty what receivers answered to events of the record and of its executions."""
    records = [str(record_id) for record_id in subject.records]
    done = await connection.execute(_ANSWERS, subject.workspace_id, list(subject.executions), records)
    return Erased({"webhookAnswers": rows_of(done)})
