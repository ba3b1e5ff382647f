"""Events in the order of their transactions, webhook endpoints, deliveries and their attempts."""

from __future__ import annotations

from alembic import op

from passerelle.migrations.order import before
from passerelle.migrations.tenancy import APP_ROLE, door, isolate

revision = "0003"
down_revision = before(revision)

HORIZON = "pg_snapshot_xmin(pg_current_snapshot())"
"""Every transaction below it has ended: no event with a lower position can appear any more."""

MATCHES = (
    "(e.events = '{}' OR ev.type = ANY (e.events) OR split_part(ev.type, '.', 1) || '.*' = ANY (e.events)) "
    "AND ev.type <> 'webhook.test'"
)
"""Whether an endpoint wants an event. A test message is for the endpoint that was asked to show one."""

QUICK_TRIES = 6
"""As in `passerelle.webhooks.schedule`: so long a delivery holds up those behind it of the same execution."""


def upgrade() -> None:
    _events()
    _signing_keys()
    _endpoints()
    _deliveries()
    _dispatching()
    _sending()
    _recording()
    _forgetting()
    _counting()


def _events() -> None:
    # Ids are made before the commit and in many processes, so a reader that goes by them would skip what commits
    # late. A position is the transaction and then the id, read only below the horizon. The key takes the place of
    # the one by id: nobody looks for an event without knowing its transaction.
    op.execute("ALTER TABLE event ADD COLUMN transaction xid8 NOT NULL DEFAULT pg_current_xact_id()")
    op.execute("ALTER TABLE event DROP CONSTRAINT event_pkey, ADD PRIMARY KEY (workspace_id, transaction, id)")
    op.execute(
        """
        CREATE TABLE event_forgotten (
            workspace_id uuid PRIMARY KEY,
            transaction  xid8 NOT NULL,
            event_id     uuid NOT NULL
        )
        """
    )
    op.execute("COMMENT ON TABLE event_forgotten IS 'the last event of each workspace that retention took away'")
    isolate("event_forgotten")
    door(
        "new_events(workspaces uuid[], transactions xid8[], ids uuid[])",
        "TABLE (place bigint)",
        f"""
        SELECT w.place
        FROM unnest(workspaces, transactions, ids) WITH ORDINALITY AS w(workspace_id, transaction, id, place)
        WHERE EXISTS (
            SELECT FROM event ev WHERE ev.workspace_id = w.workspace_id
              AND (ev.transaction, ev.id) > (w.transaction, w.id) AND ev.transaction < {HORIZON}
        )
        """,
    )


def _signing_keys() -> None:
    op.execute("ALTER TABLE signing_key ADD COLUMN signs_from timestamptz")
    op.execute("COMMENT ON COLUMN signing_key.signs_from IS 'from when it signs; it is published before'")


def _endpoints() -> None:
    op.execute(
        """
        CREATE TABLE webhook_endpoint (
            workspace_id   uuid NOT NULL REFERENCES workspace,
            id             uuid PRIMARY KEY,
            url            text NOT NULL,
            description    text NOT NULL,
            events         text[] NOT NULL,
            api_version    integer NOT NULL,
            secret         bytea NOT NULL,
            old_secret     bytea,
            old_until      timestamptz,
            headers        bytea NOT NULL,
            contact        text,
            fields         text[] NOT NULL DEFAULT '{}',
            pii            text[] NOT NULL DEFAULT '{}',
            status         text NOT NULL DEFAULT 'ACTIVE'
                           CHECK (status IN ('ACTIVE', 'PAUSED', 'DISABLED', 'DELETED')),
            failing_since  timestamptz,
            disabled_why   text,
            created_at     timestamptz NOT NULL,
            updated_at     timestamptz NOT NULL
        )
        """
    )
    for column in ("secret", "old_secret", "headers"):
        op.execute(f"COMMENT ON COLUMN webhook_endpoint.{column} IS 'encrypted with PASSERELLE_SECRET_KEY'")
    op.execute("CREATE INDEX webhook_endpoint_by_workspace ON webhook_endpoint (workspace_id, id)")
    # How far each endpoint's events have become deliveries. A table of its own, because it changes all the time.
    op.execute(
        """
        CREATE TABLE webhook_cursor (
            workspace_id uuid NOT NULL,
            endpoint_id  uuid PRIMARY KEY REFERENCES webhook_endpoint ON DELETE CASCADE,
            transaction  xid8 NOT NULL DEFAULT pg_current_xact_id(),
            event_id     uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000'
        ) WITH (fillfactor = 50)
        """
    )
    op.execute(
        """
        CREATE TABLE webhook_tally (
            workspace_id uuid NOT NULL,
            endpoint_id  uuid PRIMARY KEY REFERENCES webhook_endpoint ON DELETE CASCADE,
            succeeded    bigint NOT NULL,
            failed       bigint NOT NULL
        ) WITH (fillfactor = 50)
        """
    )
    op.execute("COMMENT ON TABLE webhook_tally IS 'what came of all attempts at an endpoint'")
    isolate("webhook_endpoint", "webhook_cursor", "webhook_tally")


