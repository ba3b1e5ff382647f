"""Jobs know whose they are, so that workspaces take turns, and how often a process died with them."""

from __future__ import annotations

from alembic import op

revision = "0100_fair_jobs"
down_revision = "0120_people"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE pgqueuer ADD COLUMN share uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000', "
        "ADD COLUMN lost smallint NOT NULL DEFAULT 0, ADD COLUMN lost_at bigint"
    )
    # The queue is short: what is done is no longer in it.
    op.execute("CREATE INDEX jobs_by_share ON pgqueuer (share, execute_after) WHERE status = 'queued'")
    op.execute("CREATE INDEX jobs_by_time ON pgqueuer (execute_after) WHERE status = 'queued'")
