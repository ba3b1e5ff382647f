"""What is removed may be written to the store of files first."""

from __future__ import annotations

from alembic import op

from passerelle.migrations.tenancy import isolate

revision = "0251_archives"
down_revision = "0250_retention"


def upgrade() -> None:
    op.execute("ALTER TABLE retention_rule ADD COLUMN archive boolean NOT NULL DEFAULT false")
    op.execute("COMMENT ON COLUMN retention_rule.archive IS 'whether it is written to the store before it is removed'")
    op.execute(
        """
        CREATE TABLE archive_file (
            workspace_id uuid NOT NULL REFERENCES workspace,
            id           uuid NOT NULL,
            kind         text NOT NULL,
            entries      integer NOT NULL,
            bytes        bigint NOT NULL,
            sha256       text NOT NULL,
            first_at     timestamptz NOT NULL,
            last_at      timestamptz NOT NULL,
            records      uuid[] NOT NULL,
            created_at   timestamptz NOT NULL,
            PRIMARY KEY (workspace_id, id)
        )
        """
    )
    op.execute(
        "COMMENT ON COLUMN archive_file.records IS 'whom its entries concern, so that they can be erased there, too'"
    )
    op.execute("CREATE INDEX archive_file_records ON archive_file USING gin (records)")
    isolate("archive_file")
