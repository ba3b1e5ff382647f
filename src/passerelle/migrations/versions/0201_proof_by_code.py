"""A browser may have been bound to an execution by a one-time code: a consent says so."""

from __future__ import annotations

from alembic import op

revision = "0201_proof_by_code"
down_revision = "0200_copies_and_handovers"


def upgrade() -> None:
    op.execute("ALTER TABLE visit DROP CONSTRAINT visit_kind_check")
    op.execute("ALTER TABLE visit ADD CONSTRAINT visit_kind_check CHECK (kind IN ('link', 'code', 'token')) NOT VALID")
