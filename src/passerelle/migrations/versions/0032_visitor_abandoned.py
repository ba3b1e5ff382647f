"""Files of executions that are over: which ones the end user sent and never submitted."""

from __future__ import annotations

from passerelle.migrations.order import before
from passerelle.migrations.tenancy import door

revision = "0032"
down_revision = before(revision)


def upgrade() -> None:
    # What was submitted is in the step's output from then on: its row goes, so that the table stays small and every
    # file is looked at once. The rows of the others go with their files, so that a crash in between loses none.
    door(
        "settle_visitor_files(at_most integer)",
        "TABLE (workspace_id uuid, resource_id uuid)",
        """
        WITH over AS MATERIALIZED (
            SELECT v.*, EXISTS (
                SELECT FROM step_run r
                WHERE r.workspace_id = v.workspace_id AND r.execution_id = v.execution_id AND r.step = v.step
                  AND r.status = 'COMPLETED'
                  AND r.output -> 'files' @> jsonb_build_array(jsonb_build_object('resourceId', v.resource_id))
            ) AS submitted
            FROM visitor_file v JOIN execution e ON e.workspace_id = v.workspace_id AND e.id = v.execution_id
            WHERE e.status IN ('COMPLETED', 'EXPIRED', 'CANCELLED')
            LIMIT at_most
        ), settled AS (
            DELETE FROM visitor_file v USING over o
            WHERE o.submitted AND v.workspace_id = o.workspace_id AND v.execution_id = o.execution_id
              AND v.step = o.step AND v.resource_id = o.resource_id
        )
        SELECT o.workspace_id, o.resource_id FROM over o WHERE NOT o.submitted
        """,
        changes=True,
    )
