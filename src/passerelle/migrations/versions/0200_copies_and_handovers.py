"""Copies of terms by e-mail, and steps that are done on another device."""

from __future__ import annotations

from alembic import op

from passerelle.migrations.tenancy import isolate

revision = "0200_copies_and_handovers"
down_revision = "0192_publication_notes"


def upgrade() -> None:
    op.execute("ALTER TABLE link_email DROP CONSTRAINT link_email_kind_check")
    op.execute(
        "ALTER TABLE link_email ADD CONSTRAINT link_email_kind_check CHECK (kind IN ('link', 'code', 'copy')) NOT VALID"
    )
    op.execute("ALTER TABLE link_email ADD COLUMN content jsonb")
    op.execute("COMMENT ON COLUMN link_email.content IS 'of a copy, until it was sent'")
    op.execute(
        """
        CREATE TABLE handover (
            workspace_id uuid NOT NULL REFERENCES workspace,
            id           uuid NOT NULL,
            execution_id uuid NOT NULL,
            step         text NOT NULL,
            step_visit   integer NOT NULL,
            salt         bytea NOT NULL,
            secret_hash  bytea NOT NULL UNIQUE,
            session_hash bytea NOT NULL UNIQUE,
            created_at   timestamptz NOT NULL,
            expires_at   timestamptz NOT NULL,
            taken_at     timestamptz,
            ends_at      timestamptz NOT NULL,
            PRIMARY KEY (workspace_id, id),
            UNIQUE (workspace_id, execution_id),
            FOREIGN KEY (workspace_id, execution_id) REFERENCES execution
        )
        """
    )
    op.execute("COMMENT ON TABLE handover IS 'one step of an execution, lent to another device for a short time'")
    op.execute("COMMENT ON COLUMN handover.expires_at IS 'until when the code that is shown can be used'")
    op.execute("COMMENT ON COLUMN handover.ends_at IS 'until when the other device may go on'")
    op.execute("CREATE INDEX handover_age ON handover (ends_at)")
    isolate("handover")
