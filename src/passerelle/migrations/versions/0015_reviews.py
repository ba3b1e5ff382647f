"""Roles of keys, and the executions in which a review is open."""

from __future__ import annotations

from alembic import op

from passerelle.migrations.order import before

revision = "0015"
down_revision = before(revision)


def upgrade() -> None:
    op.execute("ALTER TABLE api_key ADD COLUMN roles text[] NOT NULL DEFAULT '{}'")
    # `waiting_for` is written in the commit that opens or ends a review, so there is no list of reviews to keep true.
    op.execute(
        "CREATE INDEX execution_in_review ON execution (workspace_id, id) "
        """WHERE waiting_for @> '[{"kind": "review"}]'"""
    )
