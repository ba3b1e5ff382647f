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