def _deliveries() -> None:
    # `tries` counts since the delivery began or was asked for again, `attempts` counts all.
    # `next_attempt_at` lies in the future while a process has the delivery in hand; `claim` names that process's turn.
    op.execute(
        """
        CREATE TABLE webhook_delivery (
            workspace_id    uuid NOT NULL,
            id              uuid NOT NULL,
            endpoint_id     uuid NOT NULL REFERENCES webhook_endpoint ON DELETE CASCADE,
            transaction     xid8 NOT NULL,
            event_id        uuid NOT NULL,
            event_type      text NOT NULL,
            execution_id    uuid,
            status          text NOT NULL DEFAULT 'PENDING' CHECK (status IN ('PENDING', 'DELIVERED', 'FAILED')),
            tries           integer NOT NULL DEFAULT 0,
            attempts        integer NOT NULL DEFAULT 0,
            next_attempt_at timestamptz NOT NULL,
            claim           uuid,
            created_at      timestamptz NOT NULL,
            delivered_at    timestamptz,
            PRIMARY KEY (workspace_id, id)
        )
        """
    )
    op.execute("CREATE UNIQUE INDEX webhook_delivery_once ON webhook_delivery (endpoint_id, event_id)")
    op.execute(
        "CREATE INDEX webhook_delivery_due ON webhook_delivery (endpoint_id, next_attempt_at, transaction, event_id) "
        "WHERE status = 'PENDING'"
    )
    op.execute(
        "CREATE INDEX webhook_delivery_first ON webhook_delivery (endpoint_id, execution_id, transaction, event_id) "
        f"WHERE status = 'PENDING' AND tries < {QUICK_TRIES}"
    )
    op.execute(
        """
        CREATE TABLE webhook_attempt (
            workspace_id     uuid NOT NULL,
            delivery_id      uuid NOT NULL,
            number           integer NOT NULL,
            started_at       timestamptz NOT NULL,
            duration_ms      integer NOT NULL,
            response_status  integer,
            response_headers jsonb,
            response_body    text,
            error            text,
            PRIMARY KEY (workspace_id, delivery_id, number)
        )
        """
    )
    isolate("webhook_delivery", "webhook_attempt")
    # PostgreSQL has a function for it only from 18 on. Twelve bits below the millisecond keep a batch in its order.
    op.execute(
        """
        CREATE FUNCTION time_ordered_id() RETURNS uuid LANGUAGE sql VOLATILE AS $$
            SELECT encode(
                substring(int8send(us / 1000) FROM 3)
                || int2send((x'7000'::integer + us % 1000 * 4096 / 1000)::smallint)
                || substring(uuid_send(gen_random_uuid()) FROM 9), 'hex')::uuid
            FROM (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS us) AS moment
        $$
        """
    )


def _busy_door(signature: str, returns: str, language: str, body: str) -> None:
    """A door that is passed many times a second: its plan must not be one that was made while tables were small."""
    name = signature.split("(", maxsplit=1)[0]
    op.execute(
        f"CREATE FUNCTION {signature} RETURNS {returns} LANGUAGE {language} VOLATILE SECURITY DEFINER "
        f"SET search_path = public, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off AS $$ {body} $$"
    )
    op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO {APP_ROLE}")


