"""Changes that do not stop those who use a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final
from uuid import UUID

from alembic import op

from passerelle.migrations.database_functions import statements_of
from passerelle.migrations.release import THIS
from passerelle.migrations.schema import LOCK_TIMEOUT

NOTHING: Final = UUID(int=0)
PORTION: Final = 5_000
"""Rows that are changed in one transaction: those who want one of them wait for some milliseconds."""


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


def trigger(name: str, table: str) -> None:
    """Make a trigger and its function, of the same name, from `functions`: before rows are changed that rely on it.

    All others are made when the migrations are through. The function is made as it is now, so it may use no column that
    a later migration adds; once every installation has passed this one, the call can go.
    """
    for statement in statements_of(THIS, name, table):
        op.execute(statement)


def in_portions(table: str, change: str, where: str) -> None:
    """Change the rows of a table with the key `(workspace_id, id)`, so many in one transaction.

    `where` leaves out what is changed already: run again after a crash, or where a lock was not had in time, it goes on
    where it was. For some hundred thousand rows; more are changed by a job afterwards. Commits what the migration did
    before.
    """
    after: Sequence[UUID] | None = (NOTHING, NOTHING)
    with op.get_context().autocommit_block():
        while after is not None:
            changed = op.get_bind().exec_driver_sql(
                f"WITH portion AS (SELECT workspace_id, id FROM {table} "
                f"WHERE (workspace_id, id) > ('{after[0]}'::uuid, '{after[1]}'::uuid) AND ({where}) "
                f"ORDER BY workspace_id, id LIMIT {PORTION} FOR UPDATE), "
                f"changed AS (UPDATE {table} t SET {change} FROM portion "
                "WHERE t.workspace_id = portion.workspace_id AND t.id = portion.id) "
                "SELECT workspace_id, id FROM portion ORDER BY workspace_id DESC, id DESC LIMIT 1"
            )
            after = changed.first()
