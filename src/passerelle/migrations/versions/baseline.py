"""The schema that everything later builds on: the tables of `baseline.sql`, each isolated by workspace."""

from __future__ import annotations

from alembic import op

from passerelle.migrations.baseline import statements

revision = "baseline"
down_revision = None


def upgrade() -> None:
    for _, statement in statements():
        op.execute(statement)
