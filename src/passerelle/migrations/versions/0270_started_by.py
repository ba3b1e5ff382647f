"""Who asked for an execution."""

from __future__ import annotations

from alembic import op

revision = "0270_started_by"
down_revision = "0251_archives"


def upgrade() -> None:
    op.execute("ALTER TABLE execution ADD COLUMN started_by jsonb")
