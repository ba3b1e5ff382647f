"""Each primary key and foreign key of what belongs to a workspace begins with the workspace."""

from __future__ import annotations

from passerelle.migrations.online import foreign_key, primary_key, without_index

revision = "0282_workspace_first"
down_revision = "0281_workspace_first_indexes"


def upgrade() -> None:
    for table, cascade in (("api_key_use", " ON DELETE CASCADE"), ("refresh_token", "")):
        foreign_key(
            table,
            f"{table}_key_fkey",
            f"FOREIGN KEY (workspace_id, key_id) REFERENCES api_key (workspace_id, id){cascade}",
            instead_of=f"{table}_key_id_fkey",
        )
    for table in ("webhook_cursor", "webhook_tally", "webhook_delivery"):
        foreign_key(
            table,
            f"{table}_endpoint_fkey",
            "FOREIGN KEY (workspace_id, endpoint_id) REFERENCES webhook_endpoint (workspace_id, id) ON DELETE CASCADE",
            instead_of=f"{table}_endpoint_id_fkey",
        )
    for table in (
        "step_run",
        "received_event",
        "api_key",
        "api_key_use",
        "refresh_token",
        "signing_key",
        "webhook_endpoint",
        "webhook_cursor",
        "webhook_tally",
    ):
        primary_key(table, f"{table}_key")
    without_index("webhook_endpoint_by_workspace")  # the primary key is the same
