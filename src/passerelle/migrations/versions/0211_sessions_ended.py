"""When all sessions of a user were ended: what a session elsewhere had proved about them is over, too."""

from __future__ import annotations

from alembic import op

revision = "0211_sessions_ended"
down_revision = "0210_publishing"


def upgrade() -> None:
    op.execute("ALTER TABLE app_user ADD COLUMN sessions_ended_at timestamptz")
