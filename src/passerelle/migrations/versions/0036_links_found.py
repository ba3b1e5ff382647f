"""Links by record for lists, and by address for the limit of codes."""

from __future__ import annotations

from alembic import op

from passerelle.migrations.order import before

revision = "0036"
down_revision = before(revision)


def upgrade() -> None:
    op.execute("CREATE INDEX link_by_record ON link (workspace_id, record_id, id) WHERE record_id IS NOT NULL")
    op.execute("CREATE INDEX link_by_definition ON link (workspace_id, definition_id, id)")
    op.execute("CREATE INDEX link_by_address ON link (workspace_id, lower(email)) WHERE email IS NOT NULL")
