"""What a workspace may have and do, where that differs from the installation's settings; jobs that wait outside."""

from __future__ import annotations

from alembic import op

from passerelle.migrations.tenancy import isolate

revision = "0140_quotas"
down_revision = "0122_single_sign_on"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE workspace_quota (
            workspace_id uuid PRIMARY KEY REFERENCES workspace,
            quotas       jsonb NOT NULL,
            weight       double precision NOT NULL CHECK (weight > 0),
            jobs         integer CHECK (jobs > 0),
            updated_at   timestamptz NOT NULL
        )
        """
    )
    op.execute(
        "COMMENT ON COLUMN workspace_quota.quotas IS 'by name; null: without an end, absent: as the setting says'"
    )
    op.execute("COMMENT ON COLUMN workspace_quota.weight IS 'turns in each round of the workers'")
    op.execute("COMMENT ON COLUMN workspace_quota.jobs IS 'jobs under way at once; null: as the setting says'")
    isolate("workspace_quota")
    op.execute("ALTER TABLE pgqueuer ADD COLUMN outside boolean NOT NULL DEFAULT false")
    op.execute("COMMENT ON COLUMN pgqueuer.outside IS 'it waits for somebody else, and holds no place of its worker'")
