"""Moves that loosen an open review have a verdict of their own, and somebody who answers for it."""

from __future__ import annotations

from alembic import op

revision = "0181_loosened_reviews"
down_revision = "0190_brand"


def upgrade() -> None:
    op.execute("ALTER TABLE definition_migration ADD COLUMN loosened_by text[]")
    op.execute("COMMENT ON COLUMN definition_migration.loosened_by IS 'type and id of who lets reviews be loosened'")
    op.execute("ALTER TABLE execution_move DROP CONSTRAINT execution_move_verdict_check")
    op.execute(
        "ALTER TABLE execution_move ADD CONSTRAINT execution_move_verdict_check "
        "CHECK (verdict IN ('safe', 'needs-mapping', 'loosens', 'refused')) NOT VALID"
    )
