"""Users and groups that an identity provider keeps over SCIM, and the roles that groups give."""

from __future__ import annotations

from alembic import op

from passerelle.kit.connections import APP_ROLE

revision = "0171_provisioning"
down_revision = "0170_audit"

ORGANIZATION = "nullif(current_setting('passerelle.organization', true), '')::uuid"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE app_user ADD COLUMN external_id text, ADD COLUMN provisioned boolean NOT NULL DEFAULT false"
    )
    op.execute("COMMENT ON COLUMN app_user.provisioned IS 'whether an identity provider keeps the user over SCIM'")
    op.execute("ALTER TABLE membership ADD COLUMN by_group boolean NOT NULL DEFAULT false")
    op.execute("COMMENT ON COLUMN membership.by_group IS 'whether a group gives it, and takes it away'")
    op.execute(
        """
        CREATE TABLE user_group (
            organization_id uuid NOT NULL REFERENCES organization,
            id              uuid PRIMARY KEY,
            name            text NOT NULL,
            external_id     text,
            role            text CHECK (role IN ('admin', 'member')),
            workspace_roles jsonb NOT NULL DEFAULT '{}',
            created_at      timestamptz NOT NULL,
            updated_at      timestamptz NOT NULL,
            UNIQUE (organization_id, name)
        )
        """
    )
    op.execute("COMMENT ON COLUMN user_group.role IS 'the role in the organization that it gives; null for none'")
    op.execute("COMMENT ON COLUMN user_group.workspace_roles IS 'workspace ids and the roles there'")
    op.execute(
        """
        CREATE TABLE user_group_member (
            organization_id uuid NOT NULL REFERENCES organization,
            group_id        uuid NOT NULL REFERENCES user_group ON DELETE CASCADE,
            user_id         uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
            PRIMARY KEY (group_id, user_id)
        )
        """
    )
    op.execute("CREATE INDEX user_group_member_user ON user_group_member (user_id)")
    for table in ("user_group", "user_group_member"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY own_organization ON {table} "
            f"USING (organization_id = {ORGANIZATION}) WITH CHECK (organization_id = {ORGANIZATION})"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {APP_ROLE}")
