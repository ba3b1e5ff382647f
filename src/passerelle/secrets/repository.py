"""Secrets in PostgreSQL, encrypted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from passerelle.kit.database import Database


@dataclass(frozen=True, slots=True)
class SecretEntry:
    """What may be shown of a secret."""

    name: str
    version: int
    updated_at: datetime
    updated_by: str


class SecretRepository:
    """Every query names the workspace; row-level security names it again."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, workspace_id: UUID, name: str, encrypted: bytes, now: datetime, by: str) -> None:
        """Write a secret; an existing one gets the next version."""
        async with self._database.workspace(workspace_id) as connection:
            await connection.execute(
                """
                INSERT INTO workspace_secret AS old (workspace_id, name, value, updated_at, updated_by)
                VALUES ($1, $2, $3, $4, $5)
                ON CONFLICT (workspace_id, name) DO UPDATE SET
                    value = excluded.value, version = old.version + 1,
                    updated_at = excluded.updated_at, updated_by = excluded.updated_by
                """,
                workspace_id,
                name,
                encrypted,
                now,
                by,
            )

    async def delete(self, workspace_id: UUID, name: str) -> bool:
        """Remove a secret. False where there is none."""
        async with self._database.workspace(workspace_id) as connection:
            gone = await connection.fetchval(
                "DELETE FROM workspace_secret WHERE workspace_id = $1 AND name = $2 RETURNING true", workspace_id, name
            )
        return gone is not None

    async def listed(self, workspace_id: UUID, after: str, limit: int | None) -> list[SecretEntry]:
        """Secrets by name, after the name `after`; all of them where `limit` is None."""
        async with self._database.workspace(workspace_id) as connection:
            rows = await connection.fetch(
                """
                SELECT name, version, updated_at, updated_by FROM workspace_secret
                WHERE workspace_id = $1 AND name > $2 ORDER BY name LIMIT $3
                """,
                workspace_id,
                after,
                limit,
            )
        return [SecretEntry(**row) for row in rows]

    async def encrypted(self, workspace_id: UUID) -> dict[str, bytes]:
        """Every secret's encrypted value, by name."""
        async with self._database.workspace(workspace_id) as connection:
            rows = await connection.fetch(
                "SELECT name, value FROM workspace_secret WHERE workspace_id = $1", workspace_id
            )
        return {row["name"]: row["value"] for row in rows}
