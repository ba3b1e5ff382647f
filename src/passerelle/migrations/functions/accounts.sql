CREATE OR REPLACE FUNCTION find_key(wanted text) RETURNS SETOF api_key
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT * FROM api_key WHERE public_id = wanted AND kind = 'pair'
$$;

CREATE OR REPLACE FUNCTION find_organization_token(wanted text) RETURNS SETOF api_key
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT * FROM api_key WHERE secret_hash = wanted AND kind = 'token'
$$;

CREATE OR REPLACE FUNCTION find_refresh_token(wanted text) RETURNS SETOF refresh_token
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT * FROM refresh_token WHERE token_hash = wanted
$$;

CREATE OR REPLACE FUNCTION find_public_signing_key(wanted uuid) RETURNS TABLE (id uuid, public_pem text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT id, public_pem FROM signing_key WHERE id = wanted
$$;

-- The first and the last key of all workspaces, as they are encrypted: whether the keys of a process open either.
CREATE OR REPLACE FUNCTION outer_signing_keys() RETURNS TABLE (private_pem bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    (SELECT private_pem FROM signing_key ORDER BY created_at, id LIMIT 1)
    UNION ALL
    (SELECT private_pem FROM signing_key ORDER BY created_at DESC, id DESC LIMIT 1)
$$;

CREATE OR REPLACE FUNCTION forget_idempotency_keys(before timestamptz, at_most integer) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT delete_some('idempotency_key', 'created_at < $1', before, at_most)
$$;

CREATE OR REPLACE FUNCTION forget_refresh_tokens(before timestamptz, at_most integer) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT delete_some('refresh_token', 'expires_at < $1', before, at_most)
$$;
