"""What becomes of deleted and of merged records: a purge that leaves forwards alone, and the way along them."""

from __future__ import annotations

from alembic import op

from passerelle.migrations.order import before
from passerelle.migrations.tenancy import door

revision = "0020"
down_revision = before(revision)


def upgrade() -> None:
    # Who was merged into a record: its history and its executions are shown with the record's own.
    op.execute("CREATE INDEX record_merged ON record (workspace_id, merged_into) WHERE merged_into IS NOT NULL")
    op.execute("DROP FUNCTION records_deleted_before(timestamptz, integer)")
    # A merged record answers with another for as long as that one is there: its age says nothing.
    door(
        "records_deleted_before(moment timestamptz, passed uuid[], at_most integer)",
        "TABLE (workspace_id uuid, table_id uuid, id uuid)",
        """
        SELECT workspace_id, table_id, id FROM record
        WHERE deleted_at < moment AND merged_into IS NULL AND id <> ALL (passed)
        ORDER BY deleted_at LIMIT at_most
        """,
    )
    # A statement that has read the table's former version but written nothing yet has no transaction number:
    # only its snapshot tells of it, and other sessions' snapshots are shown to the owner alone.
    door(
        "older_statements_ended(change xid8)",
        "boolean",
        """
        SELECT change < pg_snapshot_xmin(pg_current_snapshot()) AND NOT EXISTS (
            SELECT FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
              AND backend_xmin IS NOT NULL AND age(backend_xmin) >= age(change::xid)
        )
        """,
    )
