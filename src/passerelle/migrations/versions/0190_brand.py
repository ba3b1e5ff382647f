"""A workspace has a brand: whom its messages come from, its notices, and files besides the logo."""

from __future__ import annotations

from alembic import op

from passerelle.migrations.tenancy import isolate

revision = "0190_brand"
down_revision = "0180_shown_files"


def upgrade() -> None:
    op.execute("ALTER TABLE theme ADD COLUMN brand jsonb NOT NULL DEFAULT '{}'")
    op.execute(
        "CREATE TABLE theme_file (workspace_id uuid NOT NULL, role text NOT NULL, digest text NOT NULL, "
        "kind text NOT NULL, width integer NOT NULL, height integer NOT NULL, content bytea NOT NULL, "
        "PRIMARY KEY (workspace_id, role))"
    )
    isolate("theme_file")