def _dispatching() -> None:
    # One process at a time turns events into deliveries; whoever comes second has nothing to do. The cursor moves
    # only from where it was read: somebody may have set it back meanwhile, to have events delivered again.
    _busy_door(
        "dispatch_events(moment timestamptz, at_most integer)",
        "TABLE (seen bigint, active bigint)",
        "plpgsql",
        f"""
        BEGIN
            IF NOT pg_try_advisory_xact_lock(hashtext('passerelle.webhooks.dispatch')) THEN
                RETURN QUERY SELECT 0::bigint, 1::bigint;
                RETURN;
            END IF;
            RETURN QUERY
            WITH found AS MATERIALIZED (
                SELECT e.id AS endpoint_id, e.workspace_id, ev.transaction, ev.id AS event_id, ev.type,
                       ev.execution_id, {MATCHES} AS wanted, c.transaction AS was_transaction, c.event_id AS was_event
                FROM webhook_endpoint e
                JOIN webhook_cursor c ON c.endpoint_id = e.id
                CROSS JOIN LATERAL (
                    SELECT v.* FROM event v
                    WHERE v.workspace_id = e.workspace_id
                      AND (v.transaction, v.id) > (c.transaction, c.event_id) AND v.transaction < {HORIZON}
                    ORDER BY v.transaction, v.id
                    LIMIT at_most
                ) ev
                WHERE e.status = 'ACTIVE'
            ), written AS (
                INSERT INTO webhook_delivery (workspace_id, id, endpoint_id, transaction, event_id, event_type,
                                              execution_id, next_attempt_at, created_at)
                SELECT f.workspace_id, time_ordered_id(), f.endpoint_id, f.transaction, f.event_id, f.type,
                       f.execution_id, moment, moment
                FROM found f WHERE f.wanted
                ORDER BY f.transaction, f.event_id
                ON CONFLICT (endpoint_id, event_id) DO UPDATE
                SET status = 'PENDING', tries = 0, next_attempt_at = excluded.next_attempt_at, claim = NULL
                WHERE webhook_delivery.status = 'FAILED'
            ), moved AS (
                UPDATE webhook_cursor c SET transaction = last.transaction, event_id = last.event_id
                FROM (
                    SELECT DISTINCT ON (f.endpoint_id) f.* FROM found f
                    ORDER BY f.endpoint_id, f.transaction DESC, f.event_id DESC
                ) last
                WHERE c.endpoint_id = last.endpoint_id
                  AND c.transaction = last.was_transaction AND c.event_id = last.was_event
            )
            SELECT (SELECT count(*) FROM found),
                   (SELECT count(*) FROM webhook_endpoint e WHERE e.status = 'ACTIVE');
        END
        """,
    )


def _sending() -> None:
    # Each endpoint gives at most its free places, so that none can take what the others need. A delivery waits
    # while an earlier one of the same execution to the same endpoint is in its first tries. That is asked row by row
    # (LIMIT): as an anti-join it was planned as a loop over all that is pending.
    _busy_door(
        "claim_deliveries(moment timestamptz, busy uuid[], busy_with integer[], places integer, "
        "places_of_failing integer, at_most integer, new_claim uuid, until timestamptz)",
        "TABLE (workspace_id uuid, id uuid, endpoint_id uuid, tries integer, url text, api_version integer, "
        "secret bytea, old_secret bytea, headers bytea, fields text[], pii text[], "
        "event_id uuid, type text, data jsonb, created_at timestamptz)",
        "sql",
        f"""
        WITH free AS MATERIALIZED (
            SELECT e.*, CASE WHEN e.failing_since IS NULL THEN places ELSE places_of_failing END
                        - coalesce(b.busy_with, 0) AS places
            FROM webhook_endpoint e LEFT JOIN unnest(busy, busy_with) AS b(id, busy_with) ON b.id = e.id
            WHERE e.status = 'ACTIVE'
            ORDER BY random()
        ), due AS MATERIALIZED (
            SELECT d.* FROM free
            CROSS JOIN LATERAL (
                SELECT d.workspace_id, d.id FROM webhook_delivery d
                WHERE d.endpoint_id = free.id AND d.status = 'PENDING' AND d.next_attempt_at <= moment
                  AND (
                      SELECT p.id FROM webhook_delivery p
                      WHERE p.endpoint_id = d.endpoint_id AND p.execution_id = d.execution_id
                        AND p.status = 'PENDING' AND p.tries < {QUICK_TRIES}
                        AND (p.transaction, p.event_id) < (d.transaction, d.event_id)
                      LIMIT 1
                  ) IS NULL
                ORDER BY d.next_attempt_at, d.transaction, d.event_id
                LIMIT greatest(free.places, 0)
                FOR UPDATE SKIP LOCKED
            ) d
            LIMIT at_most
        ), claimed AS (
            UPDATE webhook_delivery d SET claim = new_claim, next_attempt_at = until
            FROM due WHERE d.workspace_id = due.workspace_id AND d.id = due.id
            RETURNING d.*
        )
        SELECT c.workspace_id, c.id, c.endpoint_id, c.tries, free.url, free.api_version, free.secret,
               CASE WHEN free.old_until > moment THEN free.old_secret END, free.headers,
               free.fields, free.pii, ev.id, ev.type, ev.data, ev.created_at
        FROM claimed c
        JOIN free ON free.id = c.endpoint_id
        JOIN event ev ON ev.workspace_id = c.workspace_id AND ev.transaction = c.transaction AND ev.id = c.event_id
        ORDER BY c.transaction, ev.id
        """,
    )


