"""Changes that do not stop those who use a table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import op

from passerelle.migrations.schema import LOCK_TIMEOUT


def index(name: str, on: str, *, unique: bool = False) -> None:
    """Make an index beside all reading and writing: `index("thing_by_name", "thing (workspace_id, name)")`.

    It commits what the migration did before, so it belongs into a migration of its own. Run again after a crash, it
    makes anew what was left unfinished.
    """
    with _waiting():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        op.execute(f"CREATE {'UNIQUE ' if unique else ''}INDEX CONCURRENTLY {name} ON {on}")


def without_index(name: str) -> None:
    """Drop an index beside all reading and writing."""
    with _waiting():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")


@contextmanager
def _waiting() -> Iterator[None]:
    """For what waits until open transactions have ended, while nobody waits for it."""
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        try:
            yield
        finally:
            # Not the server's, which is none: whoever waits for a table without an end holds up all who come behind.
            op.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")


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
    """Put one foreign key in the place of another. Rows that are there are checked beside those who write them.

    Run again, it passes over what has been done.
    """

    def unless(constraint: str, is_there: str, change: str) -> str:
        found = f"SELECT FROM pg_constraint WHERE conrelid = '{table}'::regclass AND conname = '{constraint}'"
        return f"DO $$ BEGIN IF {is_there} EXISTS ({found}) THEN ALTER TABLE {table} {change}; END IF; END $$"

    with op.get_context().autocommit_block():
        op.execute(unless(name, "NOT", f"ADD CONSTRAINT {name} {definition} NOT VALID"))
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
        op.execute(unless(instead_of, "", f"DROP CONSTRAINT {instead_of}"))
