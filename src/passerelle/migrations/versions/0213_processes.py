"""Each process says that it is there, so that whoever runs the installation sees which there are."""

from __future__ import annotations

from alembic import op

from passerelle.kit.connections import APP_ROLE

revision = "0213_processes"
down_revision = "0212_reaching_users"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE process (
            id         uuid PRIMARY KEY,
            kind       text NOT NULL CHECK (kind IN ('serve', 'worker', 'dev')),
            host       text NOT NULL,
            pid        integer NOT NULL,
            version    text NOT NULL,
            started_at timestamptz NOT NULL,
            seen_at    timestamptz NOT NULL
        )
        """
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON process TO {APP_ROLE}")
