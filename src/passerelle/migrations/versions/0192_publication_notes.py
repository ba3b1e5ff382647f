"""Why a revision was published."""

from __future__ import annotations

from alembic import op

revision = "0192_publication_notes"
down_revision = "0191_execution_comments"


def upgrade() -> None:
    op.execute("ALTER TABLE publication ADD COLUMN note text")
