"""Organizations, their users, who is a member of which workspace, invitations, sessions."""

from __future__ import annotations

from alembic import op

from passerelle.kit.connections import APP_ROLE
from passerelle.migrations.tenancy import WORKSPACE

revision = "0120_people"
down_revision = "baseline"

ORGANIZATION = "nullif(current_setting('passerelle.organization', true), '')::uuid"
"""The organization that the connection serves; NULL, which equals nothing, where none is named."""


def upgrade() -> None:
    _organizations()
    _users()
    _roles()
    _enrolments()
    _sessions()


def _belongs_to_organization(*tables: str) -> None:
    for table in tables:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY own_organization ON {table} "
            f"USING (organization_id = {ORGANIZATION}) WITH CHECK (organization_id = {ORGANIZATION})"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {APP_ROLE}")


def _organizations() -> None:
    op.execute(
        """
        CREATE TABLE organization (
            organization_id uuid PRIMARY KEY,
            name            text NOT NULL,
            created_at      timestamptz NOT NULL DEFAULT now()
        )
        """
    )
    op.execute("ALTER TABLE workspace ADD COLUMN organization_id uuid")
    # Each workspace that is there becomes the first of an organization of its own.
    op.execute("UPDATE workspace SET organization_id = gen_random_uuid()")
    op.execute(
        "INSERT INTO organization (organization_id, name, created_at) "
        "SELECT organization_id, name, created_at FROM workspace"
    )
    op.execute("ALTER TABLE workspace ADD FOREIGN KEY (organization_id) REFERENCES organization")
    op.execute("COMMENT ON COLUMN workspace.organization_id IS 'filled by a trigger where nothing is named'")
    op.execute("CREATE INDEX workspace_organization ON workspace (organization_id)")
    op.execute(f"CREATE POLICY own_organization ON workspace FOR SELECT USING (organization_id = {ORGANIZATION})")
    _belongs_to_organization("organization")


def _users() -> None:
    op.execute(
        """
        CREATE TABLE app_user (
            organization_id     uuid NOT NULL REFERENCES organization,
            id                  uuid PRIMARY KEY,
            email               text NOT NULL,
            email_key           text NOT NULL,
            first_name          text NOT NULL,
            last_name           text NOT NULL,
            title               text,
            language            text NOT NULL,
            time_zone           text NOT NULL,
            role                text NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
            state               text NOT NULL CHECK (state IN ('active', 'deactivated')),
            password_hash       text,
            password_changed_at timestamptz,
            totp_secret         bytea,
            totp_confirmed_at   timestamptz,
            totp_last_step      bigint,
            idp_id              text,
            workspace_id        uuid REFERENCES workspace ON DELETE SET NULL,
            created_at          timestamptz NOT NULL,
            updated_at          timestamptz NOT NULL,
            last_sign_in_at     timestamptz,
            UNIQUE (organization_id, email_key)
        )
        """
    )
    op.execute("COMMENT ON COLUMN app_user.email_key IS 'the address as it is compared: folded'")
    op.execute("COMMENT ON COLUMN app_user.totp_secret IS 'encrypted with PASSERELLE_SECRET_KEY'")
    op.execute("COMMENT ON COLUMN app_user.workspace_id IS 'the workspace that was looked at last'")
    op.execute("CREATE INDEX app_user_email ON app_user (email_key)")
    op.execute("CREATE INDEX app_user_list ON app_user (organization_id, email_key, id)")
    op.execute(
        """
        CREATE TABLE recovery_code (
            organization_id uuid NOT NULL,
            user_id         uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
            code_hash       text NOT NULL,
            used_at         timestamptz,
            PRIMARY KEY (user_id, code_hash)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE passkey (
            organization_id uuid NOT NULL,
            user_id         uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
            id              uuid PRIMARY KEY,
            credential_id   bytea NOT NULL UNIQUE,
            public_key      bytea NOT NULL,
            sign_count      bigint NOT NULL,
            name            text NOT NULL,
            created_at      timestamptz NOT NULL,
            last_used_at    timestamptz
        )
        """
    )
    op.execute("CREATE INDEX passkey_user ON passkey (user_id)")
    op.execute(
        """
        CREATE TABLE password_reset (
            organization_id uuid NOT NULL,
            user_id         uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
            token_hash      text PRIMARY KEY,
            created_at      timestamptz NOT NULL,
            expires_at      timestamptz NOT NULL,
            used_at         timestamptz
        )
        """
    )
    op.execute("CREATE INDEX password_reset_user ON password_reset (user_id)")
    _belongs_to_organization("app_user", "recovery_code", "passkey", "password_reset")


