-- The advisory lock of whoever makes deliveries, and of whoever may have no more of them made.
CREATE OR REPLACE FUNCTION dispatch_turn() RETURNS integer
LANGUAGE sql IMMUTABLE SET search_path = public, pg_temp AS $$
    SELECT hashtext('passerelle.webhooks.dispatch')
$$;

-- One process at a time turns events into deliveries; whoever comes second has nothing to do. The cursor moves
-- only from where it was read: somebody may have set it back meanwhile, to have events delivered again.
-- A test message is for the endpoint that was asked to show one.
CREATE OR REPLACE FUNCTION dispatch_events(moment timestamptz, at_most integer)
RETURNS TABLE (seen bigint, active bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off AS $$
BEGIN
    IF NOT pg_try_advisory_xact_lock(dispatch_turn()) THEN
        RETURN QUERY SELECT 0::bigint, 1::bigint;
        RETURN;
    END IF;
    RETURN QUERY
    WITH found AS MATERIALIZED (
        SELECT e.id AS endpoint_id, e.workspace_id, ev.transaction, ev.id AS event_id, ev.type,
               ev.execution_id, c.transaction AS was_transaction, c.event_id AS was_event,
               ev.type <> 'webhook.test' AND (
                   e.events = '{}' AND ev.type <> 'audit.written' AND ev.type NOT LIKE 'draft.%'
                   OR ev.type = ANY (e.events) OR split_part(ev.type, '.', 1) || '.*' = ANY (e.events)
               ) AS wanted
        FROM webhook_endpoint e
        JOIN webhook_cursor c ON c.workspace_id = e.workspace_id AND c.endpoint_id = e.id
        CROSS JOIN LATERAL (
            SELECT v.* FROM event v
            WHERE v.workspace_id = e.workspace_id
              AND (v.transaction, v.id) > (c.transaction, c.event_id)
              AND v.transaction < pg_snapshot_xmin(pg_current_snapshot())
            ORDER BY v.transaction, v.id
            LIMIT at_most
        ) ev
        WHERE e.status = 'ACTIVE'
    ), written AS (
        INSERT INTO webhook_delivery (workspace_id, id, endpoint_id, transaction, event_id, event_type,
                                      execution_id, next_attempt_at, created_at)
        SELECT f.workspace_id, time_ordered_id(), f.endpoint_id, f.transaction, f.event_id, f.type,
               f.execution_id, moment, moment
        FROM found f WHERE f.wanted
        ORDER BY f.transaction, f.event_id
        ON CONFLICT (workspace_id, endpoint_id, event_id) DO UPDATE
        SET status = 'PENDING', tries = 0, next_attempt_at = excluded.next_attempt_at, claim = NULL
        WHERE webhook_delivery.status = 'FAILED'
    ), moved AS (
        UPDATE webhook_cursor c SET transaction = last.transaction, event_id = last.event_id
        FROM (
            SELECT DISTINCT ON (f.workspace_id, f.endpoint_id) f.* FROM found f
            ORDER BY f.workspace_id, f.endpoint_id, f.transaction DESC, f.event_id DESC
        ) last
        WHERE c.workspace_id = last.workspace_id AND c.endpoint_id = last.endpoint_id
          AND c.transaction = last.was_transaction AND c.event_id = last.was_event
    )
    SELECT (SELECT count(*) FROM found),
           (SELECT count(*) FROM webhook_endpoint e WHERE e.status = 'ACTIVE');
END
$$;

-- Workspaces take turns, whoever has more endpoints: the first of each, then the second, behind what each has under way.
-- Each endpoint gives at most its free places, so that none can take what the others need. A delivery waits
-- while an earlier one of the same execution to the same endpoint is in its first tries (QUICK_TRIES of
-- `passerelle.webhooks.schedule`). That is asked row by row (LIMIT): as an anti-join it was planned as a loop over all
-- that is pending. Its plan must not be one that was made while tables were small: hence the settings.
CREATE OR REPLACE FUNCTION claim_deliveries(
    moment timestamptz, busy uuid[], busy_with integer[], places integer, places_of_failing integer, at_most integer,
    new_claim uuid, until timestamptz
)
RETURNS TABLE (
    workspace_id uuid, id uuid, endpoint_id uuid, tries integer, url text, api_version integer, secret bytea,
    old_secret bytea, headers bytea, fields text[], pii text[], event_id uuid, type text, data jsonb,
    created_at timestamptz
)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off AS $$
    WITH free AS MATERIALIZED (
        SELECT e.*, CASE WHEN e.failing_since IS NULL THEN places ELSE places_of_failing END
                    - coalesce(b.busy_with, 0) AS places
        FROM webhook_endpoint e LEFT JOIN unnest(busy, busy_with) AS b(id, busy_with) ON b.id = e.id
        WHERE e.status = 'ACTIVE'
        ORDER BY sum(coalesce(b.busy_with, 0)) OVER (PARTITION BY e.workspace_id) / places::numeric
                 + row_number() OVER (PARTITION BY e.workspace_id ORDER BY random()), random()
    ), due AS MATERIALIZED (
        SELECT d.* FROM free
        CROSS JOIN LATERAL (
            SELECT d.workspace_id, d.id FROM webhook_delivery d
            WHERE d.workspace_id = free.workspace_id AND d.endpoint_id = free.id
              AND d.status = 'PENDING' AND d.next_attempt_at <= moment
              AND (
                  SELECT p.id FROM webhook_delivery p
                  WHERE p.workspace_id = d.workspace_id AND p.endpoint_id = d.endpoint_id
                    AND p.execution_id = d.execution_id
                    AND p.status = 'PENDING' AND p.tries < 6
                    AND (p.transaction, p.event_id) < (d.transaction, d.event_id)
                  LIMIT 1
              ) IS NULL
            ORDER BY d.next_attempt_at, d.transaction, d.event_id
            LIMIT greatest(free.places, 0)
            FOR UPDATE SKIP LOCKED
        ) d
        LIMIT at_most
    ), claimed AS (
        UPDATE webhook_delivery d SET claim = new_claim, next_attempt_at = until
        FROM due WHERE d.workspace_id = due.workspace_id AND d.id = due.id
        RETURNING d.*
    )
    SELECT c.workspace_id, c.id, c.endpoint_id, c.tries, free.url, free.api_version, free.secret,
           CASE WHEN free.old_until > moment THEN free.old_secret END, free.headers,
           free.fields, free.pii, ev.id, ev.type, ev.data, ev.created_at
    FROM claimed c
    JOIN free ON free.workspace_id = c.workspace_id AND free.id = c.endpoint_id
    JOIN event ev ON ev.workspace_id = c.workspace_id AND ev.transaction = c.transaction AND ev.id = c.event_id
    ORDER BY c.transaction, ev.id
$$;

-- An answer that says yes counts however late it comes. One that says no counts only for whoever still holds the
-- delivery: another process may have taken it over, or somebody may have asked for it again.
CREATE OR REPLACE FUNCTION record_attempts(moment timestamptz, outcomes jsonb) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off AS $$
    WITH o AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(outcomes) AS o(
            workspace_id uuid, id uuid, endpoint_id uuid, claim uuid, delivered boolean,
            next_attempt_at timestamptz, started_at timestamptz, duration_ms integer, response_status integer,
            response_headers jsonb, response_body text, error text)
    ), d AS (
        UPDATE webhook_delivery d SET
            attempts = d.attempts + 1,
            status = CASE WHEN o.delivered THEN 'DELIVERED'
                          WHEN d.claim = o.claim AND o.next_attempt_at IS NULL THEN 'FAILED'
                          ELSE d.status END,
            delivered_at = CASE WHEN o.delivered THEN moment ELSE d.delivered_at END,
            tries = CASE WHEN d.claim = o.claim THEN d.tries + 1 ELSE d.tries END,
            next_attempt_at = CASE WHEN d.claim = o.claim AND NOT o.delivered
                                   THEN coalesce(o.next_attempt_at, moment) ELSE d.next_attempt_at END,
            claim = CASE WHEN d.claim = o.claim THEN NULL ELSE d.claim END
        FROM o WHERE d.workspace_id = o.workspace_id AND d.id = o.id
        RETURNING d.workspace_id, d.id, d.attempts
    ), a AS (
        INSERT INTO webhook_attempt (workspace_id, delivery_id, number, started_at, duration_ms, response_status,
                                     response_headers, response_body, error)
        SELECT o.workspace_id, o.id, d.attempts, o.started_at, o.duration_ms, o.response_status,
               o.response_headers, o.response_body, o.error
        FROM d JOIN o ON o.workspace_id = d.workspace_id AND o.id = d.id
    ), counted AS (
        INSERT INTO webhook_tally AS t (workspace_id, endpoint_id, succeeded, failed)
        SELECT o.workspace_id, o.endpoint_id, count(*) FILTER (WHERE o.delivered),
               count(*) FILTER (WHERE NOT o.delivered)
        FROM o JOIN webhook_endpoint e ON e.workspace_id = o.workspace_id AND e.id = o.endpoint_id
        GROUP BY 1, 2 ORDER BY 1, 2 -- the same order in every process: none waits for another in a circle
        ON CONFLICT (workspace_id, endpoint_id) DO UPDATE
        SET succeeded = t.succeeded + excluded.succeeded, failed = t.failed + excluded.failed
    )
    UPDATE webhook_endpoint e
    SET failing_since = CASE WHEN s.well THEN NULL ELSE moment END
    FROM (
        SELECT o.workspace_id, o.endpoint_id, bool_or(o.delivered) AS well FROM o GROUP BY o.workspace_id, o.endpoint_id
    ) s
    WHERE e.workspace_id = s.workspace_id AND e.id = s.endpoint_id AND (e.failing_since IS NOT NULL) = s.well
