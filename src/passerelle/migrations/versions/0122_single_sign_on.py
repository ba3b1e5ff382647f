"""Where an organization's people sign in besides here: providers of OpenID Connect."""

from __future__ import annotations

from alembic import op

from passerelle.kit.connections import APP_ROLE

revision = "0122_single_sign_on"
down_revision = "0121_keys"

ORGANIZATION = "nullif(current_setting('passerelle.organization', true), '')::uuid"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE identity_provider (
            organization_id uuid NOT NULL REFERENCES organization,
            id              uuid PRIMARY KEY,
            name            text NOT NULL,
            issuer          text NOT NULL,
            client_id       text NOT NULL,
            client_secret   bytea NOT NULL,
            scopes          text[] NOT NULL,
            group_claim     text,
            group_roles     jsonb NOT NULL,
            default_role    text CHECK (default_role IN ('admin', 'member')),
            created_at      timestamptz NOT NULL,
            updated_at      timestamptz NOT NULL,
            UNIQUE (organization_id, name)
        )
        """
    )
    op.execute("COMMENT ON COLUMN identity_provider.client_secret IS 'encrypted with PASSERELLE_SECRET_KEY'")
    op.execute(
        "COMMENT ON COLUMN identity_provider.default_role IS 'of people in no mapped group; null: they stay out'"
    )
    op.execute("CREATE UNIQUE INDEX app_user_idp ON app_user (organization_id, idp_id) WHERE idp_id IS NOT NULL")
    op.execute("ALTER TABLE identity_provider ENABLE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY own_organization ON identity_provider "
        f"USING (organization_id = {ORGANIZATION}) WITH CHECK (organization_id = {ORGANIZATION})"
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON identity_provider TO {APP_ROLE}")
