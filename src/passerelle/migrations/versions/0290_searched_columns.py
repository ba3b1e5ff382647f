"""What executions are looked for by, in columns: row-level security keeps what is inside of JSON from any index."""

from __future__ import annotations

from alembic import op

from passerelle.migrations.online import in_portions

revision = "0290_searched_columns"
down_revision = "0282_workspace_first"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE execution ADD COLUMN IF NOT EXISTS waiting_step text, ADD COLUMN IF NOT EXISTS waiting_kind text, "
        "ADD COLUMN IF NOT EXISTS waiting_several boolean, "
        "ADD COLUMN IF NOT EXISTS failed_step text, ADD COLUMN IF NOT EXISTS error_code text"
    )
    # As it was then: `functions/workflows.sql` has it as it is now. From here on what is written fills the columns, by
    # processes of the release before, too; then what is there already is filled.
    op.execute(
        """
        CREATE OR REPLACE FUNCTION fill_searched_columns() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.waiting_step := NEW.waiting_for -> 0 ->> 'step';
            NEW.waiting_kind := NEW.waiting_for -> 0 ->> 'kind';
            NEW.waiting_several := jsonb_array_length(NEW.waiting_for) > 1;
            NEW.failed_step := CASE WHEN NEW.status = 'FAILED' THEN NEW.error ->> 'step' END;
            NEW.error_code := NEW.error ->> 'code';
            RETURN NEW;
        END
        $$
        """
    )
    op.execute(
        "CREATE OR REPLACE TRIGGER fill_searched_columns BEFORE INSERT OR UPDATE ON execution FOR EACH ROW "
        "WHEN (NEW.waiting_for IS NOT NULL OR NEW.error IS NOT NULL OR NEW.waiting_step IS NOT NULL "
        "OR NEW.error_code IS NOT NULL) EXECUTE FUNCTION fill_searched_columns()"
    )
    in_portions(
        "execution",
        "error = t.error",
        where="(error IS NOT NULL AND error_code IS NULL) OR (waiting_for IS NOT NULL AND waiting_step IS NULL)",
    )
