"""Found among millions: executions by the step they rest or failed at, by what they wait for and by their error, and
the deliveries that failed.

Almost all executions rest at one step, which is the first of `waiting_for`; those that rest at several have an index of
their own.
"""

from __future__ import annotations

from passerelle.migrations.online import index

revision = "0291_found_among_millions"
down_revision = "0290_searched_columns"


def upgrade() -> None:
    index("execution_at_step", "execution (workspace_id, waiting_step, id) WHERE waiting_step IS NOT NULL")
    index("execution_waiting_for", "execution (workspace_id, waiting_kind, id) WHERE waiting_kind IS NOT NULL")
    index("execution_at_several", "execution (workspace_id, id) WHERE waiting_several")
    index("execution_failed_at", "execution (workspace_id, failed_step, id) WHERE failed_step IS NOT NULL")
    index("webhook_delivery_failed", "webhook_delivery (workspace_id, id) WHERE status = 'FAILED'")
    index("execution_by_error", "execution (workspace_id, error_code, id) WHERE error_code IS NOT NULL")
