-- A draft ends with its execution, unless a legal hold keeps it.
CREATE OR REPLACE FUNCTION drop_visitor_drafts() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM visitor_draft WHERE workspace_id = NEW.workspace_id AND execution_id = NEW.id
        AND NOT is_held(NEW.workspace_id, NEW.id);
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER drop_visitor_drafts AFTER UPDATE OF status ON execution FOR EACH ROW
WHEN (NEW.execution_type = 'INTERACTIVE' AND NEW.status IN ('COMPLETED', 'EXPIRED', 'CANCELLED'))
EXECUTE FUNCTION drop_visitor_drafts();

CREATE OR REPLACE FUNCTION forget_visitor_drafts(before timestamptz, at_most integer) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT delete_some('visitor_draft', 'updated_at < $1 AND workspace_id NOT IN '
                       '(SELECT r.workspace_id FROM workspaces_with_retention() r)', before, at_most)
$$;

-- Word of every change that an end user may see.
CREATE OR REPLACE FUNCTION tell_visitors() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('passerelle_visitors', NEW.id || ' ' || NEW.seq);
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER tell_visitors AFTER UPDATE OF seq ON execution FOR EACH ROW
WHEN (NEW.execution_type = 'INTERACTIVE') EXECUTE FUNCTION tell_visitors();

-- Whether a file is in what a step gave. A move to another revision may have given that step another name since, and the
-- history keeps the one that it had: so the name is not compared.
CREATE OR REPLACE FUNCTION is_submitted(file visitor_file) RETURNS boolean
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM step_run r
        WHERE r.workspace_id = file.workspace_id AND r.execution_id = file.execution_id AND r.status = 'COMPLETED'
          AND r.output -> 'files' @> jsonb_build_array(jsonb_build_object('resourceId', file.resource_id)))
$$;

-- Files that were sent before the execution had a record become attachments of the record that it makes: in the
-- transaction that binds the record, so that no crash can part the two.
CREATE OR REPLACE FUNCTION attach_visitor_files() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO attachment (workspace_id, id, record_id, resource_id, tags, created_at, created_by)
    SELECT v.workspace_id, v.resource_id, NEW.record_id, v.resource_id, array_remove(ARRAY[v.document], ''), NEW.updated_at, 'end user'
    FROM visitor_file v
    WHERE v.workspace_id = NEW.workspace_id AND v.execution_id = NEW.id
      AND is_submitted(v)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER attach_visitor_files AFTER UPDATE OF record_id ON execution FOR EACH ROW
WHEN (OLD.record_id IS NULL AND NEW.record_id IS NOT NULL AND NEW.execution_type = 'INTERACTIVE')
EXECUTE FUNCTION attach_visitor_files();

-- What was submitted is in the step's output from then on: its row goes, so that the table stays small and every
-- file is looked at once. The rows of the others go with their files, so that a crash in between loses none.
CREATE OR REPLACE FUNCTION settle_visitor_files(at_most integer)
RETURNS TABLE (workspace_id uuid, resource_id uuid)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH over AS MATERIALIZED (
        SELECT v.*, is_submitted(v) AS submitted FROM visitor_file v JOIN execution e ON e.workspace_id = v.workspace_id AND e.id = v.execution_id
        WHERE e.status IN ('COMPLETED', 'EXPIRED', 'CANCELLED') AND NOT is_held(e.workspace_id, e.id)
        LIMIT at_most
    ), settled AS (
        DELETE FROM visitor_file v USING over o
        WHERE o.submitted AND v.workspace_id = o.workspace_id AND v.execution_id = o.execution_id
          AND v.step = o.step AND v.resource_id = o.resource_id
    )
    SELECT o.workspace_id, o.resource_id FROM over o WHERE NOT o.submitted
$$;
