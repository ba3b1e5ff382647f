"""Indexes that find executions which nobody has begun, and whose link has ended."""

from __future__ import annotations

from passerelle.migrations.online import index

revision = "0130_unused_executions"
down_revision = "0100_fair_jobs"


def upgrade() -> None:
    index("visit_by_execution", "visit (workspace_id, execution_id)")
    index(
        "link_ended_unused",
        "link (greatest(superseded_at, deleted_at)) "
        "WHERE activated_at IS NULL AND greatest(superseded_at, deleted_at) IS NOT NULL",
    )
