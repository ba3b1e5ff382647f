"""Executions that steps of other executions start."""

from __future__ import annotations

from alembic import op

from passerelle.migrations.order import before
from passerelle.migrations.tenancy import door

revision = "0010"
down_revision = before(revision)


def upgrade() -> None:
    # `untold`: it has ended or failed, and the parent has not heard of it yet; a job stands for that.
    op.execute(
        """
        ALTER TABLE execution
            ADD COLUMN parent_id   uuid,
            ADD COLUMN parent_step text,
            ADD COLUMN depth       integer NOT NULL DEFAULT 0,
            ADD COLUMN untold      boolean NOT NULL DEFAULT false
        """
    )
    op.execute(
        "CREATE INDEX execution_by_parent ON execution (workspace_id, parent_id, id) WHERE parent_id IS NOT NULL"
    )
    op.execute("CREATE INDEX execution_untold ON execution (updated_at) WHERE untold")
    op.execute(
        "CREATE INDEX execution_open_child ON execution (created_at) "
        "WHERE parent_id IS NOT NULL AND status IN ('RUNNING', 'AWAITING')"
    )
    # Either the parent was not told of the end, or the child goes on and nobody waits for it.
    door(
        "stranded_children(older_than interval, at_most integer)",
        "TABLE (workspace_id uuid, id uuid, untold boolean)",
        """
        (SELECT e.workspace_id, e.id, true FROM execution e
         WHERE e.untold AND e.updated_at < now() - older_than
         ORDER BY e.updated_at LIMIT at_most)
        UNION ALL
        (SELECT e.workspace_id, e.id, false FROM execution e
         JOIN execution p ON p.workspace_id = e.workspace_id AND p.id = e.parent_id
         WHERE e.parent_id IS NOT NULL AND e.status IN ('RUNNING', 'AWAITING')
           AND p.updated_at < now() - older_than AND strpos(p.state::text, e.id::text) = 0
         ORDER BY e.created_at LIMIT at_most)
        """,
    )
