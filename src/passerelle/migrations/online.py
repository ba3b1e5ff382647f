"""Changes that do not stop those who use a table."""

from __future__ import annotations

from alembic import op


def index(name: str, on: str, *, unique: bool = False) -> None:
    """Make an index beside all reading and writing: `index("thing_by_name", "thing (workspace_id, name)")`.

    It commits what the migration did before, so it belongs into a migration of its own. Run again after a crash, it
    makes anew what was left unfinished.
    """
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")  # it waits for transactions that are open, and nobody waits for it
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        op.execute(f"CREATE {'UNIQUE ' if unique else ''}INDEX CONCURRENTLY {name} ON {on}")
        op.execute("RESET lock_timeout")


def primary_key(table: str, index: str) -> None:
    """Let a unique index that is there be the primary key instead of the one before, under that one's name.

    Each table by itself: a transaction that holds one busy table and waits for the next is in a deadlock with requests.
    Run again after a crash, it passes over what has been done.
    """
    with op.get_context().autocommit_block():
        op.execute(
            f"DO $$ BEGIN IF to_regclass('{index}') IS NOT NULL THEN ALTER TABLE {table} "
            f"DROP CONSTRAINT {table}_pkey, ADD CONSTRAINT {table}_pkey PRIMARY KEY USING INDEX {index}; END IF; END $$"
        )


def foreign_key(table: str, name: str, definition: str, *, instead_of: str) -> None:
    """Put one foreign key in the place of another. Rows that are there are checked beside those who write them."""
    with op.get_context().autocommit_block():
        op.execute(
            f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}, ADD CONSTRAINT {name} {definition} NOT VALID"
        )
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {instead_of}")
