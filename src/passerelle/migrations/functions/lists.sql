-- Versions of lists are written once: the application's role has no right to change or remove one by itself.
CREATE OR REPLACE FUNCTION remove_list(wanted text) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    gone bigint;
BEGIN
    DELETE FROM name_list_version
    WHERE workspace_id = nullif(current_setting('passerelle.workspace', true), '')::uuid AND name = wanted;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END
$$;
