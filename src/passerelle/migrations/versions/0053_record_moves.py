"""Records that were moved from a built-in table into another: where they are, and what they were."""

from __future__ import annotations

from alembic import op

from passerelle.migrations.order import before
from passerelle.migrations.tenancy import isolate

revision = "0053"
down_revision = before(revision)


def upgrade() -> None:
    # The map names fields by their keys, so that a later rename changes nothing.
    op.execute(
        """
        CREATE TABLE record_move (
            workspace_id uuid NOT NULL,
            id           uuid NOT NULL,
            source_id    uuid NOT NULL,
            target_id    uuid NOT NULL,
            map          jsonb NOT NULL,
            began_at     timestamptz NOT NULL,
            PRIMARY KEY (workspace_id, id)
        )
        """
    )
    # `values` and `changes` are the record's and its history's as they were, by the keys of the table that it left;
    # `version` is the record's at that moment: a higher one tells that somebody has written since.
    op.execute(
        """
        CREATE TABLE record_moved (
            workspace_id uuid NOT NULL,
            record_id    uuid NOT NULL,
            move_id      uuid NOT NULL,
            version      integer NOT NULL,
            values       jsonb NOT NULL,
            changes      jsonb NOT NULL,
            PRIMARY KEY (workspace_id, record_id)
        )
        """
    )
    isolate("record_move", "record_moved")