def _recording() -> None:
    # An answer that says yes counts however late it comes. One that says no counts only for whoever still holds the
    # delivery: another process may have taken it over, or somebody may have asked for it again.
    _busy_door(
        "record_attempts(moment timestamptz, outcomes jsonb)",
        "void",
        "sql",
        """
        WITH o AS MATERIALIZED (
            SELECT * FROM jsonb_to_recordset(outcomes) AS o(
                workspace_id uuid, id uuid, endpoint_id uuid, claim uuid, delivered boolean,
                next_attempt_at timestamptz, started_at timestamptz, duration_ms integer, response_status integer,
                response_headers jsonb, response_body text, error text)
        ), d AS (
            UPDATE webhook_delivery d SET
                attempts = d.attempts + 1,
                status = CASE WHEN o.delivered THEN 'DELIVERED'
                              WHEN d.claim = o.claim AND o.next_attempt_at IS NULL THEN 'FAILED'
                              ELSE d.status END,
                delivered_at = CASE WHEN o.delivered THEN moment ELSE d.delivered_at END,
                tries = CASE WHEN d.claim = o.claim THEN d.tries + 1 ELSE d.tries END,
                next_attempt_at = CASE WHEN d.claim = o.claim AND NOT o.delivered
                                       THEN coalesce(o.next_attempt_at, moment) ELSE d.next_attempt_at END,
                claim = CASE WHEN d.claim = o.claim THEN NULL ELSE d.claim END
            FROM o WHERE d.workspace_id = o.workspace_id AND d.id = o.id
            RETURNING d.id, d.attempts
        ), a AS (
            INSERT INTO webhook_attempt (workspace_id, delivery_id, number, started_at, duration_ms, response_status,
                                         response_headers, response_body, error)
            SELECT o.workspace_id, o.id, d.attempts, o.started_at, o.duration_ms, o.response_status,
                   o.response_headers, o.response_body, o.error
            FROM d JOIN o ON o.id = d.id
        ), counted AS (
            INSERT INTO webhook_tally AS t (workspace_id, endpoint_id, succeeded, failed)
            SELECT o.workspace_id, o.endpoint_id, count(*) FILTER (WHERE o.delivered),
                   count(*) FILTER (WHERE NOT o.delivered)
            FROM o JOIN webhook_endpoint e ON e.id = o.endpoint_id
            GROUP BY 1, 2 ORDER BY 2 -- the same order in every process: none waits for another in a circle
            ON CONFLICT (endpoint_id) DO UPDATE
            SET succeeded = t.succeeded + excluded.succeeded, failed = t.failed + excluded.failed
        )
        UPDATE webhook_endpoint e
        SET failing_since = CASE WHEN s.well THEN NULL ELSE moment END
        FROM (SELECT o.endpoint_id, bool_or(o.delivered) AS well FROM o GROUP BY o.endpoint_id) s
        WHERE e.id = s.endpoint_id AND (e.failing_since IS NOT NULL) = s.well
        """,
    )
    door(
        "release_deliveries(moment timestamptz, held uuid[])",
        "void",
        "UPDATE webhook_delivery SET claim = NULL, next_attempt_at = moment "
        "WHERE claim = ANY (held) AND status = 'PENDING'",
        changes=True,
    )
    door(
        "endpoints_failing_since(before timestamptz)",
        "TABLE (workspace_id uuid, id uuid)",
        "SELECT workspace_id, id FROM webhook_endpoint WHERE status = 'ACTIVE' AND failing_since <= before",
    )


