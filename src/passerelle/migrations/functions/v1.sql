-- One statement for the uses of every workspace: a process writes down every few seconds what it has counted.
CREATE OR REPLACE FUNCTION count_deprecated_uses(counted jsonb) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO deprecated_use AS d
        (workspace_id, day, key_id, endpoint, version, key_name, uses, refused, last_used, user_agent)
    SELECT * FROM jsonb_to_recordset(counted) AS c(workspace_id uuid, day date, key_id uuid, endpoint text,
        version integer, key_name text, uses bigint, refused bigint, last_used timestamptz, user_agent text)
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (workspace_id, day, key_id, endpoint, version) DO UPDATE SET
        key_name = excluded.key_name, uses = d.uses + excluded.uses, refused = d.refused + excluded.refused,
        last_used = greatest(d.last_used, excluded.last_used),
        user_agent = CASE WHEN excluded.last_used >= d.last_used THEN excluded.user_agent ELSE d.user_agent END
$$;

CREATE OR REPLACE FUNCTION deprecated_counts()
RETURNS TABLE (endpoint text, version integer, uses numeric, refused numeric)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT endpoint, version, sum(uses), sum(refused) FROM deprecated_use GROUP BY endpoint, version
$$;

CREATE OR REPLACE FUNCTION forget_deprecated_uses(older_than date) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DELETE FROM deprecated_use WHERE day < older_than
$$;
