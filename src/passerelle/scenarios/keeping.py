"""The scenarios that are kept with a definition."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from passerelle.definitions.revisions.service import Revisions
from passerelle.kit.clock import Clock
from passerelle.kit.database import Database
from passerelle.kit.errors import Code

SCENARIOS_CHANGED: Final = Code(
    "SCENARIOS_CHANGED", 409, "Somebody else has kept other scenarios since the version that these rest on."
)

_FIND: Final = (
    "SELECT text, version, updated_by, updated_at FROM definition_scenarios "
    "WHERE workspace_id = $1 AND definition_id = $2"
)
_KEEP: Final = """
    INSERT INTO definition_scenarios AS s (workspace_id, definition_id, text, version, updated_by, updated_at)
    SELECT $1, $2, $3, $4 + 1, $5, $6
    WHERE $4 = 0 OR EXISTS (SELECT FROM definition_scenarios WHERE workspace_id = $1 AND definition_id = $2)
    ON CONFLICT (workspace_id, definition_id) DO UPDATE
    SET text = excluded.text, version = excluded.version, updated_by = excluded.updated_by,
        updated_at = excluded.updated_at
    WHERE s.version = $4
    RETURNING text, version, updated_by, updated_at
"""


@dataclass(frozen=True, slots=True)
class KeptScenarios:
    """What stands in a definition's file of scenarios. Version 0: nothing was kept yet."""

    text: str = ""
    version: int = 0
    updated_by: str | None = None
    updated_at: datetime | None = None


class ScenarioKeeping:
    """Keeps one text for each definition."""

    def __init__(self, database: Database, revisions: Revisions, clock: Clock) -> None:
        self._database = database
        self._revisions = revisions
        self._clock = clock

    async def find(self, workspace_id: UUID, definition_id: UUID) -> KeptScenarios:
        """What is kept. Raises WORKFLOW_DEFINITION_NOT_FOUND."""
        await self._revisions.shown(workspace_id, definition_id)
        async with self._database.workspace(workspace_id) as connection:
            row = await connection.fetchrow(_FIND, workspace_id, definition_id)
        return KeptScenarios() if row is None else KeptScenarios(**row)

    async def keep(self, workspace_id: UUID, definition_id: UUID, text: str, version: int, by: str) -> KeptScenarios:
        """Keep a text that rests on a version of it. Raises SCENARIOS_CHANGED and WORKFLOW_DEFINITION_NOT_FOUND."""
        await self._revisions.shown(workspace_id, definition_id)
        async with self._database.workspace(workspace_id) as connection:
            row = await connection.fetchrow(_KEEP, workspace_id, definition_id, text, version, by, self._clock())
        if row is None:
            raise SCENARIOS_CHANGED.error(
                f"version {version} is not the newest: read them again, and put both together", "/version"
            )
        return KeptScenarios(**row)
