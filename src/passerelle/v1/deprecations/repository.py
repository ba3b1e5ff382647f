"""Counts and modes in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from passerelle.kit.clock import iso
from passerelle.kit.database import Database
from passerelle.v1.deprecations.models import Counted, Mode, Stored, UseKey, UseTally


class DeprecationRepository:
    """Reads one workspace at a time; counts are written for all of them at once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, counted: Mapping[UseKey, UseTally]) -> None:
        """Add to what was counted before, in one statement."""
        rows = [
            {
                "workspace_id": str(place.workspace_id),
                "day": place.day.isoformat(),
                "key_id": str(place.key_id),
                "endpoint": place.endpoint,
                "version": place.version,
                "key_name": tally.key_name,
                "uses": tally.uses,
                "refused": tally.refused,
                "last_used": iso(tally.last_used),
                "user_agent": tally.user_agent,
            }
            for place, tally in counted.items()
        ]
        async with self._database.shared() as connection:
            await connection.execute("SELECT count_deprecated_uses($1)", rows)

    async def listed(self, workspace_id: UUID, since: date | None, before: UseKey | None, limit: int) -> list[Counted]:
        """What was counted from the day `since` on: the latest day first, from after `before`."""
        place = (before.day, before.key_id, before.endpoint, before.version) if before is not None else (None,) * 4
        async with self._database.workspace(workspace_id) as connection:
            rows = await connection.fetch(
                """
                SELECT day, key_id, endpoint, version, key_name, uses, refused, last_used, user_agent
                FROM deprecated_use
                WHERE workspace_id = $1 AND ($2::date IS NULL OR day >= $2)
                  AND ($4::date IS NULL OR (day, key_id, endpoint, version) < ($4, $5::uuid, $6::text, $7::integer))
                ORDER BY day DESC, key_id DESC, endpoint DESC, version DESC LIMIT $3
                """,
                workspace_id,
                since,
                limit,
                *place,
            )
        return [
            Counted(
                UseKey(row["day"], workspace_id, row["key_id"], row["endpoint"], row["version"]), UseTally(*row[4:])
            )
            for row in rows
        ]

    async def mode(self, workspace_id: UUID) -> Stored:
        """What was set for a workspace."""
        async with self._database.workspace(workspace_id) as connection:
            row = await connection.fetchrow(
                "SELECT mode, brownouts FROM version_one WHERE workspace_id = $1", workspace_id
            )
        if row is None:
            return Stored(None, None)
        return Stored(Mode(row["mode"]) if row["mode"] is not None else None, row["brownouts"])

    async def set_mode(self, workspace_id: UUID, stored: Stored, now: datetime, by: str) -> bool:
        """Set it. False where there is no such workspace."""
        async with self._database.workspace(workspace_id) as connection:
            done: str = await connection.execute(
                """
                INSERT INTO version_one (workspace_id, mode, brownouts, updated_at, updated_by)
                SELECT workspace_id, $2, $3, $4, $5 FROM workspace WHERE workspace_id = $1
                ON CONFLICT (workspace_id) DO UPDATE SET mode = excluded.mode, brownouts = excluded.brownouts,
                    updated_at = excluded.updated_at, updated_by = excluded.updated_by
                """,
                workspace_id,
                stored.mode,
                stored.brownouts,
                now,
                by,
            )
        return done == "INSERT 0 1"

    async def forget(self, older_than: date) -> None:
        """Delete what was counted before a day, of every workspace."""
        async with self._database.shared() as connection:
            await connection.execute("SELECT forget_deprecated_uses($1)", older_than)
