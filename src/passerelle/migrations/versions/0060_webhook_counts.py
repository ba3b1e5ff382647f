"""What tells an operator that webhooks are not being sent: also where nothing makes deliveries of the events."""

from __future__ import annotations

from alembic import op

from passerelle.migrations.order import before

revision = "0060"
down_revision = before(revision)


def upgrade() -> None:
    # Without a worker events do not become deliveries, so those are looked for as well: the first behind each cursor.
    # What waits for an endpoint that fails or is slow to fail is that endpoint's affair, and counted with it.
    op.execute(
        """
        CREATE OR REPLACE FUNCTION webhook_counts(moment timestamptz)
        RETURNS TABLE (pending bigint, overdue_seconds double precision, failing bigint, disabled bigint,
                       succeeded bigint, failed bigint)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
            SELECT coalesce(sum(p.pending), 0)::bigint,
                   greatest(coalesce(extract(epoch FROM moment - least(min(p.due), min(u.since))), 0), 0)
                       ::double precision,
                   count(*) FILTER (WHERE e.failing_since IS NOT NULL AND e.status = 'ACTIVE'),
                   count(*) FILTER (WHERE e.status = 'DISABLED'),
                   coalesce(sum(t.succeeded), 0)::bigint, coalesce(sum(t.failed), 0)::bigint
            FROM webhook_endpoint e LEFT JOIN webhook_tally t ON t.endpoint_id = e.id
            CROSS JOIN LATERAL (
                SELECT count(*) AS pending,
                       min(d.next_attempt_at) FILTER (WHERE e.status = 'ACTIVE' AND e.failing_since IS NULL) AS due
                FROM webhook_delivery d WHERE d.endpoint_id = e.id AND d.status = 'PENDING'
            ) p
            LEFT JOIN LATERAL (
                SELECT v.created_at AS since
                FROM webhook_cursor c JOIN event v
                  ON v.workspace_id = e.workspace_id AND (v.transaction, v.id) > (c.transaction, c.event_id)
                WHERE c.endpoint_id = e.id AND e.status = 'ACTIVE'
                ORDER BY v.transaction, v.id LIMIT 1
            ) u ON true
        $$
        """
    )
