-- Below the horizon every transaction has ended: no event with a lower position can appear any more.
CREATE OR REPLACE FUNCTION new_events(workspaces uuid[], transactions xid8[], ids uuid[])
RETURNS TABLE (place bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT w.place
    FROM unnest(workspaces, transactions, ids) WITH ORDINALITY AS w(workspace_id, transaction, id, place)
    WHERE EXISTS (
        SELECT FROM event ev WHERE ev.workspace_id = w.workspace_id
          AND (ev.transaction, ev.id) > (w.transaction, w.id)
          AND ev.transaction < pg_snapshot_xmin(pg_current_snapshot())
    )
$$;

-- Read in the order of the key, which is that of time: no index by age is needed. Of workspaces that have no rule and
-- no hold of their own; `passerelle.retention` looks after the others.
CREATE OR REPLACE FUNCTION forget_events(before timestamptz, at_most integer) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH old AS MATERIALIZED (
        SELECT e.* FROM workspace w CROSS JOIN LATERAL (
            SELECT first.workspace_id, first.transaction, first.id FROM (
                SELECT v.workspace_id, v.transaction, v.id, v.created_at FROM event v
                WHERE v.workspace_id = w.workspace_id ORDER BY v.workspace_id, v.transaction, v.id LIMIT at_most
            ) first WHERE first.created_at < before
        ) e
        WHERE w.workspace_id NOT IN (SELECT r.workspace_id FROM workspaces_with_retention() r)
    ), marked AS (
        INSERT INTO event_forgotten AS f (workspace_id, transaction, event_id)
        SELECT DISTINCT ON (o.workspace_id) o.workspace_id, o.transaction, o.id
        FROM old o ORDER BY o.workspace_id, o.transaction DESC, o.id DESC
        ON CONFLICT (workspace_id) DO UPDATE SET transaction = excluded.transaction, event_id = excluded.event_id
        WHERE (f.transaction, f.event_id) < (excluded.transaction, excluded.event_id)
    ), hopeless AS (
        UPDATE webhook_delivery d SET status = 'FAILED', claim = NULL
        FROM old JOIN webhook_endpoint e ON e.workspace_id = old.workspace_id
        WHERE d.workspace_id = e.workspace_id AND d.endpoint_id = e.id AND d.event_id = old.id AND d.status = 'PENDING'
    ), gone AS (
        DELETE FROM event v USING old
        WHERE v.workspace_id = old.workspace_id AND v.transaction = old.transaction AND v.id = old.id
        RETURNING 1
    )
    SELECT count(*) FROM gone
$$;

-- PostgreSQL has a function for it only from 18 on. Twelve bits below the millisecond keep a batch in its order.
CREATE OR REPLACE FUNCTION time_ordered_id() RETURNS uuid
LANGUAGE sql VOLATILE AS $$
    SELECT encode(
        substring(int8send(us / 1000) FROM 3)
        || int2send((x'7000'::integer + us % 1000 * 4096 / 1000)::smallint)
        || substring(uuid_send(gen_random_uuid()) FROM 9), 'hex')::uuid
    FROM (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS us) AS moment
$$;
