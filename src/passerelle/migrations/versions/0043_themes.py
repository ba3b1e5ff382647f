"""How each workspace looks to its end users, and which sites may show its pages."""

from __future__ import annotations

from alembic import op

from passerelle.migrations.order import before
from passerelle.migrations.tenancy import isolate

revision = "0043"
down_revision = before(revision)


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE theme (
            workspace_id     uuid PRIMARY KEY REFERENCES workspace,
            name             text,
            font             text NOT NULL,
            colours          jsonb NOT NULL,
            allowed_origins  text[] NOT NULL,
            redirect_targets text[] NOT NULL,
            logo             bytea,
            logo_digest      text,
            logo_kind        text CHECK (logo_kind IN ('png', 'jpeg', 'webp')),
            logo_width       integer,
            logo_height      integer,
            updated_at       timestamptz NOT NULL,
            updated_by       text NOT NULL
        )
        """
    )
    op.execute("COMMENT ON COLUMN theme.colours IS 'as given, by scheme; the rest is derived'")
    isolate("theme")
