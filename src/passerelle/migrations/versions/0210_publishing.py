"""Publishing may need a second person: what is proposed, by whom, and who decided."""

from __future__ import annotations

from alembic import op

from passerelle.migrations.tenancy import isolate

revision = "0210_publishing"
down_revision = "0210_executions_found"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE publishing_rule (
            workspace_id  uuid PRIMARY KEY REFERENCES workspace,
            second_person boolean NOT NULL,
            updated_at    timestamptz NOT NULL
        )
        """
    )
    op.execute(
        """
        CREATE TABLE proposal (
            workspace_id       uuid NOT NULL REFERENCES workspace,
            id                 uuid NOT NULL,
            definition_id      uuid NOT NULL,
            revision_id        uuid NOT NULL,
            sha256             text NOT NULL,
            published_revision uuid,
            newest             integer NOT NULL,
            status             text NOT NULL
                CHECK (status IN ('open', 'approved', 'declined', 'withdrawn', 'replaced')),
            note               text,
            proposed_at        timestamptz NOT NULL,
            proposed_by        text NOT NULL,
            proposer_id        uuid NOT NULL,
            proposer_person    uuid,
            decided_at         timestamptz,
            decided_by         text,
            decider_id         uuid,
            comment            text,
            PRIMARY KEY (workspace_id, id),
            FOREIGN KEY (workspace_id, definition_id) REFERENCES definition,
            FOREIGN KEY (workspace_id, revision_id) REFERENCES revision
        )
        """
    )
    op.execute("COMMENT ON COLUMN proposal.published_revision IS 'what was published when it was proposed'")
    op.execute("COMMENT ON COLUMN proposal.newest IS 'the newest revision when it was proposed'")
    op.execute("COMMENT ON COLUMN proposal.proposer_person IS 'the user who proposed it, or who made the key that did'")
    op.execute("CREATE UNIQUE INDEX proposal_open ON proposal (workspace_id, definition_id) WHERE status = 'open'")
    op.execute("CREATE INDEX proposal_by_definition ON proposal (workspace_id, definition_id, id)")
    isolate("publishing_rule", "proposal")
    op.execute("ALTER TABLE publication ADD COLUMN approved_by text")
    op.execute("ALTER TABLE api_key ADD COLUMN made_by_user uuid")
    op.execute("COMMENT ON COLUMN api_key.made_by_user IS 'the user who made it; NULL: by command, or not known'")
