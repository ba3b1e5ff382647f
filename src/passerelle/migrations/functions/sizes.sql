-- What each table takes, without reading any: the sizes of its files, and what PostgreSQL's statistics say of its rows.
CREATE OR REPLACE FUNCTION table_sizes()
RETURNS TABLE (name text, bytes bigint, index_bytes bigint, live_rows bigint, dead_rows bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT c.relname::text, pg_total_relation_size(c.oid), pg_indexes_size(c.oid),
           greatest(c.reltuples, 0)::bigint, coalesce(pg_stat_get_dead_tuples(c.oid), 0)
    FROM pg_class c
    WHERE c.relkind = 'r'
      AND c.relnamespace = (SELECT w.relnamespace FROM pg_class w WHERE w.oid = 'workspace'::regclass)
$$;

-- The part that each of the largest workspaces has of a table's rows, as ANALYZE has sampled it.
CREATE OR REPLACE FUNCTION workspace_shares() RETURNS TABLE (name text, workspace_id uuid, part double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT s.tablename::text, common.value::uuid, common.frequency
    FROM pg_stats s CROSS JOIN LATERAL
        unnest(s.most_common_vals::text::text[], s.most_common_freqs) AS common (value, frequency)
    WHERE s.attname IN ('workspace_id', 'chain') AND s.most_common_vals IS NOT NULL
      AND s.schemaname = (SELECT w.relnamespace::regnamespace::text FROM pg_class w WHERE w.oid = 'workspace'::regclass)
$$;

-- What the files of workspaces take in their store; of many files a sample is read.
CREATE OR REPLACE FUNCTION file_sizes() RETURNS TABLE (workspace_id uuid, bytes bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    most CONSTANT integer := 200000;
    there double precision := (SELECT c.reltuples FROM pg_class c WHERE c.oid = 'resource'::regclass);
    part double precision := least(100, 100 * most / greatest(there, 1));
BEGIN
    IF part < 100 THEN
        RETURN QUERY SELECT r.workspace_id, (sum(r.size) * 100 / part)::bigint
            FROM resource r TABLESAMPLE SYSTEM (part) GROUP BY r.workspace_id;
    ELSE
        RETURN QUERY SELECT r.workspace_id, sum(r.size)::bigint FROM resource r GROUP BY r.workspace_id;
    END IF;
END
$$;
