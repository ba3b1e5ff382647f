"""How long a workspace keeps what, and what a legal hold keeps in any case."""

from __future__ import annotations

from alembic import op

from passerelle.migrations.tenancy import isolate

revision = "0250_retention"
down_revision = "0213_processes"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE retention_rule (
            workspace_id uuid NOT NULL REFERENCES workspace,
            kind         text NOT NULL,
            keep         interval CHECK (keep > interval '0'),
            updated_at   timestamptz NOT NULL,
            PRIMARY KEY (workspace_id, kind)
        )
        """
    )
    op.execute("COMMENT ON COLUMN retention_rule.keep IS 'null: for good; without a row: as the installation says'")
    op.execute(
        """
        CREATE TABLE legal_hold (
            workspace_id uuid NOT NULL REFERENCES workspace,
            id           uuid NOT NULL,
            kind         text NOT NULL CHECK (kind IN ('workspace', 'record', 'execution')),
            object_id    uuid NOT NULL,
            reason       text NOT NULL,
            placed_at    timestamptz NOT NULL,
            placed_by    text NOT NULL,
            released_at  timestamptz,
            released_by  text,
            PRIMARY KEY (workspace_id, id)
        )
        """
    )
    op.execute("COMMENT ON COLUMN legal_hold.object_id IS 'of the whole workspace: its id'")
    op.execute(
        "CREATE UNIQUE INDEX legal_hold_open ON legal_hold (workspace_id, kind, object_id) WHERE released_at IS NULL"
    )
    isolate("retention_rule", "legal_hold")
