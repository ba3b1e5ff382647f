"""What a key may do, until when, from where, and when it was last used."""

from __future__ import annotations

from alembic import op

from passerelle.migrations.tenancy import isolate

revision = "0121_keys"
down_revision = "0130_unused_executions"

HAD = (
    "can_comment can_edit_attachments can_edit_data can_erase can_manage_definitions can_manage_keys can_manage_links "
    "can_manage_lists can_manage_secrets can_manage_tables can_manage_themes can_manage_users can_manage_webhooks "
    "can_manage_workspace_access can_operate_executions can_publish_definitions can_read_attachments can_read_data "
    "can_read_personal_data can_reset_2fa can_review can_run can_view_audit can_view_executions can_view_webhooks "
    "can_view_workspace"
)
"""What every key could do before permissions were kept: each that is there goes on doing it."""


def upgrade() -> None:
    had = ", ".join(f"'{name}'" for name in HAD.split())
    op.execute(
        f"""
        ALTER TABLE api_key
            ADD COLUMN permissions text[] NOT NULL DEFAULT ARRAY[{had}]::text[],
            ADD COLUMN expires_at  timestamptz,
            ADD COLUMN networks    text[] NOT NULL DEFAULT '{{}}'::text[],
            ADD COLUMN prefix      text,
            ADD COLUMN made_by     text
        """
    )
    op.execute("COMMENT ON COLUMN api_key.networks IS 'from where it is taken; from anywhere if empty'")
    # Apart from the key: what is remembered of a key must not be read again whenever it is used.
    op.execute(
        """
        CREATE TABLE api_key_use (
            workspace_id uuid NOT NULL,
            key_id       uuid PRIMARY KEY REFERENCES api_key ON DELETE CASCADE,
            last_used_at timestamptz NOT NULL
        )
        """
    )
    isolate("api_key_use")
