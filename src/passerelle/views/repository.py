"""Views in PostgreSQL."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from passerelle.kit.database import Database
from passerelle.views.models import SavedView

_COLUMNS: Final = "id, page, name, search, shared, owner_id, owner_name, version, created_at, updated_at"

MOST_LISTED: Final = 500


class ViewRepository:
    """Every query names the workspace; row-level security names it again."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def listed(self, workspace_id: UUID, page: str, caller_id: UUID) -> list[SavedView]:
        """The caller's own views of a page (every page where it is empty) and those that are shared, by name."""
        async with self._database.workspace(workspace_id) as connection:
            rows = await connection.fetch(
                f"SELECT {_COLUMNS} FROM saved_view WHERE workspace_id = $1 AND ($2 = '' OR page = $2) "
                f"AND (shared OR owner_id = $3) ORDER BY page, lower(name), id LIMIT {MOST_LISTED}",
                *(workspace_id, page, caller_id),
            )
        return [SavedView(**row) for row in rows]

    async def find(self, workspace_id: UUID, view_id: UUID, caller_id: UUID) -> SavedView | None:
        """A view that the caller may see."""
        async with self._database.workspace(workspace_id) as connection:
            row = await connection.fetchrow(
                f"SELECT {_COLUMNS} FROM saved_view WHERE workspace_id = $1 AND id = $2 AND (shared OR owner_id = $3)",
                *(workspace_id, view_id, caller_id),
            )
        return SavedView(**row) if row is not None else None

    async def insert(self, workspace_id: UUID, view: SavedView, most: int) -> bool:
        """Keep a new view; false where the page has `most` of them already. The same id again changes nothing."""
        async with self._database.transaction(workspace_id) as connection:
            await connection.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended($1 || $2, 1))", str(workspace_id), view.page
            )
            there = await connection.fetchval(
                "SELECT count(*) FROM saved_view WHERE workspace_id = $1 AND page = $2 AND id <> $4 "
                "AND CASE WHEN $5 THEN shared ELSE owner_id = $3 AND NOT shared END",
                *(workspace_id, view.page, view.owner_id, view.id, view.shared),
            )
            if there >= most:
                return False
            await connection.execute(
                f"INSERT INTO saved_view (workspace_id, {_COLUMNS}) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING",
                *(workspace_id, view.id, view.page, view.name, view.search, view.shared, view.owner_id),
                *(view.owner_name, view.version, view.created_at, view.updated_at),
            )
        return True

    async def update(self, workspace_id: UUID, view: SavedView) -> bool:
        """Write a view's next version; false where somebody else was faster."""
        async with self._database.workspace(workspace_id) as connection:
            done = await connection.fetchval(
                "UPDATE saved_view SET name = $4, search = $5, shared = $6, version = version + 1, updated_at = $7 "
                "WHERE workspace_id = $1 AND id = $2 AND version = $3 RETURNING version",
                *(workspace_id, view.id, view.version, view.name, view.search, view.shared, view.updated_at),
            )
        return done is not None

    async def delete(self, workspace_id: UUID, view_id: UUID) -> None:
        """Let a view go."""
        async with self._database.workspace(workspace_id) as connection:
            await connection.execute(
                "DELETE FROM saved_view WHERE workspace_id = $1 AND id = $2", workspace_id, view_id
            )