def _forgetting() -> None:
    # Both tables are read in the order of their keys, which is that of time: no index by age is needed.
    door(
        "forget_deliveries(before timestamptz, at_most integer)",
        "bigint",
        """
        WITH old AS MATERIALIZED (
            SELECT d.* FROM workspace w CROSS JOIN LATERAL (
                SELECT first.workspace_id, first.id FROM (
                    SELECT v.workspace_id, v.id, v.created_at FROM webhook_delivery v
                    WHERE v.workspace_id = w.workspace_id ORDER BY v.workspace_id, v.id LIMIT at_most
                ) first WHERE first.created_at < before
            ) d
        ), attempts AS (
            DELETE FROM webhook_attempt a USING old WHERE a.workspace_id = old.workspace_id AND a.delivery_id = old.id
        ), gone AS (
            DELETE FROM webhook_delivery d USING old WHERE d.workspace_id = old.workspace_id AND d.id = old.id
            RETURNING 1
        ), endpoints AS (
            DELETE FROM webhook_endpoint e WHERE e.status = 'DELETED' AND e.updated_at < before
        )
        SELECT count(*) FROM gone
        """,
        changes=True,
    )
    door(
        "forget_events(before timestamptz, at_most integer)",
        "bigint",
        """
        WITH old AS MATERIALIZED (
            SELECT e.* FROM workspace w CROSS JOIN LATERAL (
                SELECT first.workspace_id, first.transaction, first.id FROM (
                    SELECT v.workspace_id, v.transaction, v.id, v.created_at FROM event v
                    WHERE v.workspace_id = w.workspace_id ORDER BY v.workspace_id, v.transaction, v.id LIMIT at_most
                ) first WHERE first.created_at < before
            ) e
        ), marked AS (
            INSERT INTO event_forgotten AS f (workspace_id, transaction, event_id)
            SELECT DISTINCT ON (o.workspace_id) o.workspace_id, o.transaction, o.id
            FROM old o ORDER BY o.workspace_id, o.transaction DESC, o.id DESC
            ON CONFLICT (workspace_id) DO UPDATE SET transaction = excluded.transaction, event_id = excluded.event_id
            WHERE (f.transaction, f.event_id) < (excluded.transaction, excluded.event_id)
        ), hopeless AS (
            UPDATE webhook_delivery d SET status = 'FAILED', claim = NULL
            FROM old JOIN webhook_endpoint e ON e.workspace_id = old.workspace_id
            WHERE d.endpoint_id = e.id AND d.event_id = old.id AND d.status = 'PENDING'
        ), gone AS (
            DELETE FROM event v USING old
            WHERE v.workspace_id = old.workspace_id AND v.transaction = old.transaction AND v.id = old.id
            RETURNING 1
        )
        SELECT count(*) FROM gone
        """,
        changes=True,
    )


def _counting() -> None:
    door(
        "webhook_counts(moment timestamptz)",
        "TABLE (pending bigint, overdue_seconds double precision, failing bigint, disabled bigint, succeeded bigint, "
        "failed bigint)",
        """
        SELECT coalesce(sum(p.pending), 0)::bigint,
               greatest(coalesce(extract(epoch FROM moment - min(p.due)), 0), 0)::double precision,
               count(*) FILTER (WHERE e.failing_since IS NOT NULL AND e.status = 'ACTIVE'),
               count(*) FILTER (WHERE e.status = 'DISABLED'),
               coalesce(sum(t.succeeded), 0)::bigint, coalesce(sum(t.failed), 0)::bigint
        FROM webhook_endpoint e LEFT JOIN webhook_tally t ON t.endpoint_id = e.id CROSS JOIN LATERAL (
            SELECT count(*) AS pending, min(d.next_attempt_at) FILTER (WHERE e.status = 'ACTIVE') AS due
            FROM webhook_delivery d WHERE d.endpoint_id = e.id AND d.status = 'PENDING'
        ) p
        """,
    )
