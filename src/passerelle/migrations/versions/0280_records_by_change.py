"""What was changed last is found among a million records without reading them all."""

from __future__ import annotations

from passerelle.migrations.online import index

revision = "0280_records_by_change"
down_revision = "0240_installation_figures"


def upgrade() -> None:
    index("record_by_change", "record (workspace_id, table_id, updated_at, id) WHERE deleted_at IS NULL")
