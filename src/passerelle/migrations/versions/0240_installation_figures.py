"""Figures of the whole installation are counted by one process, so that a scrape counts nothing."""

from __future__ import annotations

from alembic import op

from passerelle.kit.connections import APP_ROLE

revision = "0240_installation_figures"
down_revision = "0220_definition_drafts"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE installation_figures (
            id         integer PRIMARY KEY CHECK (id = 1),
            counted_at timestamptz NOT NULL,
            figures    jsonb NOT NULL
        )
        """
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON installation_figures TO {APP_ROLE}")
