"""Workspaces, credentials, definitions, executions, events."""

from __future__ import annotations

from alembic import op

from passerelle.migrations.order import before
from passerelle.migrations.tenancy import APP_ROLE, create_app_role, door, isolate

revision = "0001"
down_revision = before(revision)


def upgrade() -> None:
    create_app_role()
    _accounts()
    _definitions()
    _executions()
    _events()


def _accounts() -> None:
    op.execute(
        """
        CREATE TABLE workspace (
            workspace_id uuid PRIMARY KEY,
            name         text NOT NULL,
            created_at   timestamptz NOT NULL DEFAULT now()
        )
        """
    )
    # `kind` is `pair` (key and secret, exchanged for access tokens) or `token` (an organization token, sent as it is).
    op.execute(
        """
        CREATE TABLE api_key (
            workspace_id uuid NOT NULL REFERENCES workspace,
            id           uuid PRIMARY KEY,
            kind         text NOT NULL CHECK (kind IN ('pair', 'token')),
            name         text NOT NULL,
            public_id    text UNIQUE,
            secret_hash  text NOT NULL,
            api_version  integer NOT NULL DEFAULT 1,
            created_at   timestamptz NOT NULL DEFAULT now(),
            revoked_at   timestamptz
        )
        """
    )
    op.execute("CREATE UNIQUE INDEX api_key_token ON api_key (secret_hash) WHERE kind = 'token'")
    op.execute(
        """
        CREATE TABLE refresh_token (
            workspace_id uuid NOT NULL REFERENCES workspace,
            id           uuid PRIMARY KEY,
            family       uuid NOT NULL,
            key_id       uuid NOT NULL REFERENCES api_key,
            token_hash   text NOT NULL UNIQUE,
            created_at   timestamptz NOT NULL DEFAULT now(),
            expires_at   timestamptz NOT NULL,
            used_at      timestamptz,
            revoked_at   timestamptz
        )
        """
    )
    op.execute("CREATE INDEX refresh_token_family ON refresh_token (family)")
    op.execute("CREATE INDEX refresh_token_age ON refresh_token (expires_at)")
    op.execute(
        """
        CREATE TABLE signing_key (
            workspace_id uuid NOT NULL REFERENCES workspace,
            id           uuid PRIMARY KEY,
            public_pem   text NOT NULL,
            private_pem  bytea NOT NULL,
            created_at   timestamptz NOT NULL DEFAULT now(),
            retired_at   timestamptz
        )
        """
    )
    op.execute("COMMENT ON COLUMN signing_key.private_pem IS 'encrypted with PASSERELLE_SECRET_KEY'")
    op.execute(
        """
        CREATE TABLE idempotency_key (
            workspace_id uuid NOT NULL,
            key          text NOT NULL,
            request_hash bytea NOT NULL,
            resource_id  uuid NOT NULL,
            created_at   timestamptz NOT NULL DEFAULT now(),
            locked_until timestamptz NOT NULL,
            status       integer,
            headers      jsonb,
            body         bytea,
            PRIMARY KEY (workspace_id, key)
        )
        """
    )
    op.execute("COMMENT ON COLUMN idempotency_key.body IS 'encrypted with PASSERELLE_SECRET_KEY'")
    op.execute("CREATE INDEX idempotency_key_age ON idempotency_key (created_at)")
    isolate("workspace", "api_key", "refresh_token", "signing_key", "idempotency_key")
    door(
        "find_key(wanted text)",
        "SETOF api_key",
        "SELECT * FROM api_key WHERE public_id = wanted AND kind = 'pair'",
    )
    door(
        "find_organization_token(wanted text)",
        "SETOF api_key",
        "SELECT * FROM api_key WHERE secret_hash = wanted AND kind = 'token'",
    )
    door(
        "find_refresh_token(wanted text)",
        "SETOF refresh_token",
        "SELECT * FROM refresh_token WHERE token_hash = wanted",
    )
    door(
        "public_signing_keys()",
        "TABLE (id uuid, public_pem text)",
        "SELECT id, public_pem FROM signing_key ORDER BY id",
    )
    door(
        "find_public_signing_key(wanted uuid)",
        "TABLE (id uuid, public_pem text)",
        "SELECT id, public_pem FROM signing_key WHERE id = wanted",
    )
    _forgetting("idempotency_key", "created_at")
    _forgetting("refresh_token", "expires_at")


def _forgetting(table: str, age: str) -> None:
    """A door that deletes the rows of every workspace that are older than `before`, some at a time."""
    door(
        f"forget_{table}s(before timestamptz, at_most integer)",
        "bigint",
        f"""
        WITH old AS (
            DELETE FROM {table} WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM {table} WHERE {age} < before LIMIT at_most FOR UPDATE SKIP LOCKED
            ))
            RETURNING 1
        )
        SELECT count(*) FROM old
        """,
        changes=True,
    )


