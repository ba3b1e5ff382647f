"""The scenarios of a definition are kept with it: what somebody recorded outlives the draft that it was recorded in."""

from __future__ import annotations

from alembic import op

from passerelle.migrations.tenancy import isolate

revision = "0292_definition_scenarios"
down_revision = "0291_found_among_millions"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE definition_scenarios (
            workspace_id  uuid NOT NULL REFERENCES workspace,
            definition_id uuid NOT NULL,
            text          text NOT NULL,
            version       integer NOT NULL,
            updated_by    text NOT NULL,
            updated_at    timestamptz NOT NULL,
            PRIMARY KEY (workspace_id, definition_id),
            FOREIGN KEY (workspace_id, definition_id) REFERENCES definition
        )
        """
    )
    op.execute("COMMENT ON COLUMN definition_scenarios.text IS 'what stands in its file of scenarios, as it was typed'")
    isolate("definition_scenarios")
    op.execute("ALTER TABLE definition_draft ADD COLUMN IF NOT EXISTS scenarios_version integer NOT NULL DEFAULT 0")
    op.execute(
        "COMMENT ON COLUMN definition_draft.scenarios_version IS "
        "'the version of the definition''s scenarios that its own rest on; 0: none'"
    )
