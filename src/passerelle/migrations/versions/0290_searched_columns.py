"""What executions are looked for by, in columns: row-level security keeps what is inside of JSON from any index."""

from __future__ import annotations

from alembic import op

from passerelle.migrations.online import in_portions, trigger

revision = "0290_searched_columns"
down_revision = "0282_workspace_first"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE execution ADD COLUMN IF NOT EXISTS waiting_step text, ADD COLUMN IF NOT EXISTS waiting_kind text, "
        "ADD COLUMN IF NOT EXISTS waiting_several boolean, "
        "ADD COLUMN IF NOT EXISTS failed_step text, ADD COLUMN IF NOT EXISTS error_code text"
    )
    # From here on what is written fills them, by processes of the release before, too; then what is there already.
    trigger("fill_searched_columns", "execution")
    in_portions(
        "execution",
        "error = t.error",
        where="(error IS NOT NULL AND error_code IS NULL) OR (waiting_for IS NOT NULL AND waiting_step IS NULL)",
    )
