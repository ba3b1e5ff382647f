"""Bodies and answers of the migration endpoints."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from passerelle.engine.verdicts import Reason
from passerelle.executions.moves.models import Move, ReasonCount, Summary
from passerelle.kit.http.answers import Answer, Moment
from passerelle.kit.http.bodies import Body

VerdictName = Literal["safe", "needs-mapping", "refused"]
MOST_NAMED = 1_000


class MigrationBody(Body):
    """Move executions from one revision of a definition to another."""

    from_: Annotated[int, Field(alias="from", description="The revision that the executions are on.")]
    to: int = Field(description="The revision that they move to.")
    dry_run: bool = Field(default=False, description="Only say what would become of each execution.")
    mapping: dict[str, str] = Field(default_factory=dict, description="The new ids of renamed steps by the old ones.")
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
    code: str
    step: str | None
    message: str


class ReasonCountAnswer(ReasonAnswer):
    """A reason, and how many executions it holds for."""

    executions: int
    example: UUID


class VerdictCounts(Answer):
    """How many executions got which verdict."""

    safe: int
    needs_mapping: int
    refused: int


class MigrationAnswer(Answer):
    """A migration and what it has come to so far."""

    id: UUID
    workflow_definition_id: UUID
    from_: Annotated[int, Field(alias="from")]
    to: int
    mapping: dict[str, str]
    dry_run: bool
    status: Literal["RUNNING", "DONE", "UNDOING", "UNDONE"]
    verdicts: VerdictCounts
    moved: int
    undone: int
    kept: int = Field(description="Left where they are by an undo, because they had gone on.")
    reasons: list[ReasonCountAnswer]
    created_date: Moment
    created_by: str
    completed_date: Moment | None
    undone_by: str | None


class MoveAnswer(Answer):
    """What a migration says of one execution, and did."""

    workflow_id: UUID
    verdict: VerdictName
    reasons: list[ReasonAnswer]
    moved_date: Moment | None
    undone_date: Moment | None
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


def move_answer(move: Move) -> MoveAnswer:
    """What was said of one execution."""
    return MoveAnswer(
        workflow_id=move.execution_id,
        verdict=move.verdict.value,
        reasons=[_reason(reason) for reason in move.reasons],
        moved_date=move.moved_at,
        undone_date=move.undone_at,
        kept=move.kept,
    )


def _reason(reason: Reason) -> ReasonAnswer:
    return ReasonAnswer(verdict=reason.verdict.value, code=reason.code, step=reason.step, message=reason.message)


def _counted(each: ReasonCount) -> ReasonCountAnswer:
    facts = dict(_reason(each.reason))
    return ReasonCountAnswer(**facts, executions=each.executions, example=each.example)
