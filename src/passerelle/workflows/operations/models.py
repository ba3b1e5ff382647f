"""What an operation is, and what it says of executions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from passerelle.kit.json import JsonObject
from passerelle.workflows.models import ExecutionFilters

Action = Literal["retry", "cancel"]
Revision = Literal["original", "latest"]
Outcome = Literal["done", "possible", "refused"]


class OperationStatus(StrEnum):
    """Where an operation stands."""

    RUNNING = "RUNNING"
    DONE = "DONE"
    STOPPED = "STOPPED"


@dataclass(frozen=True, slots=True)
class OperationRequest:
    """What a caller wants done. `only` None: with all that the filters find."""

    id: UUID
    action: Action
    only: tuple[UUID, ...] | None
    filters: ExecutionFilters
    dry_run: bool
    reason: str | None
    definition: Revision
    by: JsonObject


@dataclass(frozen=True, slots=True)
class BulkOperation:
    """An operation as it is stored. `total`: the executions that it found at the start, counted up to a bound."""

    id: UUID
    workspace_id: UUID
    action: Action
    only: tuple[UUID, ...] | None
    filters: JsonObject
    dry_run: bool
    reason: str | None
    definition: Revision
    status: OperationStatus
    position: UUID | None
    total: int
    total_exact: bool
    looked_at: int
    created_at: datetime
    created_by: JsonObject
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class OperationResult:
    """What became of one execution, or would. `step`: with `retry`, the one that it goes on with."""

    execution_id: UUID
    name: str | None
    outcome: Outcome
    step: str | None = None
    code: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class OutcomeCount:
    """How many executions came to the same, of which `example` is one."""

    outcome: Outcome
    name: str | None
    step: str | None
    code: str | None
    message: str | None
    executions: int
    example: UUID


@dataclass(frozen=True, slots=True)
class OperationSummary:
    """An operation with what came of it so far, the most frequent first."""

    operation: BulkOperation
    outcomes: Sequence[OutcomeCount]