$$;

CREATE OR REPLACE FUNCTION release_deliveries(moment timestamptz, held uuid[]) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE webhook_delivery SET claim = NULL, next_attempt_at = moment WHERE claim = ANY (held) AND status = 'PENDING'
$$;

CREATE OR REPLACE FUNCTION endpoints_failing_since(before timestamptz) RETURNS TABLE (workspace_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT workspace_id, id FROM webhook_endpoint WHERE status = 'ACTIVE' AND failing_since <= before
$$;

-- Read in the order of the key, which is that of time: no index by age is needed. As `forget_events`, not of all.
CREATE OR REPLACE FUNCTION forget_deliveries(before timestamptz, at_most integer) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH old AS MATERIALIZED (
        SELECT d.* FROM workspace w CROSS JOIN LATERAL (
            SELECT first.workspace_id, first.id FROM (
                SELECT v.workspace_id, v.id, v.created_at FROM webhook_delivery v
                WHERE v.workspace_id = w.workspace_id ORDER BY v.workspace_id, v.id LIMIT at_most
            ) first WHERE first.created_at < before
        ) d
        WHERE w.workspace_id NOT IN (SELECT r.workspace_id FROM workspaces_with_retention() r)
    ), attempts AS (
        DELETE FROM webhook_attempt a USING old WHERE a.workspace_id = old.workspace_id AND a.delivery_id = old.id
    ), gone AS (
        DELETE FROM webhook_delivery d USING old WHERE d.workspace_id = old.workspace_id AND d.id = old.id
        RETURNING 1
    ), endpoints AS (
        DELETE FROM webhook_endpoint e WHERE e.status = 'DELETED' AND e.updated_at < before
    )
    SELECT count(*) FROM gone
$$;

-- Without a worker events do not become deliveries, so those are looked for as well: the first behind each cursor.
-- What waits for an endpoint that fails or is slow to fail is that endpoint's affair, and counted with it.
-- `place`: one workspace; NULL for all of them together.
CREATE OR REPLACE FUNCTION webhook_counts_of(place uuid, moment timestamptz)
RETURNS TABLE (
    pending bigint, overdue_seconds double precision, failing bigint, disabled bigint, succeeded bigint,
    failed bigint
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(sum(p.pending), 0)::bigint,
           greatest(coalesce(extract(epoch FROM moment - least(min(p.due), min(u.since))), 0), 0)
               ::double precision,
           count(*) FILTER (WHERE e.failing_since IS NOT NULL AND e.status = 'ACTIVE'),
           count(*) FILTER (WHERE e.status = 'DISABLED'),
           coalesce(sum(t.succeeded), 0)::bigint, coalesce(sum(t.failed), 0)::bigint
    FROM webhook_endpoint e LEFT JOIN webhook_tally t ON t.workspace_id = e.workspace_id AND t.endpoint_id = e.id
    CROSS JOIN LATERAL (
        SELECT count(*) AS pending,
               min(d.next_attempt_at) FILTER (WHERE e.status = 'ACTIVE' AND e.failing_since IS NULL) AS due
        FROM webhook_delivery d
        WHERE d.workspace_id = e.workspace_id AND d.endpoint_id = e.id AND d.status = 'PENDING'
    ) p
    LEFT JOIN LATERAL (
        SELECT v.created_at AS since
        FROM webhook_cursor c JOIN event v
          ON v.workspace_id = c.workspace_id AND (v.transaction, v.id) > (c.transaction, c.event_id)
        WHERE c.workspace_id = e.workspace_id AND c.endpoint_id = e.id AND e.status = 'ACTIVE'
        ORDER BY v.transaction, v.id LIMIT 1
    ) u ON true
    WHERE place IS NULL OR e.workspace_id = place
$$;

CREATE OR REPLACE FUNCTION webhook_counts(moment timestamptz)
RETURNS TABLE (
    pending bigint, overdue_seconds double precision, failing bigint, disabled bigint, succeeded bigint,
    failed bigint
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT * FROM webhook_counts_of(NULL, moment)
$$;

-- Which of these events are to be delivered, now or later: after a restore they come again.
CREATE OR REPLACE FUNCTION events_to_deliver(wanted uuid[]) RETURNS TABLE (event_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT d.event_id FROM webhook_endpoint e
    JOIN webhook_delivery d ON d.workspace_id = e.workspace_id AND d.endpoint_id = e.id AND d.event_id = ANY (wanted)
    WHERE d.status = 'PENDING'
    UNION
    SELECT v.id FROM webhook_endpoint e
    JOIN webhook_cursor c ON c.workspace_id = e.workspace_id AND c.endpoint_id = e.id
    JOIN event v ON v.workspace_id = e.workspace_id AND (v.transaction, v.id) > (c.transaction, c.event_id)
    WHERE e.status <> 'DELETED' AND v.id = ANY (wanted)
$$;
