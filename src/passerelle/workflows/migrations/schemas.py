"""Bodies and answers of the migration endpoints."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from passerelle.engine.verdicts import VerdictReason
from passerelle.kit.http.answers import Answer, Moment
from passerelle.kit.http.bodies import Body
from passerelle.kit.http.bounds import Number32
from passerelle.workflows.migrations.models import ExecutionMigration, ReasonCount, Summary

VerdictName = Literal["safe", "needs-mapping", "loosens", "refused"]
MOST_NAMED = 1_000


class MigrationBody(Body):
    """Move executions from one revision of a definition to another."""

    from_: Annotated[Number32, Field(alias="from", description="The revision that the executions are on.")]
    to: Number32 = Field(description="The revision that they move to.")
    dry_run: bool = Field(default=False, description="Only say what would become of each execution.")
    mapping: dict[str, str] = Field(default_factory=dict, description="The new ids of renamed steps by the old ones.")
    loosen_reviews: bool = Field(
        default=False,
        description="Move also where an open review gets looser rules; requires `can_publish_definitions` as well, of "
        "somebody who has not voted on it. Without it such executions stay where they are.",
    )
    workflow_ids: list[UUID] | None = Field(
        default=None,
        max_length=MOST_NAMED,
        min_length=1,
        strict=False,
        description="Only these executions; all that have not ended if absent.",
    )


class ReasonAnswer(Answer):
    """Why executions cannot be moved."""

    verdict: VerdictName
    """What follows from it."""
    code: str
    """The reason's code."""
    step: str | None
    """The step that it is about; null where it is about all."""
    message: str
    """What is the matter and what to do."""


class ReasonCountAnswer(ReasonAnswer):
    """A reason, and how many executions it holds for."""

    executions: int
    """How many executions it holds for."""
    example: UUID
    """One of them."""


class VerdictCounts(Answer):
    """Executions by verdict."""

    safe: int
    """Those that can be moved."""
    needs_mapping: int
    """Those that need a mapping."""
    loosens: int
    """Those whose open review would have looser rules."""
    refused: int
    """Those that cannot be moved."""


class MigrationAnswer(Answer):
    """A migration and what it has come to so far."""

    id: UUID
    """The migration's id."""
    workflow_definition_id: UUID
    """The definition whose executions it moves."""
    from_: Annotated[int, Field(alias="from")]
    """The revisions that they leave; null for any."""
    to: int
    """The revision that they are to run."""
    mapping: dict[str, str]
    """Which step of the old revision is which of the new one."""
    dry_run: bool
    """Whether it only judges."""
    status: Literal["RUNNING", "DONE", "UNDOING", "UNDONE"]
    """Where it stands."""
    verdicts: VerdictCounts = Field(description="How many executions got which verdict so far.")
    moved: int
    """How many were moved."""
    undone: int
    """How many were moved back."""
    kept: int = Field(description="Left where they are by an undo, because they had gone on.")
    reasons: list[ReasonCountAnswer]
    """Why executions cannot be moved, the most frequent first."""
    created_date: Moment
    """When it was started."""
    created_by: str
    """Who started it."""
    completed_date: Moment | None
    """When it ended; null until then."""
    undone_by: str | None
    """Who moved them back; null where nobody did."""


class MoveAnswer(Answer):
    """What a migration says of one execution, and did."""

    workflow_id: UUID
    """The execution."""
    verdict: VerdictName
    """Whether it can be moved."""
    reasons: list[ReasonAnswer]
    """Why it cannot, or not without a mapping."""
    moved_date: Moment | None
    """When it was moved; null where it was not."""
    undone_date: Moment | None
    """When it was moved back; null where it was not."""
    kept: str | None = Field(description="Why an undo left it where it is.")


def migration_answer(summary: Summary) -> MigrationAnswer:
    """A migration as the API shows it."""
    migration, counts = summary.migration, summary.counts
    return MigrationAnswer.model_validate(
        {
            "id": migration.id,
            "workflow_definition_id": migration.definition_id,
            "from": migration.from_number,
            "to": migration.to_number,
            "mapping": dict(migration.mapping),
            "dry_run": migration.dry_run,
            "status": migration.status.value,
            "verdicts": {
                "safe": counts.safe,
                "needs_mapping": counts.needs_mapping,
                "loosens": counts.loosens,
                "refused": counts.refused,
            },
            "moved": counts.moved,
            "undone": counts.undone,
            "kept": counts.kept,
            "reasons": [_counted(each) for each in summary.reasons],
            "created_date": migration.created_at,
            "created_by": migration.created_by,
            "completed_date": migration.completed_at,
            "undone_by": migration.undone_by,
        }
    )


def move_answer(move: ExecutionMigration) -> MoveAnswer:
    """What was said of one execution."""
    return MoveAnswer(
        workflow_id=move.execution_id,
        verdict=move.verdict.value,
        reasons=[_reason(reason) for reason in move.reasons],
        moved_date=move.moved_at,
        undone_date=move.undone_at,
        kept=move.kept,
    )


def _reason(reason: VerdictReason) -> ReasonAnswer:
    return ReasonAnswer(verdict=reason.verdict.value, code=reason.code, step=reason.step, message=reason.message)


def _counted(each: ReasonCount) -> ReasonCountAnswer:
    facts = dict(_reason(each.reason))
    return ReasonCountAnswer(**facts, executions=each.executions, example=each.example)
