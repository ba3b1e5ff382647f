"""Saved views: pages of the dashboard with what they are narrowed to, for oneself or for a whole workspace."""

from __future__ import annotations

from alembic import op

from passerelle.migrations.tenancy import isolate

revision = "0141_saved_views"
down_revision = "0140_quotas"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE saved_view (
            workspace_id uuid NOT NULL,
            id           uuid NOT NULL,
            page         text NOT NULL,
            name         text NOT NULL,
            search       jsonb NOT NULL,
            shared       boolean NOT NULL,
            owner_id     uuid NOT NULL,
            owner_name   text NOT NULL,
            version      integer NOT NULL,
            created_at   timestamptz NOT NULL,
            updated_at   timestamptz NOT NULL,
            PRIMARY KEY (workspace_id, id)
        )
        """
    )
    op.execute("CREATE INDEX saved_view_of_page ON saved_view (workspace_id, page)")
    isolate("saved_view")
