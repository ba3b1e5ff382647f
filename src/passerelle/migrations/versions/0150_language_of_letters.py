"""A code is sent in the language of the page on which somebody asked for it."""

from __future__ import annotations

from alembic import op

revision = "0150_language_of_letters"
down_revision = "0142_live_records"


def upgrade() -> None:
    op.execute("ALTER TABLE link_email ADD COLUMN language text")
