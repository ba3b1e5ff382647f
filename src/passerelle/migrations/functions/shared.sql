-- Deletes rows that an earlier moment ($1) says are old, at most so many. Rows that somebody holds are left for later.
-- They are named by their primary key: a place in the file (ctid) is that of other rows in another partition.
CREATE OR REPLACE FUNCTION delete_some(of_table regclass, condition text, before timestamptz, at_most integer)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = public, pg_temp AS $$
DECLARE
    key CONSTANT text := (
        SELECT string_agg(quote_ident(a.attname), ', ') FROM pg_index i
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::int2[])
        WHERE i.indrelid = of_table AND i.indisprimary
    );
    deleted bigint;
BEGIN
    EXECUTE format('WITH old AS MATERIALIZED (SELECT %3$s FROM %1$s WHERE %2$s LIMIT $2 FOR UPDATE SKIP LOCKED) '
                   'DELETE FROM %1$s WHERE (%3$s) IN (SELECT %3$s FROM old)', of_table, condition, key)
    USING before, at_most;
    GET DIAGNOSTICS deleted = ROW_COUNT;
    RETURN deleted;
END
$$;
