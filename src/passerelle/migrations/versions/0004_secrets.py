"""A workspace's secrets, encrypted."""

from __future__ import annotations

from alembic import op

from passerelle.migrations.order import before
from passerelle.migrations.tenancy import isolate

revision = "0004"
down_revision = before(revision)


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE workspace_secret (
            workspace_id uuid NOT NULL REFERENCES workspace,
            name         text NOT NULL CHECK (name ~ '^[A-Z][A-Z0-9_]{0,63}$'),
            value        bytea NOT NULL,
            version      integer NOT NULL DEFAULT 1,
            updated_at   timestamptz NOT NULL,
            updated_by   text NOT NULL,
            PRIMARY KEY (workspace_id, name)
        )
        """
    )
    op.execute("COMMENT ON COLUMN workspace_secret.value IS 'encrypted with PASSERELLE_SECRET_KEY'")
    isolate("workspace_secret")
