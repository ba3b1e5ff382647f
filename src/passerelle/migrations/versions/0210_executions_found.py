"""Indexes for the lists and counts of executions that people narrow: the rare ones among a million that completed."""

from __future__ import annotations

from passerelle.migrations.online import index

revision = "0210_executions_found"
down_revision = "0201_proof_by_code"


def upgrade() -> None:
    # Not by the code itself: row-level security keeps what is inside of JSON from any index.
    index("execution_with_error", "execution (workspace_id, id) WHERE error IS NOT NULL")
    index("execution_by_revision", "execution (workspace_id, revision_id, id)")
    index("execution_ended_early", "execution (workspace_id, status, id) WHERE status IN ('EXPIRED', 'CANCELLED')")
    index("execution_not_completed", "execution (workspace_id, definition_id, status, id) WHERE status <> 'COMPLETED'")
