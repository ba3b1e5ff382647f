"""The list of a table's deleted records, the latest first."""

from __future__ import annotations

from alembic import op

from passerelle.migrations.order import before

revision = "0070"
down_revision = before(revision)


def upgrade() -> None:
    op.execute(
        "CREATE INDEX record_deleted_of_table ON record (workspace_id, table_id, deleted_at, id) "
        "WHERE deleted_at IS NOT NULL AND merged_into IS NULL"
    )
