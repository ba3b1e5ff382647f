"""What a role or a key may do to some things only."""

from __future__ import annotations

from alembic import op

revision = "0160_grants"
down_revision = "0150_language_of_letters"


def upgrade() -> None:
    for table in ("workspace_role", "api_key"):
        op.execute(f"ALTER TABLE {table} ADD COLUMN grants jsonb NOT NULL DEFAULT '[]'")
        op.execute(f"COMMENT ON COLUMN {table}.grants IS 'permissions on single tables, definitions or reviews'")
