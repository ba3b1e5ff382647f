"""What an end user has typed and sent but not submitted yet, and word of every change that they may see."""

from __future__ import annotations

from alembic import op

from passerelle.migrations.order import before
from passerelle.migrations.tenancy import door, isolate

revision = "0030"
down_revision = before(revision)


def upgrade() -> None:
    # Outside of the execution's own row: typing must never get in the way of the engine.
    op.execute(
        """
        CREATE TABLE visitor_draft (
            workspace_id uuid NOT NULL,
            execution_id uuid NOT NULL,
            step         text NOT NULL,
            visit        integer NOT NULL,
            fields       jsonb NOT NULL,
            updated_at   timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (workspace_id, execution_id, step, visit)
        )
        """
    )
    op.execute("CREATE INDEX visitor_draft_age ON visitor_draft (updated_at)")
    op.execute(
        """
        CREATE TABLE visitor_file (
            workspace_id uuid NOT NULL,
            execution_id uuid NOT NULL,
            step         text NOT NULL,
            resource_id  uuid NOT NULL,
            created_at   timestamptz NOT NULL,
            PRIMARY KEY (workspace_id, execution_id, step, resource_id),
            FOREIGN KEY (workspace_id, resource_id) REFERENCES resource ON DELETE CASCADE
        )
        """
    )
    op.execute("CREATE INDEX visitor_file_resource ON visitor_file (workspace_id, resource_id)")
    isolate("visitor_draft", "visitor_file")
    _forgetting()
    _telling()


def _forgetting() -> None:
    op.execute(
        """
        CREATE FUNCTION drop_visitor_drafts() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            DELETE FROM visitor_draft WHERE workspace_id = NEW.workspace_id AND execution_id = NEW.id;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER drop_visitor_drafts AFTER UPDATE OF status ON execution FOR EACH ROW
        WHEN (NEW.execution_type = 'INTERACTIVE' AND NEW.status IN ('COMPLETED', 'EXPIRED', 'CANCELLED'))
        EXECUTE FUNCTION drop_visitor_drafts()
        """
    )
    door(
        "forget_visitor_drafts(before timestamptz, at_most integer)",
        "bigint",
        """
        WITH old AS (
            DELETE FROM visitor_draft WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM visitor_draft WHERE updated_at < before LIMIT at_most FOR UPDATE SKIP LOCKED
            ))
            RETURNING 1
        )
        SELECT count(*) FROM old
        """,
        changes=True,
    )


def _telling() -> None:
    op.execute(
        """
        CREATE FUNCTION tell_visitors() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_notify('passerelle_visitors', NEW.id || ' ' || NEW.seq);
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER tell_visitors AFTER UPDATE OF seq ON execution FOR EACH ROW
        WHEN (NEW.execution_type = 'INTERACTIVE') EXECUTE FUNCTION tell_visitors()
        """
    )
