"""Links and tokens for end users, the browsers that they are bound to, one-time codes, e-mails."""

from __future__ import annotations

from alembic import op

from passerelle.migrations.order import before
from passerelle.migrations.tenancy import door, isolate

revision = "0035"
down_revision = before(revision)

OPEN = "('RUNNING', 'AWAITING')"


def upgrade() -> None:
    _links()
    _tokens()
    _sessions()
    _codes_and_emails()
    _finding()
    _expiring()
    _forgetting()


def _links() -> None:
    # Secrets are not kept: each is derived from the installation's key and the row's own random `salt`, and found by
    # its hash. So a request that is sent again, and a worker that writes the e-mail, come to the same secret.
    op.execute(
        """
        CREATE TABLE link (
            workspace_id  uuid NOT NULL REFERENCES workspace,
            id            uuid NOT NULL,
            execution_id  uuid NOT NULL,
            definition_id uuid NOT NULL,
            record_id     uuid,
            salt          bytea NOT NULL,
            secret_hash   bytea NOT NULL UNIQUE,
            email         text,
            created_at    timestamptz NOT NULL,
            expires_at    timestamptz NOT NULL,
            opened_at     timestamptz,
            activated_at  timestamptz,
            challenge     bytea,
            visit_id      uuid,
            superseded_at timestamptz,
            deleted_at    timestamptz,
            expired_at    timestamptz,
            PRIMARY KEY (workspace_id, id),
            FOREIGN KEY (workspace_id, execution_id) REFERENCES execution
        )
        """
    )
    op.execute("COMMENT ON COLUMN link.challenge IS 'hash of what the page that activated the link had been given'")
    op.execute("COMMENT ON COLUMN link.expired_at IS 'when it was told that the link ran out unused'")
    # An execution has one link: a request that is sent again finds the one that it made.
    op.execute("CREATE UNIQUE INDEX link_by_execution ON link (workspace_id, execution_id)")
    op.execute(
        "CREATE UNIQUE INDEX link_newest ON link (workspace_id, definition_id, record_id) "
        "WHERE record_id IS NOT NULL AND superseded_at IS NULL AND deleted_at IS NULL"
    )
    op.execute(
        "CREATE INDEX link_running_out ON link (expires_at) WHERE activated_at IS NULL AND superseded_at IS NULL "
        "AND deleted_at IS NULL AND expired_at IS NULL"
    )
    op.execute("CREATE INDEX link_addressed ON link (expires_at) WHERE email IS NOT NULL")
    isolate("link")


def _tokens() -> None:
    op.execute(
        """
        CREATE TABLE widget_token (
            workspace_id uuid NOT NULL REFERENCES workspace,
            id           uuid NOT NULL,
            execution_id uuid NOT NULL,
            created_at   timestamptz NOT NULL,
            expires_at   timestamptz NOT NULL,
            spent_at     timestamptz,
            PRIMARY KEY (workspace_id, id),
            FOREIGN KEY (workspace_id, execution_id) REFERENCES execution
        )
        """
    )
    op.execute("CREATE UNIQUE INDEX widget_token_by_execution ON widget_token (workspace_id, execution_id)")
    op.execute("CREATE INDEX widget_token_age ON widget_token (expires_at)")
    isolate("widget_token")


def _sessions() -> None:
    op.execute(
        """
        CREATE TABLE visit (
            workspace_id uuid NOT NULL REFERENCES workspace,
            id           uuid NOT NULL,
            execution_id uuid NOT NULL,
            kind         text NOT NULL CHECK (kind IN ('link', 'token')),
            salt         bytea NOT NULL,
            secret_hash  bytea NOT NULL UNIQUE,
            created_at   timestamptz NOT NULL,
            expires_at   timestamptz NOT NULL,
            ended_at     timestamptz,
            PRIMARY KEY (workspace_id, id),
            FOREIGN KEY (workspace_id, execution_id) REFERENCES execution
        )
        """
    )
    op.execute("COMMENT ON TABLE visit IS 'the browser that an execution is bound to'")
    op.execute("CREATE UNIQUE INDEX visit_open ON visit (workspace_id, execution_id) WHERE ended_at IS NULL")
    op.execute("CREATE INDEX visit_age ON visit (expires_at)")
    isolate("visit")


