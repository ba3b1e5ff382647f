"""Moving executions to other revisions: what was asked for, what was said of each execution, and what was done."""

from __future__ import annotations

from alembic import op

from passerelle.migrations.order import before
from passerelle.migrations.tenancy import door, isolate

revision = "0011"
down_revision = before(revision)


def upgrade() -> None:
    # `position` is the last execution that has been dealt with: whoever goes on after a crash starts behind it.
    # `executions` are those that were named; NULL: all of the revision.
    op.execute(
        """
        CREATE TABLE definition_migration (
            workspace_id  uuid NOT NULL,
            id            uuid NOT NULL,
            definition_id uuid NOT NULL,
            from_revision uuid NOT NULL,
            to_revision   uuid NOT NULL,
            mapping       jsonb NOT NULL,
            executions    uuid[],
            dry_run       boolean NOT NULL,
            status        text NOT NULL CHECK (status IN ('RUNNING', 'DONE', 'UNDOING', 'UNDONE')),
            position      uuid,
            created_at    timestamptz NOT NULL,
            created_by    text NOT NULL,
            completed_at  timestamptz,
            undone_by     text,
            PRIMARY KEY (workspace_id, id),
            FOREIGN KEY (workspace_id, from_revision) REFERENCES revision,
            FOREIGN KEY (workspace_id, to_revision) REFERENCES revision
        )
        """
    )
    op.execute("CREATE INDEX definition_migration_list ON definition_migration (workspace_id, definition_id, id)")
    op.execute("CREATE INDEX definition_migration_dry ON definition_migration (created_at) WHERE dry_run")
    # `trail` and `added` are what an undo cannot work out: how far the end user could go back, and the parameters
    # that were filled in. `kept` says why an undo left the execution where it is.
    op.execute(
        """
        CREATE TABLE execution_move (
            workspace_id uuid NOT NULL,
            migration_id uuid NOT NULL,
            execution_id uuid NOT NULL,
            verdict      text NOT NULL CHECK (verdict IN ('safe', 'needs-mapping', 'refused')),
            reasons      jsonb,
            moved_at     timestamptz,
            moved_seq    integer,
            trail        jsonb,
            added        jsonb,
            undone_at    timestamptz,
            kept         text,
            PRIMARY KEY (workspace_id, migration_id, execution_id),
            FOREIGN KEY (workspace_id, migration_id) REFERENCES definition_migration ON DELETE CASCADE
        )
        """
    )
    op.execute(
        "CREATE INDEX execution_move_of ON execution_move (workspace_id, execution_id) WHERE moved_at IS NOT NULL"
    )
    isolate("definition_migration", "execution_move")
    door(
        "forget_dry_migrations(before timestamptz, at_most integer)",
        "bigint",
        """
        WITH old AS (
            DELETE FROM definition_migration WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM definition_migration WHERE dry_run AND created_at < before
                LIMIT at_most FOR UPDATE SKIP LOCKED
            ))
            RETURNING 1
        )
        SELECT count(*) FROM old
        """,
        changes=True,
    )
