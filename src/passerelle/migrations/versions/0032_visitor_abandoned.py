"""Finding the files that end users sent and never submitted."""

from __future__ import annotations

from passerelle.migrations.order import before
from passerelle.migrations.tenancy import door

revision = "0032"
down_revision = before(revision)


def upgrade() -> None:
    door(
        "abandoned_visitor_files(at_most integer)",
        "TABLE (workspace_id uuid, resource_id uuid)",
        """
        SELECT v.workspace_id, v.resource_id FROM visitor_file v
        JOIN execution e ON e.workspace_id = v.workspace_id AND e.id = v.execution_id
        WHERE e.status IN ('COMPLETED', 'EXPIRED', 'CANCELLED')
          AND NOT EXISTS (SELECT FROM step_run r WHERE r.execution_id = v.execution_id AND r.step = v.step
                          AND r.workspace_id = v.workspace_id AND r.status = 'COMPLETED'
                          AND r.output -> 'files' @> jsonb_build_array(jsonb_build_object('resourceId', v.resource_id)))
        LIMIT at_most
        """,
    )