def _codes_and_emails() -> None:
    # `attempts` and `sent` are what guessing and flooding are limited by.
    op.execute(
        """
        CREATE TABLE link_code (
            workspace_id uuid NOT NULL,
            link_id      uuid NOT NULL,
            salt         bytea NOT NULL,
            expires_at   timestamptz NOT NULL,
            attempts     integer NOT NULL DEFAULT 0,
            sent         timestamptz[] NOT NULL,
            used_at      timestamptz,
            visit_id     uuid,
            PRIMARY KEY (workspace_id, link_id),
            FOREIGN KEY (workspace_id, link_id) REFERENCES link ON DELETE CASCADE
        )
        """
    )
    op.execute(
        """
        CREATE TABLE link_email (
            workspace_id uuid NOT NULL,
            id           uuid NOT NULL,
            link_id      uuid NOT NULL,
            kind         text NOT NULL CHECK (kind IN ('link', 'code')),
            base_url     text NOT NULL,
            salt         bytea,
            status       text NOT NULL DEFAULT 'PENDING' CHECK (status IN ('PENDING', 'SENT', 'FAILED')),
            tries        integer NOT NULL DEFAULT 0,
            error        text,
            created_at   timestamptz NOT NULL,
            send_until   timestamptz NOT NULL,
            ended_at     timestamptz,
            PRIMARY KEY (workspace_id, id),
            FOREIGN KEY (workspace_id, link_id) REFERENCES link ON DELETE CASCADE
        )
        """
    )
    op.execute("COMMENT ON COLUMN link_email.salt IS 'of the code that it carries, if it carries one'")
    op.execute("CREATE INDEX link_email_by_link ON link_email (workspace_id, link_id)")
    op.execute("CREATE INDEX link_email_age ON link_email (ended_at) WHERE ended_at IS NOT NULL")
    isolate("link_code", "link_email")


def _finding() -> None:
    # Who opens a link names no workspace: it is found by the secret alone.
    door(
        "find_link(wanted bytea)",
        "TABLE (workspace_id uuid, id uuid, execution_id uuid, definition_id uuid, revision_id uuid, record_id uuid, "
        "email text, locale text, status text, created_at timestamptz, expires_at timestamptz, opened_at timestamptz, "
        "activated_at timestamptz, superseded_at timestamptz, deleted_at timestamptz)",
        """
        SELECT l.workspace_id, l.id, l.execution_id, l.definition_id, e.revision_id, l.record_id, l.email, e.locale,
               e.status, l.created_at, l.expires_at, l.opened_at, l.activated_at, l.superseded_at, l.deleted_at
        FROM link l JOIN execution e ON e.workspace_id = l.workspace_id AND e.id = l.execution_id
        WHERE l.secret_hash = wanted
        """,
    )
    door(
        "find_visit(wanted bytea, moment timestamptz)",
        "TABLE (workspace_id uuid, execution_id uuid, kind text, expires_at timestamptz)",
        "SELECT v.workspace_id, v.execution_id, v.kind, v.expires_at FROM visit v "
        "WHERE v.secret_hash = wanted AND v.ended_at IS NULL AND v.expires_at > moment",
    )


def _expiring() -> None:
    # Told once for each, whoever asks and however often a process dies: the mark and the event are one statement.
    door(
        "expire_links(moment timestamptz, at_most integer)",
        "bigint",
        f"""
        WITH due AS MATERIALIZED (
            SELECT l.workspace_id, l.id FROM link l
            WHERE l.expires_at <= moment AND l.activated_at IS NULL AND l.superseded_at IS NULL
              AND l.deleted_at IS NULL AND l.expired_at IS NULL
            ORDER BY l.expires_at LIMIT at_most FOR UPDATE SKIP LOCKED
        ), gone AS (
            UPDATE link l SET expired_at = moment FROM due
            WHERE l.workspace_id = due.workspace_id AND l.id = due.id
            RETURNING l.*
        ), told AS (
            INSERT INTO event (workspace_id, id, type, execution_id, data, created_at)
            SELECT g.workspace_id, time_ordered_id(), 'link.expired', g.execution_id,
                   jsonb_build_object('linkId', g.id, 'workflowId', g.execution_id,
                                      'workflowDefinitionId', g.definition_id, 'recordId', g.record_id), moment
            FROM gone g JOIN execution e ON e.workspace_id = g.workspace_id AND e.id = g.execution_id
            WHERE e.status = 'EXPIRED' OR e.status IN {OPEN}
        )
        SELECT count(*) FROM gone
        """,
        changes=True,
    )


def _forgetting() -> None:
    # Links stay as long as their executions. The address goes once nothing can be sent to it any more.
    door(
        "forget_link_traces(before timestamptz, at_most integer)",
        "bigint",
        """
        WITH tokens AS (
            DELETE FROM widget_token WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM widget_token WHERE expires_at < before LIMIT at_most FOR UPDATE SKIP LOCKED))
            RETURNING 1
        ), visits AS (
            DELETE FROM visit WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM visit WHERE expires_at < before LIMIT at_most FOR UPDATE SKIP LOCKED))
            RETURNING 1
        ), emails AS (
            DELETE FROM link_email WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM link_email WHERE ended_at < before LIMIT at_most FOR UPDATE SKIP LOCKED))
            RETURNING 1
        ), addresses AS (
            UPDATE link SET email = NULL WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM link WHERE expires_at < before AND email IS NOT NULL LIMIT at_most
                FOR UPDATE SKIP LOCKED))
            RETURNING 1
        )
        SELECT greatest((SELECT count(*) FROM tokens), (SELECT count(*) FROM visits), (SELECT count(*) FROM emails),
                        (SELECT count(*) FROM addresses))
        """,
        changes=True,
    )
