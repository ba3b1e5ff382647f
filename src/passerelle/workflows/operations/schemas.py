"""Bodies and answers about operations."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import Field

from passerelle.kit.http.answers import Answer, Moment
from passerelle.kit.http.bodies import Body
from passerelle.workflows.operations.models import (
    Action,
    BulkOperation,
    OperationSummary,
    Outcome,
    OutcomeCount,
    Revision,
)

MOST_NAMED = 10_000


class OperationBody(Body):
    """What is done with executions."""

    action: Action = Field(description="What is done with each.")
    workflow_ids: list[UUID] | None = Field(
        default=None,
        min_length=1,
        max_length=MOST_NAMED,
        strict=False,
        description="These executions; without it, those that the filters of the query find, newest first.",
    )
    dry_run: bool = Field(default=False, description="Only say what would come of it.")
    reason: str | None = Field(default=None, max_length=500, description="With `cancel`: why; kept with each.")
    definition: Revision = Field(default="original", description="With `retry`: the revision to go on with.")


class OutcomeAnswer(Answer):
    """How many executions came to the same, or would."""

    outcome: Outcome
    """Whether it was done, could be done, or cannot be done."""
    name: str | None
    """Their definition's name; null where there is no such execution."""
    step: str | None = Field(description="With `retry`: the step that they go on with.")
    code: str | None = Field(description="Why it cannot be done; null where it can.")
    message: str | None
    """The same for people."""
    executions: int
    """How many."""
    example: UUID
    """One of them."""


class OperationAnswer(Answer):
    """An operation, and what it has come to so far."""

    id: UUID
    """The operation's id."""
    action: Action
    """What is done."""
    dry_run: bool
    """Whether nothing changes."""
    status: Literal["RUNNING", "DONE", "STOPPED"]
    """`RUNNING` while it goes on by itself."""
    total: int
    """The executions that were found at the start."""
    total_exact: bool
    """Whether there were no more: nothing is counted beyond 10,000 in a status."""
    looked_at: int
    """The executions whose turn has come."""
    outcomes: list[OutcomeAnswer]
    """What came of them, the most frequent first, 100 groups at most; the report has each execution."""
    reason: str | None
    """Why, as it was given."""
    created_date: Moment
    """When it was asked for."""
    created_by: str
    """The name of who asked for it."""
    completed_date: Moment | None
    """When it came to its end; null until then."""


def operation_answer(summary: OperationSummary) -> OperationAnswer:
    """An operation as the API shows it."""
    operation: BulkOperation = summary.operation
    return OperationAnswer.made_from(
        operation,
        status=operation.status.value,
        total=max(operation.total, operation.looked_at),
        outcomes=[_outcome(one) for one in summary.outcomes],
        created_date=operation.created_at,
        created_by=str(operation.created_by["name"]),
        completed_date=operation.completed_at,
    )


def _outcome(one: OutcomeCount) -> OutcomeAnswer:
    return OutcomeAnswer.made_from(one)
