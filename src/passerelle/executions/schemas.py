"""Bodies and answers of the execution endpoints."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal
from uuid import UUID

from pydantic import AwareDatetime, BeforeValidator, Field

from passerelle.executions import errors
from passerelle.executions.cases import Party
from passerelle.executions.masking import Masking
from passerelle.executions.openings import Opening
from passerelle.executions.personal import masked_changes
from passerelle.executions.repository import ExecutionView, MoveView, StepRunView
from passerelle.executions.service import Timeline
from passerelle.kit.http.answers import Answer, Moment
from passerelle.kit.http.bodies import Body
from passerelle.kit.http.fields import FIELD_UNKNOWN, Explanations
from passerelle.kit.json import JsonObject
from passerelle.records.models import Change
from passerelle.records.trail import named_changes
from passerelle.tables.models import Table

EXECUTION_VERSION: Final = 1
"""The version of the engine's rules that an execution runs under."""

RENAME: Final = (
    "version 2 has no caseId: rename it to recordId and keep its value; the same identifier works, since a case is a "
    "record of the table cases"
)
USE_VERSION_2: Final = "send `Accept: application/json;version=2`"
ONLY_IN_VERSION_2: Final[Explanations] = {
    "recordId": (
        errors.RECORD_ID_NEEDS_VERSION_2,
        f"recordId belongs to version 2 of this endpoint, where it takes the place of caseId: {USE_VERSION_2}",
    ),
    "parameters": (
        FIELD_UNKNOWN,
        f"`parameters` belongs to version 2 of this endpoint: {USE_VERSION_2}; version 1 takes the `parametersId` that "
        "`POST /parameters` gives",
    ),
}
"""What a body of version 1 says to those who forgot the header."""

OptionalId = Annotated[UUID | None, BeforeValidator(lambda given: None if given == "" else given)]
"""Old clients send an empty text for an id that they do not have."""


class RunBodyV1(Body):
    """Run a workflow for a case (deprecated)."""

    when_missing: ClassVar[Explanations] = {
        "caseId": (
            errors.CASE_ID_REQUIRED,
            f"version 1 of this endpoint needs caseId; to run without a case, {USE_VERSION_2}",
        )
    }
    when_unknown: ClassVar[Explanations] = ONLY_IN_VERSION_2

    case_id: UUID
    workflow_definition_id: UUID
    parameters_id: OptionalId = None


class RunBody(Body):
    """Run a workflow that needs no end user."""

    when_unknown: ClassVar[Explanations] = {"caseId": (errors.CASE_ID_REMOVED, RENAME)}

    workflow_definition_id: UUID
    record_id: UUID | None = None
    parameters_id: UUID | None = None
    parameters: dict[str, Any] | None = None


