"""An index of the records that are not deleted: a count, or a jump into the middle of a list, reads nothing else."""

from __future__ import annotations

from passerelle.migrations.online import index

revision = "0142_live_records"
down_revision = "0141_saved_views"


def upgrade() -> None:
    index("record_live", "record (workspace_id, table_id, id) WHERE deleted_at IS NULL")
