"""Retrying and cancelling many executions is a job: how far it has come, and what became of each."""

from __future__ import annotations

from alembic import op

from passerelle.migrations.tenancy import isolate

revision = "0272_operations"
down_revision = "0271_theme_version"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE execution_operation (
            workspace_id uuid NOT NULL,
            id           uuid NOT NULL,
            action       text NOT NULL CHECK (action IN ('retry', 'cancel')),
            executions   uuid[],
            filters      jsonb NOT NULL,
            dry_run      boolean NOT NULL,
            reason       text,
            definition   text NOT NULL CHECK (definition IN ('original', 'latest')),
            status       text NOT NULL CHECK (status IN ('RUNNING', 'DONE', 'STOPPED')),
            position     uuid,
            total        integer NOT NULL,
            total_exact  boolean NOT NULL,
            looked_at    integer NOT NULL,
            created_at   timestamptz NOT NULL,
            created_by   jsonb NOT NULL,
            completed_at timestamptz,
            PRIMARY KEY (workspace_id, id)
        )
        """
    )
    op.execute("CREATE INDEX execution_operation_made ON execution_operation (created_at)")
    op.execute(
        """
        CREATE TABLE execution_operation_result (
            workspace_id uuid NOT NULL,
            operation_id uuid NOT NULL,
            execution_id uuid NOT NULL,
            name         text,
            outcome      text NOT NULL CHECK (outcome IN ('done', 'possible', 'refused')),
            step         text,
            code         text,
            message      text,
            PRIMARY KEY (workspace_id, operation_id, execution_id),
            FOREIGN KEY (workspace_id, operation_id) REFERENCES execution_operation ON DELETE CASCADE
        )
        """
    )
    isolate("execution_operation", "execution_operation_result")
