-- An ended status is written once.
CREATE OR REPLACE FUNCTION refuse_change_of_ended_status() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'execution % has ended as % and cannot become %', OLD.id, OLD.status, NEW.status
        USING ERRCODE = 'PS001';
END
$$;

CREATE OR REPLACE TRIGGER ended_is_ended BEFORE UPDATE OF status ON execution FOR EACH ROW
WHEN (OLD.status IN ('COMPLETED', 'EXPIRED', 'CANCELLED') AND NEW.status <> OLD.status)
EXECUTE FUNCTION refuse_change_of_ended_status();

-- What lists look for inside of `waiting_for` and `error`, where an index can be used: of several steps that one rests at,
-- the first.
CREATE OR REPLACE FUNCTION fill_searched_columns() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.waiting_step := NEW.waiting_for -> 0 ->> 'step';
    NEW.waiting_kind := NEW.waiting_for -> 0 ->> 'kind';
    NEW.waiting_several := jsonb_array_length(NEW.waiting_for) > 1;
    NEW.failed_step := CASE WHEN NEW.status = 'FAILED' THEN NEW.error ->> 'step' END;
    NEW.error_code := NEW.error ->> 'code';
    RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER fill_searched_columns BEFORE INSERT OR UPDATE ON execution FOR EACH ROW
WHEN (NEW.waiting_for IS NOT NULL OR NEW.error IS NOT NULL OR NEW.waiting_step IS NOT NULL OR NEW.error_code IS NOT NULL)
EXECUTE FUNCTION fill_searched_columns();

-- Runnable executions without a job.
CREATE OR REPLACE FUNCTION stranded_executions(older_than interval, at_most integer)
RETURNS TABLE (workspace_id uuid, id uuid, seq integer)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT e.workspace_id, e.id, e.seq FROM execution e
    WHERE e.wake_at < now() - older_than
      AND NOT EXISTS (SELECT FROM pgqueuer job WHERE job.id = e.job_id AND job.status IN ('queued', 'picked'))
    ORDER BY e.wake_at
    LIMIT at_most
$$;

CREATE OR REPLACE FUNCTION execution_counts() RETURNS TABLE (status text, executions bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT e.status, count(*) FROM execution e WHERE e.status IN ('AWAITING', 'FAILED') GROUP BY e.status
    UNION ALL
    SELECT e.status, count(*) FROM execution e
    WHERE e.status = 'RUNNING' AND NOT (e.origin IN ('LINK', 'TOKEN') AND NOT EXISTS (
        SELECT FROM visit v WHERE v.workspace_id = e.workspace_id AND v.execution_id = e.id))
    GROUP BY e.status
$$;

-- Either the parent was not told of the end, or the child goes on and nobody waits for it.
CREATE OR REPLACE FUNCTION stranded_children(older_than interval, at_most integer)
RETURNS TABLE (workspace_id uuid, id uuid, untold boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    (SELECT e.workspace_id, e.id, true FROM execution e
     WHERE e.untold AND e.updated_at < now() - older_than
     ORDER BY e.updated_at LIMIT at_most)
    UNION ALL
    (SELECT e.workspace_id, e.id, false FROM execution e
     JOIN execution p ON p.workspace_id = e.workspace_id AND p.id = e.parent_id
     WHERE e.parent_id IS NOT NULL AND e.status IN ('RUNNING', 'AWAITING')
       AND p.updated_at < now() - older_than AND strpos(p.state::text, e.id::text) = 0
     ORDER BY e.created_at LIMIT at_most)
$$;

-- How many of one workspace are stranded; counted no further than a thousand of each sort.
CREATE OR REPLACE FUNCTION stranded_of(place uuid, older_than interval) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT (SELECT count(*) FROM (
                SELECT e.id FROM execution e
                WHERE e.workspace_id = place AND e.wake_at < now() - older_than
                  AND NOT EXISTS (SELECT FROM pgqueuer job WHERE job.id = e.job_id AND job.status IN ('queued', 'picked'))
                LIMIT 1000) jobless)
         + (SELECT count(*) FROM (
                SELECT e.id FROM execution e
                WHERE e.workspace_id = place AND e.untold AND e.updated_at < now() - older_than LIMIT 1000) untold)
         + (SELECT count(*) FROM (
                SELECT e.id FROM execution e
                JOIN execution p ON p.workspace_id = e.workspace_id AND p.id = e.parent_id
                WHERE e.workspace_id = place AND e.parent_id IS NOT NULL AND e.status IN ('RUNNING', 'AWAITING')
                  AND p.updated_at < now() - older_than AND strpos(p.state::text, e.id::text) = 0 LIMIT 1000) left_alone)
$$;

-- Which of these executions go on, with the steps whose calls have ended: after a restore the others come again. One
-- that has ended, well or not, calls nobody any more.
CREATE OR REPLACE FUNCTION calls_ended(executions uuid[]) RETURNS TABLE (execution_id uuid, step text, visit integer)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT e.id, r.step, r.visit
    FROM workspace w JOIN execution e ON e.workspace_id = w.workspace_id AND e.id = ANY (executions)
        AND e.status IN ('RUNNING', 'AWAITING')
    LEFT JOIN step_run r ON r.workspace_id = e.workspace_id AND r.execution_id = e.id AND r.status = 'COMPLETED'
$$;

-- The last moment that the database knows of: a process that was there, or the newest event of a workspace.
CREATE OR REPLACE FUNCTION last_moment() RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT greatest((SELECT max(seen_at) FROM process), (
        SELECT max(newest.created_at) FROM workspace w, LATERAL (
            SELECT e.created_at FROM event e WHERE e.workspace_id = w.workspace_id ORDER BY e.transaction DESC LIMIT 1
        ) newest))
$$;

CREATE OR REPLACE FUNCTION forget_dry_migrations(before timestamptz, at_most integer) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT delete_some('definition_migration', 'dry_run AND created_at < $1', before, at_most)
$$;

CREATE OR REPLACE FUNCTION forget_operations(before timestamptz, at_most integer) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT delete_some('execution_operation', 'created_at < $1', before, at_most)
$$;
