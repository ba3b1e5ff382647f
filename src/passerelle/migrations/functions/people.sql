CREATE OR REPLACE FUNCTION find_session(wanted text) RETURNS SETOF user_session
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT * FROM user_session WHERE token_hash = wanted
$$;

CREATE OR REPLACE FUNCTION end_session(wanted text) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DELETE FROM user_session WHERE token_hash = wanted
$$;

CREATE OR REPLACE FUNCTION find_users(wanted text) RETURNS SETOF app_user
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT * FROM app_user WHERE email_key = wanted ORDER BY last_sign_in_at DESC NULLS LAST, id LIMIT 5
$$;

CREATE OR REPLACE FUNCTION find_enrolment(wanted text) RETURNS SETOF enrolment
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT * FROM enrolment WHERE token_hash = wanted
$$;

CREATE OR REPLACE FUNCTION find_password_reset(wanted text) RETURNS SETOF password_reset
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT * FROM password_reset WHERE token_hash = wanted
$$;

CREATE OR REPLACE FUNCTION find_passkey(wanted bytea) RETURNS SETOF passkey
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT * FROM passkey WHERE credential_id = wanted
$$;

-- Whether an organization is that of a `passerelle selftest`, by its name, which nobody can change: it counts as none.
CREATE OR REPLACE FUNCTION is_throwaway(name text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = public, pg_temp AS $$
    SELECT name ~ '^passerelle selftest until [-0-9]{10}T[:.0-9]+Z$'
$$;

CREATE OR REPLACE FUNCTION all_organizations() RETURNS TABLE (organization_id uuid, name text, users bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT organization_id, name, (SELECT count(*) FROM app_user u WHERE u.organization_id = o.organization_id) 
    FROM organization o WHERE NOT is_throwaway(o.name) ORDER BY created_at, organization_id LIMIT 1000
$$;

CREATE OR REPLACE FUNCTION forget_people(before timestamptz, at_most integer) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH sessions AS (
        DELETE FROM user_session WHERE id IN (SELECT id FROM user_session WHERE expires_at < before LIMIT at_most)
        RETURNING 1
    ), resets AS (
        DELETE FROM password_reset WHERE token_hash IN
            (SELECT token_hash FROM password_reset WHERE expires_at < before LIMIT at_most) RETURNING 1
    ), counts AS (
        DELETE FROM attempt_count WHERE (counter, window_start) IN
            (SELECT counter, window_start FROM attempt_count WHERE window_end < before LIMIT at_most) RETURNING 1
    )
    SELECT (SELECT count(*) FROM sessions) + (SELECT count(*) FROM resets) + (SELECT count(*) FROM counts)
$$;

CREATE OR REPLACE FUNCTION session_stands(wanted text, place uuid) RETURNS TABLE (id uuid, organization_id uuid, user_id uuid, authenticated_at timestamptz, last_seen_at timestamptz, expires_at timestamptz, email text, email_key text, first_name text, last_name text, role text, state text, workspace_id uuid, workspace_role text, permissions text[], grants jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT s.id, s.organization_id, s.user_id, s.authenticated_at, s.last_seen_at, s.expires_at, u.email,
        u.email_key, u.first_name, u.last_name, u.role, u.state, chosen.workspace_id, chosen.role, r.permissions, r.grants
    FROM user_session s
    JOIN app_user u ON u.id = s.user_id AND u.organization_id = s.organization_id
    LEFT JOIN LATERAL (
        SELECT w.workspace_id, m.role FROM workspace w
        LEFT JOIN membership m ON m.workspace_id = w.workspace_id AND m.user_id = u.id
        WHERE w.organization_id = s.organization_id AND (place IS NULL OR w.workspace_id = place)
            AND (m.role IS NOT NULL OR u.role <> 'member')
        ORDER BY (w.workspace_id = u.workspace_id) DESC NULLS LAST, w.created_at, w.workspace_id
        LIMIT 1
    ) chosen ON true
    LEFT JOIN workspace_role r ON r.workspace_id = chosen.workspace_id AND r.name = chosen.role
    WHERE s.token_hash = wanted AND s.authenticated_at IS NOT NULL
$$;

CREATE OR REPLACE FUNCTION organization_of(wanted uuid) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT organization_id FROM workspace WHERE workspace_id = wanted
$$;

-- Whoever makes a workspace without naming an organization makes one of the same name.
CREATE OR REPLACE FUNCTION organize_workspace() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.organization_id IS NULL THEN
        NEW.organization_id := gen_random_uuid();
        INSERT INTO organization (organization_id, name, created_at)
        VALUES (NEW.organization_id, NEW.name, NEW.created_at);
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER organized BEFORE INSERT ON workspace FOR EACH ROW EXECUTE FUNCTION organize_workspace();

CREATE OR REPLACE FUNCTION find_identity_provider(wanted uuid) RETURNS SETOF identity_provider
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT * FROM identity_provider WHERE id = wanted
$$;

-- What the page of sign-in may offer to anybody: nothing where there are several organizations.
CREATE OR REPLACE FUNCTION offered_identity_providers() RETURNS TABLE (id uuid, name text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT id, name FROM identity_provider
    WHERE (SELECT count(*) FROM organization o WHERE NOT is_throwaway(o.name)) = 1
    ORDER BY name LIMIT 20
$$;

-- Counts of long lists: row-level security would read two settings for each row, and take twenty times as long.
CREATE OR REPLACE FUNCTION count_users() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT count(*) FROM app_user
    WHERE organization_id = (SELECT nullif(current_setting('passerelle.organization', true), '')::uuid)
$$;

CREATE OR REPLACE FUNCTION count_members(place uuid, reaching text[]) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH own AS (
        SELECT workspace_id, organization_id FROM workspace WHERE workspace_id = place
            AND organization_id = nullif(current_setting('passerelle.organization', true), '')::uuid
    )
    SELECT (SELECT count(*) FROM membership WHERE workspace_id = (SELECT workspace_id FROM own)) + (
        SELECT count(*) FROM app_user u
        WHERE u.organization_id = (SELECT organization_id FROM own) AND u.role <> 'member' AND u.role = ANY(reaching)
            AND u.state = 'active'
            AND NOT EXISTS (SELECT FROM membership m WHERE m.workspace_id = place AND m.user_id = u.id)
    )
$$;
