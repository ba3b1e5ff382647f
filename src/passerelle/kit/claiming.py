"""Which jobs a worker takes next: round by round over the workspaces, whoever wrote more or came first.

A job that has waited for somebody else's answer for a second (`outside`) holds no place. PgQueuer's own order is by
age: a workspace that writes ten thousand jobs would be served ten thousand times before another's first.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

FLOOD: Final = 256
"""Jobs that are due at once from which on they are looked up workspace by workspace."""
CEILING: Final = 100_000
"""Jobs of one workspace that are under way at once, in all workers, where nothing else was said."""


def claim(
    batch: int,
    entrypoints: list[str],
    manager: UUID,
    most: int | None,
    silent: timedelta,
    ceiling: int = CEILING,
) -> tuple[str, list[Any]]:
    """The statement that takes at most `batch` jobs for a worker, and its arguments.

    most     jobs that the worker may have under way in all
    silent   how long a job's process may have been silent before it is taken over
    ceiling  jobs of one workspace that may be under way, unless `workspace_turns` says otherwise of it
    """
    return _CLAIM, [
        batch,
        entrypoints,
        manager,
        silent,
        most if most is not None else 100_000,
        ceiling,
        FLOOD,
    ]


_CLAIM: Final = """
    WITH RECURSIVE stale AS MATERIALIZED (
        SELECT id FROM pgqueuer
        WHERE status = 'picked' AND entrypoint = ANY($2) AND heartbeat < now() - $4::interval
        ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED
    ), room AS MATERIALIZED (
        SELECT greatest(least($1::bigint, $5::bigint - count(*)), 0) AS places FROM pgqueuer
        WHERE queue_manager_id = $3 AND status = 'picked' AND NOT outside
    ), taken AS MATERIALIZED (
        SELECT share, count(*) AS jobs FROM pgqueuer WHERE status = 'picked' AND NOT outside
        GROUP BY share
    ), early AS MATERIALIZED (
        SELECT id, share, execute_after FROM pgqueuer
        WHERE status = 'queued' AND execute_after <= now() AND entrypoint = ANY($2)
        ORDER BY execute_after LIMIT $7
    ), named AS (
        (SELECT share FROM pgqueuer WHERE status = 'queued' AND (SELECT count(*) FROM early) >= $7
         ORDER BY share LIMIT 1)
        UNION ALL
        SELECT (SELECT other.share FROM pgqueuer other WHERE other.status = 'queued' AND other.share > named.share
                ORDER BY other.share LIMIT 1)
        FROM named WHERE named.share IS NOT NULL
    ), due AS (
        SELECT id, share, execute_after FROM early
        UNION
        SELECT first.id, first.share, first.execute_after FROM named CROSS JOIN LATERAL (
            SELECT id, share, execute_after FROM pgqueuer
            WHERE status = 'queued' AND share = named.share AND execute_after <= now() AND entrypoint = ANY($2)
            ORDER BY execute_after LIMIT 2 * $1
        ) first WHERE named.share IS NOT NULL
    ), ordered AS (
        SELECT due.id, due.execute_after, coalesce(turns.weight, 1) AS weight, coalesce(turns.jobs, $6) AS most,
            coalesce(taken.jobs, 0) + row_number() OVER (PARTITION BY due.share ORDER BY due.execute_after, due.id)
                AS turn
        FROM due LEFT JOIN taken USING (share)
        LEFT JOIN workspace_turns() turns USING (share)
    ), chosen AS MATERIALIZED (
        SELECT id, turn / weight AS turn, execute_after FROM ordered WHERE turn <= most
        ORDER BY 2, 3 LIMIT 4 * (SELECT places FROM room)
    ), fresh AS MATERIALIZED (
        SELECT job.id FROM chosen JOIN pgqueuer job USING (id) WHERE job.status = 'queued'
        ORDER BY chosen.turn, chosen.execute_after LIMIT (SELECT places FROM room) FOR UPDATE OF job SKIP LOCKED
    )
    UPDATE pgqueuer job SET status = 'picked', updated = now(), heartbeat = now(), queue_manager_id = $3,
        outside = false, lost = lost + CASE WHEN status = 'picked' THEN 1 ELSE 0 END
    WHERE id IN (SELECT id FROM fresh UNION ALL (SELECT id FROM stale LIMIT (SELECT places FROM room)))
    RETURNING *
"""
