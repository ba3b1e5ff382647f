"""Executions as they are listed and shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from passerelle.engine.model import Status
from passerelle.kit.json import JsonObject, KnownJson


@dataclass(frozen=True, slots=True)
class ExecutionView:
    """An execution with the names that its answers need."""

    id: UUID
    workspace_id: UUID
    definition_id: UUID
    name: str
    revision_id: UUID
    revision: int
    execution_type: str
    status: Status
    locale: str | None
    parameters: JsonObject
    record_id: UUID | None
    origin: str
    waiting_for: list[JsonObject]
    result: KnownJson
    error: JsonObject | None
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None
    expires_at: datetime | None
    parent_id: UUID | None = None
    parent_step: str | None = None
    started_by: JsonObject | None = None


@dataclass(frozen=True, slots=True)
class StepRunView:
    """One attempt of a step: finished, or a call that is under way."""

    step: str
    visit: int
    attempt: int
    kind: str
    status: str
    input: KnownJson
    output: KnownJson
    error: JsonObject | None
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class MoveView:
    """That an execution was moved to another revision, and perhaps back."""

    migration_id: UUID
    from_revision: UUID
    from_number: int
    to_revision: UUID
    to_number: int
    moved_at: datetime
    moved_by: str
    undone_at: datetime | None
    undone_by: str | None


@dataclass(frozen=True, slots=True)
class ExecutionFilters:
    """What a list of executions is narrowed by."""

    status: str | None = None
    definition_id: UUID | None = None
    record_id: UUID | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None
    parent_id: UUID | None = None
    error_code: str | None = None
    waiting_for: str | None = None
    """The kind of step that they rest at, or `retry`."""
    revision: int | None = None
    """The number of the revision that they run."""
    step: str | None = None
    """The step that they rest at, or failed at."""
    begun: bool = False
    """Whether those are left out whose link or token nobody has used."""
    definitions: tuple[UUID, ...] | None = None
    """Only of these definitions: those that whoever asks may know of."""


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Failed executions of one definition with the same error."""

    code: str | None
    definition_id: UUID
    name: str
    count: int
    latest_id: UUID
    latest_message: str | None
    latest_at: datetime


@dataclass(frozen=True, slots=True)
class EndUserAccess:
    """How the end user of a started execution gets in: a link, and a token for the widget."""

    link: str = field(repr=False)
    token: str = field(repr=False)


class GivesAccess(Protocol):
    """Links and tokens are another feature's, which stands above (`passerelle.links`)."""

    async def of(self, view: ExecutionView) -> EndUserAccess:
        """The link and the token of an interactive execution that was just started."""
