-- Tells every process that something changed of what it may remember: the table's name and the workspace.
-- `passerelle.kit.memory` listens; docs/decisions/0110 has the list.
CREATE OR REPLACE FUNCTION tell_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM pg_notify('passerelle_changes', TG_TABLE_NAME || ' ' || coalesce(NEW.workspace_id, OLD.workspace_id));
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER tell_change AFTER UPDATE OF published_revision OR DELETE ON definition
FOR EACH ROW EXECUTE FUNCTION tell_change();

CREATE OR REPLACE TRIGGER tell_change AFTER UPDATE OR DELETE ON record_table
FOR EACH ROW EXECUTE FUNCTION tell_change();

CREATE OR REPLACE TRIGGER tell_change AFTER INSERT OR UPDATE OR DELETE ON workspace_secret
FOR EACH ROW EXECUTE FUNCTION tell_change();

CREATE OR REPLACE TRIGGER tell_change AFTER INSERT OR UPDATE OR DELETE ON theme
FOR EACH ROW EXECUTE FUNCTION tell_change();

CREATE OR REPLACE TRIGGER tell_change AFTER UPDATE OF name OR DELETE ON workspace
FOR EACH ROW EXECUTE FUNCTION tell_change();

CREATE OR REPLACE TRIGGER tell_change AFTER UPDATE OR DELETE ON api_key
FOR EACH ROW EXECUTE FUNCTION tell_change();

CREATE OR REPLACE TRIGGER tell_change AFTER UPDATE OF revoked_at ON refresh_token
FOR EACH ROW EXECUTE FUNCTION tell_change();

CREATE OR REPLACE TRIGGER tell_change AFTER INSERT OR UPDATE OR DELETE ON signing_key
FOR EACH ROW EXECUTE FUNCTION tell_change();

CREATE OR REPLACE TRIGGER tell_change AFTER INSERT OR UPDATE OR DELETE ON version_one
FOR EACH ROW EXECUTE FUNCTION tell_change();

CREATE OR REPLACE TRIGGER tell_change AFTER INSERT OR UPDATE OR DELETE ON workspace_quota
FOR EACH ROW EXECUTE FUNCTION tell_change();