def _definitions() -> None:
    op.execute(
        """
        CREATE TABLE definition (
            workspace_id       uuid NOT NULL REFERENCES workspace,
            id                 uuid NOT NULL,
            name               text NOT NULL,
            published_revision uuid,
            created_at         timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (workspace_id, id),
            UNIQUE (workspace_id, name)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE revision (
            workspace_id  uuid NOT NULL,
            id            uuid NOT NULL,
            definition_id uuid NOT NULL,
            number        integer NOT NULL,
            text          text NOT NULL,
            created_at    timestamptz NOT NULL DEFAULT now(),
            created_by    text NOT NULL,
            PRIMARY KEY (workspace_id, id),
            UNIQUE (workspace_id, definition_id, number),
            FOREIGN KEY (workspace_id, definition_id) REFERENCES definition
        )
        """
    )
    op.execute(
        """
        CREATE TABLE publication (
            workspace_id  uuid NOT NULL,
            id            uuid NOT NULL,
            definition_id uuid NOT NULL,
            revision_id   uuid NOT NULL,
            published_at  timestamptz NOT NULL DEFAULT now(),
            published_by  text NOT NULL,
            PRIMARY KEY (workspace_id, id),
            FOREIGN KEY (workspace_id, revision_id) REFERENCES revision
        )
        """
    )
    op.execute(
        """
        CREATE TABLE stored_parameters (
            workspace_id  uuid NOT NULL,
            id            uuid NOT NULL,
            definition_id uuid,
            parameters    jsonb NOT NULL,
            created_at    timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (workspace_id, id)
        )
        """
    )
    isolate("definition", "revision", "publication", "stored_parameters")
    # A revision never changes: an execution is pinned to it.
    op.execute(f"REVOKE UPDATE, DELETE ON revision, publication FROM {APP_ROLE}")


def _executions() -> None:
    # `seq` is the fence: every commit names the value that it read and adds one.
    # `job_id` names the job of a runnable execution in the queue's own table.
    op.execute(
        """
        CREATE TABLE execution (
            workspace_id   uuid NOT NULL,
            id             uuid NOT NULL,
            definition_id  uuid NOT NULL,
            revision_id    uuid NOT NULL,
            status         text NOT NULL CHECK (status IN
                           ('RUNNING', 'AWAITING', 'COMPLETED', 'FAILED', 'EXPIRED', 'CANCELLED')),
            execution_type text NOT NULL CHECK (execution_type IN ('BACKGROUND', 'INTERACTIVE')),
            seq            integer NOT NULL,
            state          jsonb NOT NULL,
            parameters     jsonb NOT NULL,
            record_id      uuid,
            locale         text,
            origin         text NOT NULL,
            waiting_for    jsonb,
            result         jsonb,
            error          jsonb,
            wake_at        timestamptz,
            job_id         bigint,
            expires_at     timestamptz,
            created_at     timestamptz NOT NULL,
            updated_at     timestamptz NOT NULL,
            completed_at   timestamptz,
            PRIMARY KEY (workspace_id, id)
        )
        """
    )
    op.execute("CREATE INDEX execution_by_definition ON execution (workspace_id, definition_id, id)")
    op.execute(
        "CREATE INDEX execution_by_record ON execution (workspace_id, record_id, id) WHERE record_id IS NOT NULL"
    )
    op.execute(
        "CREATE INDEX execution_open ON execution (workspace_id, status, id) "
        "WHERE status IN ('RUNNING', 'AWAITING', 'FAILED')"
    )
    op.execute("CREATE INDEX execution_due ON execution (wake_at) WHERE wake_at IS NOT NULL")
    op.execute(
        """
        CREATE TABLE step_run (
            workspace_id uuid NOT NULL,
            execution_id uuid NOT NULL,
            step         text NOT NULL,
            visit        integer NOT NULL,
            attempt      integer NOT NULL,
            ordinal      integer NOT NULL,
            kind         text NOT NULL,
            status       text NOT NULL CHECK (status IN ('COMPLETED', 'SKIPPED', 'FAILED')),
            input        jsonb,
            output       jsonb,
            error        jsonb,
            started_at   timestamptz NOT NULL,
            ended_at     timestamptz NOT NULL,
            PRIMARY KEY (execution_id, step, visit, attempt)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE received_event (
            workspace_id uuid NOT NULL,
            id           uuid NOT NULL,
            execution_id uuid NOT NULL,
            name         text NOT NULL,
            body         jsonb,
            received_at  timestamptz NOT NULL,
            consumed_at  timestamptz,
            PRIMARY KEY (execution_id, id)
        )
        """
    )
    isolate("execution", "step_run", "received_event")
    _ended_is_ended()
    door(
        "stranded_executions(older_than interval, at_most integer)",
        "TABLE (workspace_id uuid, id uuid, seq integer)",
        """
        SELECT e.workspace_id, e.id, e.seq FROM execution e
        WHERE e.wake_at < now() - older_than
          AND NOT EXISTS (SELECT FROM pgqueuer job WHERE job.id = e.job_id AND job.status IN ('queued', 'picked'))
        ORDER BY e.wake_at
        LIMIT at_most
        """,
    )
    door(
        "execution_counts()",
        "TABLE (status text, executions bigint)",
        "SELECT status, count(*) FROM execution WHERE status IN ('RUNNING', 'AWAITING', 'FAILED') GROUP BY status",
    )


def _ended_is_ended() -> None:
    op.execute(
        """
        CREATE FUNCTION refuse_change_of_ended_status() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'execution % has ended as % and cannot become %', OLD.id, OLD.status, NEW.status
                USING ERRCODE = 'PS001';
        END $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER ended_is_ended BEFORE UPDATE OF status ON execution FOR EACH ROW
        WHEN (OLD.status IN ('COMPLETED', 'EXPIRED', 'CANCELLED') AND NEW.status <> OLD.status)
        EXECUTE FUNCTION refuse_change_of_ended_status()
        """
    )


def _events() -> None:
    op.execute(
        """
        CREATE TABLE event (
            workspace_id uuid NOT NULL,
            id           uuid NOT NULL,
            type         text NOT NULL,
            execution_id uuid,
            data         jsonb NOT NULL,
            created_at   timestamptz NOT NULL,
            PRIMARY KEY (workspace_id, id)
        )
        """
    )
    isolate("event")
