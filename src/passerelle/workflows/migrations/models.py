"""What a migration is, and what it says of executions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from passerelle.engine.verdicts import MigrationVerdict, VerdictReason
from passerelle.kit.json import JsonObject


class MigrationStatus(StrEnum):
    """Where a migration stands."""

    RUNNING = "RUNNING"
    DONE = "DONE"
    UNDOING = "UNDOING"
    UNDONE = "UNDONE"


UNDER_WAY = (MigrationStatus.RUNNING, MigrationStatus.UNDOING)


@dataclass(frozen=True, slots=True)
class MigrationRequest:
    """What a caller wants moved. `only` None: every execution of the revision that has not ended."""

    id: UUID
    from_number: int
    to_number: int
    mapping: Mapping[str, str]
    only: tuple[UUID, ...] | None
    dry_run: bool
    by: str
    loosened_by: tuple[str, str] | None = None
    """Type and id of who lets open reviews have looser rules; None: they are left where they are."""


@dataclass(frozen=True, slots=True)
class Migration:
    """A migration as it is stored."""

    id: UUID
    workspace_id: UUID
    definition_id: UUID
    from_revision: UUID
    from_number: int
    to_revision: UUID
    to_number: int
    mapping: Mapping[str, str]
    only: tuple[UUID, ...] | None
    dry_run: bool
    status: MigrationStatus
    position: UUID | None
    created_at: datetime
    created_by: str
    completed_at: datetime | None
    undone_by: str | None
    loosened_by: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many executions, by what was said and done."""

    safe: int
    needs_mapping: int
    loosens: int
    refused: int
    moved: int
    undone: int
    kept: int
    """Left where they are by an undo, because they had gone on."""


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """A reason, and how many executions it holds for, of which `example` is one."""

    reason: VerdictReason
    executions: int
    example: UUID


@dataclass(frozen=True, slots=True)
class Summary:
    """A migration with what came of it so far."""

    migration: Migration
    counts: Counts
    reasons: tuple[ReasonCount, ...]


@dataclass(frozen=True, slots=True)
class ExecutionMigration:
    """What was said of one execution, and done."""

    execution_id: UUID
    verdict: MigrationVerdict
    reasons: tuple[VerdictReason, ...] = ()
    moved_at: datetime | None = None
    moved_seq: int | None = None
    trail: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    undone_at: datetime | None = None
    kept: str | None = None


def reason_json(reason: VerdictReason) -> JsonObject:
    """As it is stored."""
    return {"code": reason.code, "message": reason.message, "step": reason.step, "verdict": reason.verdict.value}


def reason_of(facts: JsonObject) -> VerdictReason:
    """The reverse of `reason_json`."""
    return VerdictReason(facts["code"], facts["message"], facts["step"], MigrationVerdict(facts["verdict"]))
