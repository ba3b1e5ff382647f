"""Reading open reviews in PostgreSQL: they are what executions wait for, so no other table holds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from passerelle.events.appending import append_event
from passerelle.events.models import Event
from passerelle.kit.database import Database
from passerelle.kit.json import JsonObject


@dataclass(frozen=True, slots=True)
class OpenReview:
    """A review that waits for a decision. `facts` is its entry of `waitingFor`."""

    execution_id: UUID
    definition_id: UUID
    name: str
    path: str
    facts: JsonObject
    revision_id: UUID
    parameters: JsonObject
    """What the execution was started with, for what must be masked."""
    changes: Sequence[JsonObject] = ()
    """What others changed of the execution's record since the decision was asked for: at, by, fields; newest first."""


@dataclass(frozen=True, slots=True)
class ReviewFilters:
    """What a list of reviews is narrowed by."""

    assign_to: str | None = None
    definition_id: UUID | None = None
    execution_id: UUID | None = None
    roles: tuple[str, ...] | None = None
    """Only reviews that somebody with these roles may decide."""
    assigned: frozenset[str] | None = None
    """Only reviews that are assigned to one of these."""
    taken_by: str | None = None
    """Only those that the user with this id has taken; `nobody`: that nobody has."""


@dataclass(frozen=True, slots=True)
class EndedReview:
    """How a review went that is over."""

    output: JsonObject
    error: JsonObject | None


_WAITS: Final = """
    CROSS JOIN LATERAL (
        SELECT coalesce(value ->> 'path', value ->> 'step') AS path, value AS facts
        FROM jsonb_array_elements(e.waiting_for)
        WHERE value ->> 'kind' = 'review'
    ) w
"""
_WANTED: Final = """
    e.workspace_id = $1 AND e.waiting_for @> '[{"kind": "review"}]'
      AND ($3::uuid IS NULL OR (e.id, w.path) > ($3, $4::text))
      AND ($5::text IS NULL OR lower(w.facts ->> 'assignTo') = lower($5))
      AND ($6::uuid IS NULL OR e.definition_id = $6)
      AND ($7::uuid IS NULL OR e.id = $7)
      AND ($8::text[] IS NULL OR w.facts ->> 'assignTo' IS NULL OR lower(w.facts ->> 'assignTo') = ANY ($8))
      AND ($9::text[] IS NULL OR lower(w.facts ->> 'assignTo') = ANY ($9))
      AND ($10::text IS NULL OR coalesce(w.facts -> 'takenBy' ->> 'id', 'nobody') = $10)
"""
_OPEN: Final = f"""
    SELECT e.id AS execution_id, e.definition_id, d.name, w.path, w.facts, e.revision_id, e.parameters,
           coalesce(h.changes, '[]') AS changes
    FROM execution e
    JOIN definition d ON d.workspace_id = e.workspace_id AND d.id = e.definition_id
    {_WAITS}
    LEFT JOIN LATERAL (
        SELECT jsonb_agg(jsonb_build_object('at', c.at, 'by', c.by, 'fields', (
            SELECT coalesce(jsonb_agg(f ->> 'name'), '[]') FROM record r
            JOIN record_table t ON t.workspace_id = r.workspace_id AND t.id = r.table_id,
                 jsonb_array_elements(t.fields) f
            WHERE r.workspace_id = $1 AND r.id = c.record_id AND c.changes ? (f ->> 'key')
        )) ORDER BY c.version DESC) AS changes
        FROM (
            SELECT * FROM record_change c
            WHERE c.workspace_id = $1 AND c.record_id = e.record_id AND c.at > (w.facts ->> 'requestedAt')::timestamptz
              AND c.execution_id IS DISTINCT FROM e.id
            ORDER BY c.version DESC LIMIT 20
        ) c
    ) h ON true
    WHERE {_WANTED}
    ORDER BY e.id, w.path
    LIMIT $2
"""
_COUNT: Final = f"SELECT count(*) FROM (SELECT FROM execution e {_WAITS} WHERE {_WANTED} LIMIT $2) found"

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
        self, workspace_id: UUID, filters: ReviewFilters, after: tuple[UUID, str] | None, limit: int
    ) -> list[OpenReview]:
        """Open reviews, those of the oldest execution first."""
        async with self._database.reading(workspace_id) as connection:
            rows: Sequence[Any] = await connection.fetch(_OPEN, *_values(workspace_id, filters, after, limit))
        return [OpenReview(**row) for row in rows]

    async def count(self, workspace_id: UUID, filters: ReviewFilters, at_most: int) -> int:
        """How many open reviews there are, not counted further than `at_most`."""
        async with self._database.reading(workspace_id) as connection:
            return int(await connection.fetchval(_COUNT, *_values(workspace_id, filters, None, at_most)))

    async def ended(self, workspace_id: UUID, execution_id: UUID, path: str) -> EndedReview | None:
        """How the review last went, by its path or its step's id; None if it never ended."""
        async with self._database.workspace(workspace_id) as connection:
            row = await connection.fetchrow(_ENDED, workspace_id, execution_id, path)
        return EndedReview(row["output"], row["error"]) if row is not None else None

    async def tell(self, event: Event) -> None:
        """Write an event."""
        async with self._database.transaction(event.workspace_id) as connection:
            await append_event(connection, event)


def _values(
    workspace_id: UUID, filters: ReviewFilters, after: tuple[UUID, str] | None, limit: int
) -> tuple[object, ...]:
    return (
        workspace_id,
        limit,
        *(after or (None, None)),
        filters.assign_to,
        filters.definition_id,
        filters.execution_id,
        None if filters.roles is None else [role.lower() for role in filters.roles],
        None if filters.assigned is None else sorted(filters.assigned),
        filters.taken_by,
    )
