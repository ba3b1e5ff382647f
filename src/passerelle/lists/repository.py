"""Lists and their versions in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from passerelle.engine.screening import ListVersion
from passerelle.kit.database import Database

_COLUMNS = "name, version, entries, sha256, loaded_at, loaded_by"
_NEWEST = f"SELECT DISTINCT ON (name) {_COLUMNS} FROM name_list_version WHERE workspace_id = $1"


class ListRepository:
    """Every query names the workspace; row-level security names it again."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self, workspace_id: UUID, name: str, content: bytes, *, sha256: str, entries: int, at: datetime, by: str
    ) -> tuple[ListVersion, bool]:
        """Store a file as the newest version of a list. The second value is false where it is that already."""
        async with self._database.transaction(workspace_id) as connection:
            # Loads of one list take turns.
            await connection.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended($1 || $2, 0))", str(workspace_id), name
            )
            row = await connection.fetchrow(f"{_NEWEST} AND name = $2 ORDER BY name, version DESC", workspace_id, name)
            if row is not None and row["sha256"] == sha256:
                return ListVersion(**row), False
            version = 1 if row is None else row["version"] + 1
            await connection.execute(
                f"INSERT INTO name_list_version (workspace_id, content, {_COLUMNS}) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                *(workspace_id, content, name, version, entries, sha256, at, by),
            )
        return ListVersion(name, version, entries, sha256, at, by), True

    async def newest(self, workspace_id: UUID, names: Sequence[str] | None) -> list[ListVersion]:
        """The newest version of each of these lists that is there; of every list where None."""
        async with self._database.workspace(workspace_id) as connection:
            rows = await connection.fetch(
                f"{_NEWEST} AND ($2::text[] IS NULL OR name = ANY ($2)) ORDER BY name, version DESC",
                workspace_id,
                names if names is None else list(names),
            )
        return [ListVersion(**row) for row in rows]

    async def page(self, workspace_id: UUID, after: str | None, limit: int) -> list[ListVersion]:
        """The newest version of each list by name, after the name `after`."""
        async with self._database.workspace(workspace_id) as connection:
            rows = await connection.fetch(
                f"{_NEWEST} AND name > $2 ORDER BY name, version DESC LIMIT $3", workspace_id, after or "", limit
            )
        return [ListVersion(**row) for row in rows]

    async def versions(self, workspace_id: UUID, name: str, before: int | None, limit: int) -> list[ListVersion]:
        """A list's versions, newest first, before the version `before`."""
        async with self._database.workspace(workspace_id) as connection:
            rows = await connection.fetch(
                f"SELECT {_COLUMNS} FROM name_list_version WHERE workspace_id = $1 AND name = $2 "
                "AND ($3::integer IS NULL OR version < $3) ORDER BY version DESC LIMIT $4",
                *(workspace_id, name, before, limit),
            )
        return [ListVersion(**row) for row in rows]

    async def remove(self, workspace_id: UUID, name: str) -> bool:
        """Remove a list with all its versions. False where there is none."""
        async with self._database.transaction(workspace_id) as connection:
            return bool(await connection.fetchval("SELECT remove_list($1)", name))

    async def content(self, workspace_id: UUID, name: str, version: int) -> bytes | None:
        """The file of a version, as it was given to `add`; None if there is no such version."""
        async with self._database.workspace(workspace_id) as connection:
            found: bytes | None = await connection.fetchval(
                "SELECT content FROM name_list_version WHERE workspace_id = $1 AND name = $2 AND version = $3",
                *(workspace_id, name, version),
            )
        return found