def _roles() -> None:
    op.execute(
        """
        CREATE TABLE workspace_role (
            workspace_id    uuid NOT NULL REFERENCES workspace,
            organization_id uuid NOT NULL REFERENCES organization,
            name            text NOT NULL,
            description     text NOT NULL,
            permissions     text[] NOT NULL,
            created_at      timestamptz NOT NULL,
            updated_at      timestamptz NOT NULL,
            PRIMARY KEY (workspace_id, name)
        )
        """
    )
    # `role` is the name of a built-in role, or of one of the workspace's own.
    op.execute(
        """
        CREATE TABLE membership (
            workspace_id    uuid NOT NULL REFERENCES workspace,
            organization_id uuid NOT NULL REFERENCES organization,
            user_id         uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
            role            text NOT NULL,
            created_at      timestamptz NOT NULL,
            PRIMARY KEY (workspace_id, user_id)
        )
        """
    )
    op.execute("CREATE INDEX membership_user ON membership (user_id)")
    for table in ("workspace_role", "membership"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY own_workspace ON {table} "
            f"USING (workspace_id = {WORKSPACE}) WITH CHECK (workspace_id = {WORKSPACE})"
        )
        op.execute(
            f"CREATE POLICY own_organization ON {table} USING (organization_id = {ORGANIZATION}) "
            f"WITH CHECK (organization_id = {ORGANIZATION})"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {APP_ROLE}")


def _enrolments() -> None:
    op.execute(
        """
        CREATE TABLE enrolment (
            organization_id uuid NOT NULL REFERENCES organization,
            id              uuid PRIMARY KEY,
            email           text NOT NULL,
            email_key       text NOT NULL,
            first_name      text,
            last_name       text,
            title           text,
            language        text NOT NULL,
            role            text NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
            memberships     jsonb NOT NULL,
            token_hash      text NOT NULL UNIQUE,
            invited_by      text NOT NULL,
            created_at      timestamptz NOT NULL,
            last_sent_at    timestamptz NOT NULL,
            expires_at      timestamptz NOT NULL,
            accepted_at     timestamptz,
            cancelled_at    timestamptz,
            user_id         uuid REFERENCES app_user ON DELETE SET NULL
        )
        """
    )
    op.execute("COMMENT ON COLUMN enrolment.memberships IS 'workspace ids and the roles there'")
    op.execute("CREATE INDEX enrolment_list ON enrolment (organization_id, created_at, id)")
    op.execute(
        "CREATE UNIQUE INDEX enrolment_open ON enrolment (organization_id, email_key) "
        "WHERE accepted_at IS NULL AND cancelled_at IS NULL"
    )
    _belongs_to_organization("enrolment")


def _sessions() -> None:
    # A session is there before anybody is known: then it belongs to no organization, and only its token finds it.
    op.execute(
        """
        CREATE TABLE user_session (
            id               uuid PRIMARY KEY,
            organization_id  uuid,
            user_id          uuid REFERENCES app_user ON DELETE CASCADE,
            token_hash       text NOT NULL UNIQUE,
            factors          text[] NOT NULL,
            pending          bytea,
            authenticated_at timestamptz,
            created_at       timestamptz NOT NULL,
            last_seen_at     timestamptz NOT NULL,
            expires_at       timestamptz NOT NULL,
            address          text NOT NULL,
            user_agent       text NOT NULL,
            CHECK ((user_id IS NULL) = (organization_id IS NULL)),
            CHECK (authenticated_at IS NULL OR user_id IS NOT NULL)
        )
        """
    )
    op.execute("COMMENT ON COLUMN user_session.pending IS 'what a sign-in under way waits for, encrypted'")
    op.execute("CREATE INDEX user_session_user ON user_session (user_id)")
    op.execute("CREATE INDEX user_session_age ON user_session (expires_at)")
    op.execute("ALTER TABLE user_session ENABLE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY own_organization ON user_session "
        f"USING (organization_id = {ORGANIZATION}) WITH CHECK (organization_id = {ORGANIZATION})"
    )
    op.execute("CREATE POLICY of_nobody ON user_session FOR INSERT WITH CHECK (organization_id IS NULL)")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON user_session TO {APP_ROLE}")
    # Counters are worth less than the writes that a crash-safe table costs.
    op.execute(
        """
        CREATE UNLOGGED TABLE attempt_count (
            counter      text NOT NULL,
            window_start timestamptz NOT NULL,
            window_end   timestamptz NOT NULL,
            count        integer NOT NULL,
            PRIMARY KEY (counter, window_start)
        )
        """
    )
    op.execute("CREATE INDEX attempt_count_age ON attempt_count (window_end)")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON attempt_count TO {APP_ROLE}")
