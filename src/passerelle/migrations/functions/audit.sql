-- The second fence of a table that is only added to; the first is that the application's role has no right to change it.
-- Sealing gives an entry its place, once; retention says which chain it shortens.
CREATE OR REPLACE FUNCTION keep_audit() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.number IS NULL AND NEW.number IS NOT NULL
        AND (NEW.chain, NEW.id, NEW.transaction, NEW.at, NEW.action, NEW.outcome, NEW.content)
            = (OLD.chain, OLD.id, OLD.transaction, OLD.at, OLD.action, OLD.outcome, OLD.content)
        AND (NEW.actor_id, NEW.object_kind, NEW.object_id)
            IS NOT DISTINCT FROM (OLD.actor_id, OLD.object_kind, OLD.object_id)
    THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' AND current_setting('passerelle.audit_removal', true) = OLD.chain::text THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the audit is only added to';
END
$$;

CREATE OR REPLACE TRIGGER keep_audit BEFORE UPDATE OR DELETE ON audit_entry
FOR EACH ROW EXECUTE FUNCTION keep_audit();

CREATE OR REPLACE FUNCTION keep_all_audit() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'the audit is only added to';
END
$$;

CREATE OR REPLACE TRIGGER keep_all_audit BEFORE TRUNCATE ON audit_entry
FOR EACH STATEMENT EXECUTE FUNCTION keep_all_audit();

-- One process at a time gives entries their places. Below the horizon every transaction has ended, so that nothing can
-- appear between two entries any more; what is an hour old is from before the database was restored elsewhere.
-- Endpoints of webhooks that name the audit get each entry as it is sealed.
CREATE OR REPLACE FUNCTION seal_audit(at_most integer) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    one record;
    present uuid;
    place bigint;
    link text;
    done bigint := 0;
    streamed boolean;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('passerelle.audit.seal')) THEN
        RETURN 0;
    END IF;
    FOR one IN
        SELECT e.chain, e.id, e.content, e.at FROM audit_entry e
        WHERE e.number IS NULL
          AND (e.transaction < pg_snapshot_xmin(pg_current_snapshot()) OR e.at < now() - interval '1 hour')
        ORDER BY e.chain, e.transaction, e.id LIMIT at_most
    LOOP
        IF present IS DISTINCT FROM one.chain THEN
            IF present IS NOT NULL THEN
                UPDATE audit_chain SET number = place, hash = link, sealed_at = now() WHERE chain = present;
            END IF;
            present := one.chain;
            INSERT INTO audit_chain AS c (chain, number, hash, sealed_at)
            VALUES (present, 0, repeat('0', 64), now()) ON CONFLICT (chain) DO UPDATE SET sealed_at = now()
            RETURNING c.number, c.hash INTO place, link;
            streamed := EXISTS (
                SELECT FROM webhook_endpoint w WHERE w.workspace_id = present AND w.status = 'ACTIVE'
                  AND w.events && ARRAY['audit.written', 'audit.*']
            );
        END IF;
        place := place + 1;
        link := encode(sha256(convert_to(link || E'\n' || one.content, 'UTF8')), 'hex');
        UPDATE audit_entry SET number = place, hash = link WHERE chain = one.chain AND id = one.id;
        IF streamed THEN
            INSERT INTO event (workspace_id, id, type, data, created_at)
            VALUES (one.chain, one.id, 'audit.written',
                    one.content::jsonb || jsonb_build_object('number', place, 'hash', link), one.at);
        END IF;
        done := done + 1;
    END LOOP;
    IF present IS NOT NULL THEN
        UPDATE audit_chain SET number = place, hash = link, sealed_at = now() WHERE chain = present;
    END IF;
    RETURN done;
END
$$;

-- The beginnings of chains that are older than retention keeps: how far each goes, and what the rest hangs on. A
-- workspace's own rule counts before what is usual (null: for good); while it has a legal hold, nothing of it goes.
CREATE OR REPLACE FUNCTION audit_over(moment timestamptz, usual interval, at_most integer)
RETURNS TABLE (chain uuid, organization boolean, number bigint, hash text, entries bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT c.chain, c.organization, e.number, e.hash,
           (SELECT count(*) FROM audit_entry x WHERE x.chain = c.chain AND x.number <= e.number)
    FROM (
        SELECT a.chain, NOT EXISTS (SELECT FROM workspace w WHERE w.workspace_id = a.chain) AS organization,
               moment - CASE WHEN r.workspace_id IS NULL THEN usual ELSE r.keep END AS before
        FROM audit_chain a LEFT JOIN retention_rule r ON r.workspace_id = a.chain AND r.kind = 'audit'
        WHERE NOT EXISTS (SELECT FROM legal_hold h WHERE h.workspace_id = a.chain AND h.released_at IS NULL)
    ) c CROSS JOIN LATERAL (
        SELECT last.number, last.hash FROM (
            SELECT o.number, o.hash, bool_and(o.at < c.before) OVER (ORDER BY o.number) AS old
            FROM (SELECT number, hash, at FROM audit_entry a WHERE a.chain = c.chain AND a.number IS NOT NULL
                  ORDER BY a.number LIMIT at_most) o
        ) last WHERE last.old ORDER BY last.number DESC LIMIT 1
    ) e
    WHERE c.before IS NOT NULL
$$;

-- Shortens the chain that the connection serves. What is younger than a month stays, whatever the caller says.
CREATE OR REPLACE FUNCTION remove_audit(wanted uuid, through bigint) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    gone bigint;
BEGIN
    IF wanted::text NOT IN (current_setting('passerelle.workspace', true), current_setting('passerelle.organization', true))
    THEN
        RAISE EXCEPTION 'the connection does not serve this chain';
    END IF;
    PERFORM set_config('passerelle.audit_removal', wanted::text, true);
    DELETE FROM audit_entry WHERE chain = wanted AND number <= through AND at < now() - interval '30 days';
    GET DIAGNOSTICS gone = ROW_COUNT;
    PERFORM set_config('passerelle.audit_removal', '', true);
    RETURN gone;
END
$$;

CREATE OR REPLACE FUNCTION all_audit_chains() RETURNS TABLE (chain uuid, kind text, name text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT workspace_id, 'workspace', name FROM workspace
    UNION ALL SELECT organization_id, 'organization', name FROM organization
    ORDER BY 2, 3, 1
$$;
