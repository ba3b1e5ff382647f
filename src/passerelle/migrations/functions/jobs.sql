-- PgQueuer's own trigger wakes every worker at every change of its table, those of the workers themselves and leased
-- jobs that are never due included: a run with one call cost twenty transactions that found nothing.
CREATE OR REPLACE FUNCTION fn_pgqueuer_changed() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RETURN NULL;
END
$$;

-- Workers are woken by a job that is due before they would look again anyway.
CREATE OR REPLACE FUNCTION wake_workers() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('ch_pgqueuer', json_build_object('channel', 'ch_pgqueuer', 'operation', 'insert',
        'sent_at', now(), 'table', 'pgqueuer', 'type', 'table_changed_event')::text);
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER wake_workers AFTER INSERT ON pgqueuer FOR EACH ROW
WHEN (NEW.execute_after < now() + interval '3 seconds') EXECUTE FUNCTION wake_workers();

-- Whose a job is: workspaces take turns.
CREATE OR REPLACE FUNCTION share_of_job() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.share := coalesce(
        substring(convert_from(NEW.payload, 'UTF8') FROM '"workspaceId": ?"([0-9a-f-]{36})"')::uuid, NEW.share);
    RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER share_of_job BEFORE INSERT ON pgqueuer FOR EACH ROW
WHEN (NEW.payload IS NOT NULL) EXECUTE FUNCTION share_of_job();

-- The workspaces whose part of the workers is not the usual one; there are few.
CREATE OR REPLACE FUNCTION workspace_turns() RETURNS TABLE (share uuid, weight double precision, jobs integer)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT workspace_id, weight, jobs FROM workspace_quota WHERE weight <> 1 OR jobs IS NOT NULL
$$;
