"""What people write about executions."""

from __future__ import annotations

from alembic import op

from passerelle.migrations.tenancy import isolate

revision = "0191_execution_comments"
down_revision = "0181_loosened_reviews"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE execution_comment (
            workspace_id uuid NOT NULL REFERENCES workspace,
            id           uuid NOT NULL,
            execution_id uuid NOT NULL,
            text         text NOT NULL,
            by           text NOT NULL,
            at           timestamptz NOT NULL,
            PRIMARY KEY (workspace_id, id),
            FOREIGN KEY (workspace_id, execution_id) REFERENCES execution
        )
        """
    )
    op.execute("CREATE INDEX execution_comment_by_execution ON execution_comment (workspace_id, execution_id, id)")
    isolate("execution_comment")