class StartBody(Body):
    """Start an execution of any definition."""

    when_unknown: ClassVar[Explanations] = {"caseId": (errors.CASE_ID_REMOVED, RENAME)}

    workflow_definition_id: UUID
    locale: str | None = Field(default=None, pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$")
    parameters: dict[str, Any] | None = None
    parameters_id: UUID | None = None
    expires_at: AwareDatetime | None = Field(default=None, strict=False)
    record_id: UUID | None = None
    ui_mode: Any = Field(default=None, description="Existing clients send it; it is ignored.", deprecated=True)


class ParametersBody(Body):
    """Store parameters for later."""

    parameters: dict[str, Any]
    workflow_definition_id: UUID | None = None


class CancelBody(Body):
    """End an execution."""

    reason: str | None = Field(default=None, max_length=500)


class RunAnswerV1(Answer):
    """Where the run stood when this was answered (version 1)."""

    id: UUID
    case_id: UUID
    status: str


class RunAnswer(Answer):
    """Where the run stood when this was answered."""

    id: UUID
    record_id: UUID | None
    status: str


class WaitAnswer(Answer):
    """Something that an execution rests for."""

    step: str
    kind: str
    event: str | None = None
    until: str | None = None
    attempt: int | None = None
    workflow_id: str | None = None


class WorkflowAnswer(Answer):
    """An execution."""

    id: UUID
    workspace_id: UUID
    workflow_definition_id: UUID
    name: str
    revision: int
    execution_version: int
    execution_type: Literal["BACKGROUND", "INTERACTIVE"]
    status: str
    locale: str | None
    parameters: dict[str, Any]
    record_id: UUID | None
    expires_at: Moment | None
    ui_options: dict[str, Any] | None
    origin: str
    parent_id: UUID | None
    parent_step: str | None
    created_date: Moment
    updated_date: Moment
    completed_date: Moment | None
    waiting_for: list[JsonObject]
    error: Any = None


class StartedAnswer(WorkflowAnswer):
    """An execution that was just started; interactive ones with a link for the end user and a token for the widget."""

    link: str
    token: str


class ResultAnswer(Answer):
    """What a completed execution came to."""

    id: UUID
    created_date: Moment
    completed_date: Moment | None
    workflow_definition_id: UUID
    record_id: UUID | None
    status: str
    result: Any


class ResultAnswerV1(Answer):
    """What a completed execution of a case came to (version 1)."""

    id: UUID
    created_date: Moment
    case_id: UUID
    party_id: UUID
    party_details: JsonObject
    status: str
    result: Any


class StepRunAnswer(Answer):
    """One attempt of one step."""

    step: str
    kind: str
    visit: int
    attempt: int
    status: Literal["COMPLETED", "SKIPPED", "FAILED"]
    started_at: Moment
    ended_at: Moment
    input: Any
    output: Any
    error: Any


class FieldChangeAnswer(Answer):
    """What became of one field."""

    field: str
    old: Any
    new: Any


class RecordChangeAnswer(Answer):
    """What an execution did to one record."""

    record_id: UUID
    table: str
    version: int
    action: str
    at: Moment
    changes: list[FieldChangeAnswer]


class ExecutionMoveAnswer(Answer):
    """That the execution was moved to another revision of its definition, and perhaps back."""

    migration_id: UUID
    from_: Annotated[int, Field(alias="from")]
    to: int
    at: Moment
    by: str
    undone_at: Moment | None
    undone_by: str | None


class TimelineAnswer(Answer):
    """Everything that happened in an execution, oldest first."""

    id: UUID
    status: str
    steps: list[StepRunAnswer]
    record_changes: list[RecordChangeAnswer]
    moves: list[ExecutionMoveAnswer]
    waiting_for: list[JsonObject]


class ParametersAnswer(Answer):
    """The id under which parameters were stored."""

    parameters_id: UUID


def workflow_answer(view: ExecutionView) -> WorkflowAnswer:
    """An execution as the API shows it."""
    return WorkflowAnswer(
        id=view.id,
        workspace_id=view.workspace_id,
        workflow_definition_id=view.definition_id,
        name=view.name,
        revision=view.revision,
        execution_version=EXECUTION_VERSION,
        execution_type="INTERACTIVE" if view.execution_type == "INTERACTIVE" else "BACKGROUND",
        status=view.status,
        locale=view.locale,
        parameters=dict(view.parameters),
        record_id=view.record_id,
        expires_at=view.expires_at,
        ui_options=None,
        origin=view.origin,
        parent_id=view.parent_id,
        parent_step=view.parent_step,
        created_date=view.created_at,
        updated_date=view.updated_at,
        completed_date=view.completed_at,
        waiting_for=view.waiting_for,
        error=view.error,
    )


def started_answer(view: ExecutionView, opening: Opening) -> StartedAnswer:
    """An execution with what lets its end user in."""
    facts = dict(workflow_answer(view))
    return StartedAnswer(**facts, link=opening.link, token=opening.token)


def result_answer(view: ExecutionView) -> ResultAnswer:
    """The result of a completed execution."""
    return ResultAnswer(
        id=view.id,
        created_date=view.created_at,
        completed_date=view.completed_at,
        workflow_definition_id=view.definition_id,
        record_id=view.record_id,
        status=view.status,
        result=view.result,
    )


def result_answer_v1(view: ExecutionView, party: Party) -> ResultAnswerV1:
    """The result of a completed execution, with whom its case is about."""
    return ResultAnswerV1(
        id=view.id,
        created_date=view.created_at,
        case_id=party.case_id,
        party_id=party.id,
        party_details=party.details,
        status=view.status,
        result=view.result,
    )


def timeline_answer(timeline: Timeline) -> TimelineAnswer:
    """A timeline, with personal data masked."""
    view, mask = timeline.view, timeline.mask
    return TimelineAnswer(
        id=view.id,
        status=view.status,
        steps=[step_run_answer(run, mask) for run in timeline.runs],
        record_changes=[_record_change(table, change, mask) for table, change in timeline.changes],
        moves=[_move(move) for move in timeline.moves],
        waiting_for=view.waiting_for,
    )


def _move(move: MoveView) -> ExecutionMoveAnswer:
    return ExecutionMoveAnswer.model_validate(
        {
            "migration_id": move.migration_id,
            "from": move.from_number,
            "to": move.to_number,
            "at": move.moved_at,
            "by": move.moved_by,
            "undone_at": move.undone_at,
            "undone_by": move.undone_by,
        }
    )


def _record_change(table: Table, change: Change, mask: Masking) -> RecordChangeAnswer:
    personal = frozenset(field.name for field in table.all_fields if field.pii)
    named = masked_changes(named_changes(table, change.changes), personal, mask)
    return RecordChangeAnswer(
        record_id=change.record_id,
        table=table.name,
        version=change.version,
        action=change.action,
        at=change.at,
        changes=[FieldChangeAnswer(**facts) for facts in named],
    )


def step_run_answer(run: StepRunView, mask: Masking) -> StepRunAnswer:
    """An attempt, with personal data masked."""
    return StepRunAnswer(
        step=run.step,
        kind=run.kind,
        visit=run.visit,
        attempt=run.attempt,
        status=run.status,  # type: ignore[arg-type] # the column's check constraint
        started_at=run.started_at,
        ended_at=run.ended_at,
        input=mask.value(run.input),
        output=mask.output(run),
        error=mask.value(run.error),
    )
