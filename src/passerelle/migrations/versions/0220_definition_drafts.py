"""Definitions are written in the browser: drafts belong to a person, may be shared, and know who has them open."""

from __future__ import annotations

from alembic import op

from passerelle.migrations.tenancy import isolate

revision = "0220_definition_drafts"
down_revision = "0272_operations"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE definition_draft (
            workspace_id  uuid NOT NULL REFERENCES workspace,
            id            uuid NOT NULL,
            name          text NOT NULL,
            text          text NOT NULL,
            scenarios     text NOT NULL,
            definition_id uuid,
            base_revision integer,
            shared        boolean NOT NULL,
            owner_id      uuid NOT NULL,
            owner_name    text NOT NULL,
            version       integer NOT NULL,
            updated_by    text NOT NULL,
            created_at    timestamptz NOT NULL,
            updated_at    timestamptz NOT NULL,
            PRIMARY KEY (workspace_id, id),
            FOREIGN KEY (workspace_id, definition_id) REFERENCES definition
        )
        """
    )
    op.execute("COMMENT ON COLUMN definition_draft.base_revision IS 'the revision that the work began with'")
    op.execute("CREATE INDEX definition_draft_of_owner ON definition_draft (workspace_id, owner_id)")
    op.execute("CREATE INDEX definition_draft_of_definition ON definition_draft (workspace_id, definition_id)")
    op.execute(
        """
        CREATE TABLE definition_draft_presence (
            workspace_id uuid NOT NULL,
            draft_id     uuid NOT NULL,
            person_id    uuid NOT NULL,
            name         text NOT NULL,
            seen_at      timestamptz NOT NULL,
            PRIMARY KEY (workspace_id, draft_id, person_id),
            FOREIGN KEY (workspace_id, draft_id) REFERENCES definition_draft ON DELETE CASCADE
        )
        """
    )
    op.execute(
        """
        CREATE TABLE definition_source (
            workspace_id uuid PRIMARY KEY REFERENCES workspace,
            files_only   boolean NOT NULL,
            updated_at   timestamptz NOT NULL
        )
        """
    )
    isolate("definition_draft", "definition_draft_presence", "definition_source")
