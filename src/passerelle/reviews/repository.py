"""Reading open reviews in PostgreSQL: they are what executions wait for, so no other table holds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from passerelle.events.models import Event
from passerelle.events.repository import insert
from passerelle.kit.database import Database
from passerelle.kit.json import Json, JsonObject


@dataclass(frozen=True, slots=True)
class OpenReview:
    """A review that waits for a decision. `facts` is its entry of `waitingFor`."""

    execution_id: UUID
    definition_id: UUID
    name: str
    path: str
    facts: JsonObject


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list of reviews is narrowed by."""

    assign_to: str | None = None
    definition_id: UUID | None = None
    execution_id: UUID | None = None
    roles: tuple[str, ...] | None = None
    """Only reviews that somebody with these roles may decide."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a review went that is over."""

    output: Json
    error: Json


_OPEN = """
    SELECT e.id AS execution_id, e.definition_id, d.name, w.path, w.facts
    FROM execution e
    JOIN definition d ON d.workspace_id = e.workspace_id AND d.id = e.definition_id
    CROSS JOIN LATERAL (
        SELECT coalesce(value ->> 'path', value ->> 'step') AS path, value AS facts
        FROM jsonb_array_elements(e.waiting_for)
        WHERE value ->> 'kind' = 'review'
    ) w
    WHERE e.workspace_id = $1 AND e.waiting_for @> '[{"kind": "review"}]'
      AND ($3::uuid IS NULL OR (e.id, w.path) > ($3, $4::text))
      AND ($5::text IS NULL OR lower(w.facts ->> 'assignTo') = lower($5))
      AND ($6::uuid IS NULL OR e.definition_id = $6)
      AND ($7::uuid IS NULL OR e.id = $7)
      AND ($8::text[] IS NULL OR w.facts ->> 'assignTo' IS NULL OR lower(w.facts ->> 'assignTo') = ANY ($8))
    ORDER BY e.id, w.path
    LIMIT $2
"""

_ENDED = """
    SELECT output, error FROM step_run
    WHERE workspace_id = $1 AND execution_id = $2 AND kind = 'review' AND status <> 'SKIPPED'
      AND (step = $3 OR right(step, length($3) + 1) = '.' || $3)
    ORDER BY ordinal DESC LIMIT 1
"""


class ReviewRepository:
    """Every query names the workspace; row-level security names it again."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, workspace_id: UUID, filters: Filters, after: tuple[UUID, str] | None, limit: int
    ) -> list[OpenReview]:
        """Open reviews, those of the oldest execution first."""
        execution_id, path = after or (None, None)
        async with self._database.workspace(workspace_id) as connection:
            rows: Sequence[Any] = await connection.fetch(
                _OPEN,
                workspace_id,
                limit,
                execution_id,
                path,
                filters.assign_to,
                filters.definition_id,
                filters.execution_id,
                None if filters.roles is None else [role.lower() for role in filters.roles],
            )
        return [OpenReview(**row) for row in rows]

    async def ended(self, workspace_id: UUID, execution_id: UUID, path: str) -> Ended | None:
        """How the review last went, by its path or its step's id; None if it never ended."""
        async with self._database.workspace(workspace_id) as connection:
            row = await connection.fetchrow(_ENDED, workspace_id, execution_id, path)
        return Ended(row["output"], row["error"]) if row is not None else None

    async def tell(self, event: Event) -> None:
        """Write an event."""
        async with self._database.transaction(event.workspace_id) as connection:
            await insert(connection, event)
