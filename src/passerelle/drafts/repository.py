"""Drafts in PostgreSQL."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from passerelle.drafts.models import DefinitionDraft, DraftPresence
from passerelle.events.appending import append_event
from passerelle.events.models import Event
from passerelle.kit.database import Connection, Database

MOST_LISTED: Final = 500
_SELECT: Final = """
    SELECT d.id, d.name, {text} AS text, {scenarios} AS scenarios, d.scenarios_version, d.definition_id,
           d.base_revision,
           (SELECT max(r.number) FROM revision r
            WHERE r.workspace_id = d.workspace_id AND r.definition_id = d.definition_id) AS newest_revision,
           d.shared, d.owner_id, d.owner_name, d.version, d.updated_by, d.created_at, d.updated_at
    FROM definition_draft d
    WHERE d.workspace_id = $1 AND (d.shared OR d.owner_id = $2)
"""
_WHOLE: Final = _SELECT.format(text="d.text", scenarios="d.scenarios")
_WITHOUT_TEXT: Final = _SELECT.format(text="''", scenarios="''")


class DraftRepository:
    """Every query names the workspace; row-level security names it again."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def listed(self, workspace_id: UUID, caller_id: UUID, definition_id: UUID | None) -> list[DefinitionDraft]:
        """The caller's own drafts and those that are shared, the last changed first, without their texts."""
        async with self._database.workspace(workspace_id) as connection:
            rows = await connection.fetch(
                f"{_WITHOUT_TEXT} AND ($3::uuid IS NULL OR d.definition_id = $3) "
                f"ORDER BY d.updated_at DESC, d.id LIMIT {MOST_LISTED}",
                *(workspace_id, caller_id, definition_id),
            )
        return [DefinitionDraft(**row) for row in rows]

    async def find(self, workspace_id: UUID, draft_id: UUID, caller_id: UUID) -> DefinitionDraft | None:
        """A draft that the caller may see."""
        async with self._database.workspace(workspace_id) as connection:
            row = await connection.fetchrow(f"{_WHOLE} AND d.id = $3", workspace_id, caller_id, draft_id)
        return DefinitionDraft(**row) if row is not None else None

    async def insert(self, workspace_id: UUID, draft: DefinitionDraft, most: int) -> bool:
        """Keep a new draft; false where its owner has `most` of them already. The same id again changes nothing."""
        async with self._database.transaction(workspace_id) as connection:
            await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 2))", str(draft.owner_id))
            there = await connection.fetchval(
                "SELECT count(*) FROM definition_draft WHERE workspace_id = $1 AND owner_id = $2 AND id <> $3",
                *(workspace_id, draft.owner_id, draft.id),
            )
            if there >= most:
                return False
            await connection.execute(
                "INSERT INTO definition_draft (workspace_id, id, name, text, scenarios, scenarios_version, "
                "definition_id, base_revision, shared, owner_id, owner_name, version, updated_by, created_at, "
                "updated_at) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT DO NOTHING",
                *(workspace_id, draft.id, draft.name, draft.text, draft.scenarios, draft.scenarios_version),
                *(
                    draft.definition_id,
                    draft.base_revision,
                    draft.shared,
                    draft.owner_id,
                    draft.owner_name,
                    draft.version,
                ),
                *(draft.updated_by, draft.created_at, draft.updated_at),
            )
        return True

    async def update(self, workspace_id: UUID, draft: DefinitionDraft, saved: Event, fresh: timedelta) -> bool:
        """Write a draft's next version; false where somebody else was faster.

        `saved` is told where somebody else has the draft open, which they said within `fresh`.
        """
        async with self._database.transaction(workspace_id) as connection:
            done = await connection.fetchval(
                "UPDATE definition_draft SET name = $4, text = $5, scenarios = $6, shared = $7, base_revision = $8, "
                "definition_id = $9, updated_by = $10, updated_at = $11, version = version + 1 "
                "WHERE workspace_id = $1 AND id = $2 AND version = $3 RETURNING version",
                *(workspace_id, draft.id, draft.version, draft.name, draft.text, draft.scenarios, draft.shared),
                *(draft.base_revision, draft.definition_id, draft.updated_by, draft.updated_at),
            )
            if done is not None and draft.shared and await _others(connection, saved, draft.id, fresh):
                await append_event(connection, saved)
        return done is not None

    async def delete(self, workspace_id: UUID, draft_id: UUID) -> None:
        """Let a draft go."""
        async with self._database.workspace(workspace_id) as connection:
            await connection.execute(
                "DELETE FROM definition_draft WHERE workspace_id = $1 AND id = $2", workspace_id, draft_id
            )

    async def meet(self, draft: DefinitionDraft, name: str, opened: Event, fresh: timedelta) -> DraftPresence | None:
        """Say that somebody has a draft open; who else has said so within `fresh`. `opened` is told if it is news.

        None where the draft is gone.
        """
        by = UUID(opened.data["byId"])
        async with self._database.transaction(opened.workspace_id) as connection:
            there = await connection.fetchrow(
                "SELECT version, updated_by FROM definition_draft WHERE workspace_id = $1 AND id = $2 FOR KEY SHARE",
                *(opened.workspace_id, draft.id),
            )
            if there is None:
                return None
            before = await connection.fetchval(
                "SELECT seen_at FROM definition_draft_presence "
                "WHERE workspace_id = $1 AND draft_id = $2 AND person_id = $3 FOR UPDATE",
                *(opened.workspace_id, draft.id, by),
            )
            await connection.execute(
                "INSERT INTO definition_draft_presence (workspace_id, draft_id, person_id, name, seen_at) "
                "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (workspace_id, draft_id, person_id) "
                "DO UPDATE SET name = excluded.name, seen_at = excluded.seen_at",
                *(opened.workspace_id, draft.id, by, name, opened.created_at),
            )
            if draft.shared and (before is None or before <= opened.created_at - fresh):
                await append_event(connection, opened)
            people = await _others(connection, opened, draft.id, fresh)
        return DraftPresence(there["version"], there["updated_by"], people)

    async def leave(self, draft: DefinitionDraft, closed: Event) -> None:
        """Say that somebody has a draft open no more; `closed` is told if they had."""
        async with self._database.transaction(closed.workspace_id) as connection:
            gone = await connection.fetchval(
                "DELETE FROM definition_draft_presence "
                "WHERE workspace_id = $1 AND draft_id = $2 AND person_id = $3 RETURNING true",
                *(closed.workspace_id, draft.id, UUID(closed.data["byId"])),
            )
            if gone and draft.shared:
                await append_event(connection, closed)

    async def behind(
        self, workspace_id: UUID, caller_id: UUID, definition_id: UUID, revision: int
    ) -> list[DefinitionDraft]:
        """The caller's own and shared drafts that rest on an older revision of a definition, without their texts."""
        async with self._database.workspace(workspace_id) as connection:
            rows = await connection.fetch(
                f"{_WITHOUT_TEXT} AND d.definition_id = $3 AND d.base_revision < $4 "
                "ORDER BY d.updated_at DESC LIMIT 20",
                *(workspace_id, caller_id, definition_id, revision),
            )
        return [DefinitionDraft(**row) for row in rows]

    async def files_only(self, workspace_id: UUID) -> bool:
        """Whether the workspace's definitions come from files only."""
        async with self._database.workspace(workspace_id) as connection:
            return await _files_only(connection, workspace_id)

    async def say_files_only(self, workspace_id: UUID, files_only: bool, now: datetime) -> None:
        """Say it."""
        async with self._database.workspace(workspace_id) as connection:
            await connection.execute(
                "INSERT INTO definition_source (workspace_id, files_only, updated_at) VALUES ($1, $2, $3) "
                "ON CONFLICT (workspace_id) DO UPDATE SET files_only = excluded.files_only, "
                "updated_at = excluded.updated_at",
                *(workspace_id, files_only, now),
            )


async def _others(connection: Connection, event: Event, draft_id: UUID, fresh: timedelta) -> list[str]:
    """The names of those who have a draft open, but for whoever did what the event tells."""
    rows = await connection.fetch(
        "SELECT name FROM definition_draft_presence "
        "WHERE workspace_id = $1 AND draft_id = $2 AND person_id <> $3 AND seen_at > $4 ORDER BY name LIMIT 20",
        *(event.workspace_id, draft_id, UUID(event.data["byId"]), event.created_at - fresh),
    )
    return [one["name"] for one in rows]


async def _files_only(connection: Connection, workspace_id: UUID) -> bool:
    found = await connection.fetchval("SELECT files_only FROM definition_source WHERE workspace_id = $1", workspace_id)
    return bool(found)
