"""An index for those few users whose role in the organization reaches into every workspace: lists count them."""

from __future__ import annotations

from passerelle.migrations.online import index

revision = "0212_reaching_users"
down_revision = "0211_sessions_ended"


def upgrade() -> None:
    index("app_user_reaching", "app_user (organization_id, role, id) WHERE role <> 'member'")
