-- Who opens a link names no workspace: it is found by the secret alone.
CREATE OR REPLACE FUNCTION find_link(wanted bytea)
RETURNS TABLE (
    workspace_id uuid, id uuid, execution_id uuid, definition_id uuid, revision_id uuid, record_id uuid,
    email text, locale text, status text, created_at timestamptz, expires_at timestamptz, opened_at timestamptz,
    activated_at timestamptz, superseded_at timestamptz, deleted_at timestamptz
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT l.workspace_id, l.id, l.execution_id, l.definition_id, e.revision_id, l.record_id, l.email, e.locale,
           e.status, l.created_at, l.expires_at, l.opened_at, l.activated_at, l.superseded_at, l.deleted_at
    FROM link l CROSS JOIN LATERAL (
        SELECT x.revision_id, x.locale, x.status FROM execution x
        WHERE x.workspace_id = l.workspace_id AND x.id = l.execution_id
        OFFSET 0 -- After the link is found: where tables are divided by workspace, only its part is looked into.
    ) e
    WHERE l.secret_hash = wanted
$$;

CREATE OR REPLACE FUNCTION find_visit(wanted bytea, moment timestamptz)
RETURNS TABLE (workspace_id uuid, execution_id uuid, kind text, expires_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT v.workspace_id, v.execution_id, v.kind, v.expires_at FROM visit v
    WHERE v.secret_hash = wanted AND v.ended_at IS NULL AND v.expires_at > moment
$$;

-- The same, and of a device that one step was lent to: as long as the browser that lent it goes on.
CREATE OR REPLACE FUNCTION find_end_user_session(wanted bytea, moment timestamptz)
RETURNS TABLE (
    workspace_id uuid, execution_id uuid, kind text, expires_at timestamptz, step text, step_visit integer
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT v.workspace_id, v.execution_id, v.kind, v.expires_at, NULL::text, NULL::integer FROM visit v
    WHERE v.secret_hash = wanted AND v.ended_at IS NULL AND v.expires_at > moment
    UNION ALL
    SELECT h.workspace_id, h.execution_id, 'handover', h.ends_at, h.step, h.step_visit FROM handover h
    WHERE h.session_hash = wanted AND h.taken_at IS NOT NULL AND h.ends_at > moment AND EXISTS (
        SELECT FROM visit v
        WHERE v.workspace_id = h.workspace_id AND v.execution_id = h.execution_id AND v.ended_at IS NULL
          AND v.expires_at > moment AND v.created_at <= h.created_at)
$$;

-- Whoever has the code of a step names no workspace either.
CREATE OR REPLACE FUNCTION find_handover(wanted bytea, moment timestamptz)
RETURNS TABLE (
    workspace_id uuid, id uuid, execution_id uuid, step text, step_visit integer, salt bytea,
    expires_at timestamptz, taken_at timestamptz
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT h.workspace_id, h.id, h.execution_id, h.step, h.step_visit, h.salt, h.expires_at, h.taken_at
    FROM handover h WHERE h.secret_hash = wanted AND EXISTS (
        SELECT FROM visit v
        WHERE v.workspace_id = h.workspace_id AND v.execution_id = h.execution_id AND v.ended_at IS NULL
          AND v.expires_at > moment AND v.created_at <= h.created_at)
$$;

-- Told once for each, whoever asks and however often a process dies: the mark and the event are one statement.
CREATE OR REPLACE FUNCTION expire_links(moment timestamptz, at_most integer) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH due AS MATERIALIZED (
        SELECT l.workspace_id, l.id FROM link l
        WHERE l.expires_at <= moment AND l.activated_at IS NULL AND l.superseded_at IS NULL
          AND l.deleted_at IS NULL AND l.expired_at IS NULL
        ORDER BY l.expires_at LIMIT at_most FOR UPDATE SKIP LOCKED
    ), gone AS (
        UPDATE link l SET expired_at = moment FROM due
        WHERE l.workspace_id = due.workspace_id AND l.id = due.id
        RETURNING l.*
    ), told AS (
        INSERT INTO event (workspace_id, id, type, execution_id, data, created_at)
        SELECT g.workspace_id, time_ordered_id(), 'link.expired', g.execution_id,
               jsonb_build_object('linkId', g.id, 'workflowId', g.execution_id,
                                  'workflowDefinitionId', g.definition_id, 'recordId', g.record_id), moment
        FROM gone g JOIN execution e ON e.workspace_id = g.workspace_id AND e.id = g.execution_id
        WHERE e.status = 'EXPIRED' OR e.status IN ('RUNNING', 'AWAITING')
    )
    SELECT count(*) FROM gone
$$;

-- Links stay as long as their executions. The address goes once nothing can be sent to it any more. What a legal hold
-- keeps stays as it is.
CREATE OR REPLACE FUNCTION forget_link_traces(before timestamptz, at_most integer) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH old_tokens AS MATERIALIZED (
        SELECT t.workspace_id, t.id FROM widget_token t
        WHERE t.expires_at < before AND NOT is_held(t.workspace_id, t.execution_id)
        LIMIT at_most FOR UPDATE SKIP LOCKED
    ), tokens AS (
        DELETE FROM widget_token t USING old_tokens o WHERE t.workspace_id = o.workspace_id AND t.id = o.id
        RETURNING 1
    ), old_visits AS MATERIALIZED (
        SELECT v.workspace_id, v.id FROM visit v
        WHERE v.expires_at < before AND NOT is_held(v.workspace_id, v.execution_id)
        LIMIT at_most FOR UPDATE SKIP LOCKED
    ), visits AS (
        DELETE FROM visit v USING old_visits o WHERE v.workspace_id = o.workspace_id AND v.id = o.id
        RETURNING 1
    ), old_handovers AS MATERIALIZED (
        SELECT h.workspace_id, h.id FROM handover h
        WHERE h.ends_at < before AND NOT is_held(h.workspace_id, h.execution_id)
        LIMIT at_most FOR UPDATE SKIP LOCKED
    ), lent AS (
        DELETE FROM handover h USING old_handovers o WHERE h.workspace_id = o.workspace_id AND h.id = o.id
        RETURNING 1
    ), old_emails AS MATERIALIZED (
        SELECT m.workspace_id, m.id FROM link_email m
        JOIN link l ON l.workspace_id = m.workspace_id AND l.id = m.link_id
        WHERE m.ended_at < before AND NOT is_held(l.workspace_id, l.execution_id)
        LIMIT at_most FOR UPDATE OF m SKIP LOCKED
    ), emails AS (
        DELETE FROM link_email m USING old_emails o WHERE m.workspace_id = o.workspace_id AND m.id = o.id
        RETURNING 1
    ), old_addresses AS MATERIALIZED (
        SELECT l.workspace_id, l.id FROM link l
        WHERE l.expires_at < before AND l.email IS NOT NULL AND NOT is_held(l.workspace_id, l.execution_id)
        LIMIT at_most FOR UPDATE SKIP LOCKED
    ), addresses AS (
        UPDATE link l SET email = NULL FROM old_addresses o WHERE l.workspace_id = o.workspace_id AND l.id = o.id
        RETURNING 1
    )
    SELECT greatest((SELECT count(*) FROM tokens), (SELECT count(*) FROM visits), (SELECT count(*) FROM lent),
                    (SELECT count(*) FROM emails),
                    (SELECT count(*) FROM addresses))
$$;

-- Executions that nobody has begun, and that no link or token leads to any more.
CREATE OR REPLACE FUNCTION unused_executions(moment timestamptz, at_most integer)
RETURNS TABLE (workspace_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT e.workspace_id, e.id
    FROM (
        SELECT t.workspace_id, t.execution_id FROM widget_token t
        WHERE t.expires_at <= moment AND t.expires_at > moment - interval '1 day' AND t.spent_at IS NULL
        UNION
        SELECT l.workspace_id, l.execution_id FROM link l
        WHERE greatest(l.superseded_at, l.deleted_at) > moment - interval '1 day' AND l.activated_at IS NULL
    ) led
    JOIN execution e ON e.workspace_id = led.workspace_id AND e.id = led.execution_id
    WHERE e.status = 'RUNNING' AND e.origin IN ('LINK', 'TOKEN')
      AND NOT EXISTS (SELECT FROM visit v WHERE v.workspace_id = e.workspace_id AND v.execution_id = e.id)
      AND NOT EXISTS (
          SELECT FROM link l WHERE l.workspace_id = e.workspace_id AND l.execution_id = e.id
            AND l.superseded_at IS NULL AND l.deleted_at IS NULL AND l.expires_at > moment)
      AND NOT EXISTS (
          SELECT FROM widget_token t WHERE t.workspace_id = e.workspace_id AND t.execution_id = e.id
            AND t.spent_at IS NULL AND t.expires_at > moment)
    LIMIT at_most
$$;
