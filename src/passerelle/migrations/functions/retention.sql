-- Everything that the legal holds of a workspace keep, by its ids: the executions and records that they name, records
-- that were merged with those, the executions of records, and the children of executions. Under row-level security it
-- sees the connection's own workspace.
CREATE OR REPLACE FUNCTION held_objects(of_workspace uuid) RETURNS TABLE (id uuid)
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    WITH RECURSIVE held AS (
        SELECT h.kind, h.object_id AS id FROM legal_hold h
        WHERE h.workspace_id = of_workspace AND h.released_at IS NULL AND h.kind <> 'workspace'
        UNION
        SELECT other.kind, other.id FROM held h CROSS JOIN LATERAL (
            SELECT 'execution' AS kind, e.id FROM execution e
            WHERE h.kind = 'execution' AND e.workspace_id = of_workspace AND e.parent_id = h.id
            UNION ALL
            SELECT 'execution', e.id FROM execution e
            WHERE h.kind = 'record' AND e.workspace_id = of_workspace AND e.record_id = h.id
            UNION ALL
            SELECT 'record', r.id FROM record r
            WHERE h.kind = 'record' AND r.workspace_id = of_workspace AND r.merged_into = h.id
            UNION ALL
            SELECT 'record', r.merged_into FROM record_table t
            JOIN record r ON r.workspace_id = t.workspace_id AND r.table_id = t.id AND r.id = h.id
            WHERE h.kind = 'record' AND t.workspace_id = of_workspace AND r.merged_into IS NOT NULL
        ) other
    )
    SELECT DISTINCT held.id FROM held
$$;

CREATE OR REPLACE FUNCTION is_workspace_held(of_workspace uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM legal_hold h
                   WHERE h.workspace_id = of_workspace AND h.released_at IS NULL AND h.kind = 'workspace')
$$;

-- Whether a legal hold keeps an execution or a record. Asked for each row that goes: where there is no hold, it ends soon.
CREATE OR REPLACE FUNCTION is_held(of_workspace uuid, object uuid) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM legal_hold h WHERE h.workspace_id = of_workspace AND h.released_at IS NULL) THEN
        RETURN false;
    END IF;
    RETURN is_workspace_held(of_workspace) OR EXISTS (SELECT FROM held_objects(of_workspace) o WHERE o.id = object);
END
$$;

-- The last fence: whatever way leads there, a held execution or record is not deleted.
CREATE OR REPLACE FUNCTION keep_held() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF is_held(OLD.workspace_id, OLD.id) THEN
        RAISE EXCEPTION '% % is under legal hold', TG_TABLE_NAME, OLD.id USING ERRCODE = 'PS002';
    END IF;
    RETURN OLD;
END
$$;

CREATE OR REPLACE TRIGGER keep_held BEFORE DELETE ON execution FOR EACH ROW EXECUTE FUNCTION keep_held();
CREATE OR REPLACE TRIGGER keep_held BEFORE DELETE ON record FOR EACH ROW EXECUTE FUNCTION keep_held();

-- The workspaces that have a rule or a hold: what they keep is looked through row by row (`passerelle.retention`).
CREATE OR REPLACE FUNCTION workspaces_with_retention() RETURNS TABLE (workspace_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT r.workspace_id FROM retention_rule r UNION SELECT h.workspace_id FROM legal_hold h WHERE h.released_at IS NULL
$$;

-- Under row-level security the index on `records` would not be used: this looks with the owner's rights, in the
-- connection's own workspace.
CREATE OR REPLACE FUNCTION archives_about(wanted uuid[]) RETURNS TABLE (id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT a.id FROM archive_file a
    WHERE a.records && wanted AND a.workspace_id = nullif(current_setting('passerelle.workspace', true), '')::uuid
    ORDER BY a.id
$$;
