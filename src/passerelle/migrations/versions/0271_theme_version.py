"""Whoever changes a theme learns that somebody else has, meanwhile."""

from __future__ import annotations

from alembic import op

revision = "0271_theme_version"
down_revision = "0270_started_by"


def upgrade() -> None:
    op.execute("ALTER TABLE theme ADD COLUMN version integer NOT NULL DEFAULT 1")
