"""Row-level security, the same for every table that belongs to workspaces."""

from __future__ import annotations

from collections.abc import Iterator

from passerelle.kit.connections import APP_ROLE

WORKSPACE = "nullif(current_setting('passerelle.workspace', true), '')::uuid"
"""The workspace that the connection serves; NULL, which equals nothing, where none is named."""


def isolate(*tables: str) -> None:
    """Let the application see only the rows of the workspace that its connection serves."""
    from alembic import op  # noqa: PLC0415 - loaded only to migrate, as `schema` says

    for table in tables:
        for statement in isolation(table):
            op.execute(statement)


def isolation(table: str) -> Iterator[str]:
    """The statements of `isolate` for one table."""
    yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
    yield (
        f"CREATE POLICY own_workspace ON {table} "
        f"USING (workspace_id = {WORKSPACE}) WITH CHECK (workspace_id = {WORKSPACE})"
    )
    yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {APP_ROLE}"
