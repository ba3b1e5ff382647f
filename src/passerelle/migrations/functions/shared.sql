-- Deletes rows that an earlier moment ($1) says are old, at most so many. Rows that somebody holds are left for later.
CREATE OR REPLACE FUNCTION delete_some(of_table regclass, condition text, before timestamptz, at_most integer)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = public, pg_temp AS $$
DECLARE deleted bigint;
BEGIN
    EXECUTE format('DELETE FROM %1$s WHERE ctid = ANY (ARRAY('
                   'SELECT ctid FROM %1$s WHERE %2$s LIMIT $2 FOR UPDATE SKIP LOCKED))', of_table, condition)
    USING before, at_most;
    GET DIAGNOSTICS deleted = ROW_COUNT;
    RETURN deleted;
END
$$;
