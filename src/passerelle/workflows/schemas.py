"""Bodies and answers of the execution endpoints."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field

from passerelle.kit.http.answers import Answer, Moment
from passerelle.kit.http.bodies import Body
from passerelle.kit.http.bounds import Time
from passerelle.kit.http.fields import FIELD_UNKNOWN, Explanations
from passerelle.kit.json import Json, JsonObject
from passerelle.records.history import named_changes
from passerelle.records.models import RecordChange
from passerelle.tables.models import Table
from passerelle.workflows import errors
from passerelle.workflows.cases import Party
from passerelle.workflows.masking import RunMasking
from passerelle.workflows.models import EndUserAccess, ExecutionView, MoveView, StepRunView
from passerelle.workflows.personal import masked_changes
from passerelle.workflows.preconditions import EXPIRES_UNTIL
from passerelle.workflows.service import Timeline

DEFAULT_LOCALE: Final = "en"
"""What answers say where no language was asked for: pages and e-mails are in English then."""
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
    """The case that it concerns."""
    workflow_definition_id: UUID
    """The definition to run."""
    parameters_id: OptionalId = None
    """Parameters that `POST /parameters` stored."""


class RunBody(Body):
    """Run a workflow that needs no end user."""

    when_unknown: ClassVar[Explanations] = {"caseId": (errors.CASE_ID_REMOVED, RENAME)}

    workflow_definition_id: UUID
    """The definition to run."""
    record_id: UUID | None = None
    """The record that it concerns; any id of yours where the definition names no table."""
    parameters_id: UUID | None = None
    """Parameters that `POST /parameters` stored."""
    parameters: dict[str, Any] | None = None
    """The parameters by name, instead of `parametersId`."""


class StartBody(Body):
    """Start an execution of any definition."""

    when_unknown: ClassVar[Explanations] = {"caseId": (errors.CASE_ID_REMOVED, RENAME)}

    workflow_definition_id: UUID
    """The definition to start."""
    locale: str | None = Field(default=None, pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$")
    """The end user's language, such as `pl` or `en-GB`."""
    parameters: dict[str, Any] | None = None
    """The parameters by name."""
    parameters_id: UUID | None = None
    """Parameters that `POST /parameters` stored; an unknown id is passed over."""
    expires_at: Time | None = Field(default=None, strict=False)
    """Until when the end user may finish: 30 minutes to 30 days ahead."""
    record_id: UUID | None = None
    """The record that it concerns; any id of yours where the definition names no table."""
    ui_mode: Any = Field(default=None, description="Existing clients send it; it is ignored.", deprecated=True)


class ParametersBody(Body):
    """Store parameters for later."""

    parameters: dict[str, Any]
    """The parameters by name."""
    workflow_definition_id: UUID | None = None
    """The definition that they are checked against; without it they are stored as they are."""


class CancelBody(Body):
    """End an execution."""

    reason: str | None = Field(default=None, max_length=500)
    """Why, for the timeline."""


class RunAnswerV1(Answer):
    """Where the run stood when this was answered (version 1)."""

    id: UUID
    """The execution's id."""
    case_id: UUID
    """The case that it concerns."""
    status: str
    """Where it stood when this was answered."""


class RunAnswer(Answer):
    """Where the run stood when this was answered."""

    id: UUID
    """The execution's id."""
    record_id: UUID | None
    """The record that it concerns; null where there is none."""
    status: str
    """Where it stood when this was answered."""


class StarterAnswer(Answer):
    """Who asked for an execution."""

    type: Literal["user", "key"]
    """A person, or the key of a service."""
    id: UUID
    """The user's or the key's id: the audit finds it as `actor`."""
    name: str
    """The name at that time."""


class WorkflowAnswer(Answer):
    """An execution."""

    id: UUID
    """The execution's id."""
    workspace_id: UUID
    """The workspace that it belongs to."""
    workflow_definition_id: UUID
    """The definition that it runs."""
    name: str
    """The definition's name."""
    revision: str
    """The revision of the definition that it runs, as a text."""
    execution_version: int
    """The version of the engine's rules that it runs under."""
    execution_type: Literal["BACKGROUND", "INTERACTIVE"]
    """`INTERACTIVE` where an end user takes part, else `BACKGROUND`."""
    status: str
    """Where it stands; `COMPLETED`, `EXPIRED` and `CANCELLED` are final."""
    locale: str
    """The language that its end user is addressed in."""
    parameters: dict[str, Any]
    """What it was started with; personal data is masked without `can_read_personal_data`."""
    record_id: UUID | None
    """The record that it concerns; null where there is none."""
    expires_at: Moment
    """When an end user who has not finished is too late; 30 days after the start where nobody has to."""
    ui_options: dict[str, Any]
    """Kept for existing clients; always empty."""
    origin: str
    """What started it: `API`, a link, a token or another execution."""
    started_by: StarterAnswer | None
    """Who asked for it, or for its link or token; null where another execution started it."""
    parent_id: UUID | None
    """The execution whose step started it; null where none did."""
    parent_step: str | None
    """The step that started it; null where none did."""
    created_date: Moment
    """When it was started."""
    updated_date: Moment
    """When it last changed."""
    completed_date: Moment | None
    """When it ended; null until then."""
    waiting_for: list[JsonObject]
    """What it rests for: one entry for each step that waits, with its kind and until when."""
    error: Any = None
    """Why it failed: the code, the message and the step; null unless it is `FAILED`."""


class StartedAnswer(WorkflowAnswer):
    """An execution that was just started; interactive ones with a link for the end user and a token for the widget."""

    link: str
    """Where its end user goes; shown this once."""
    token: str
    """Opens it in the widget; shown this once."""


class ResultAnswer(Answer):
    """What a completed execution came to."""

    id: UUID
    """The execution's id."""
    created_date: Moment
    """When it was started."""
    completed_date: Moment | None
    """When it ended."""
    workflow_definition_id: UUID
    """The definition that it ran."""
    record_id: UUID | None
    """The record that it concerns; null where there is none."""
    status: str
    """Always `COMPLETED`."""
    result: Any
    """What the definition's `result:` says, or every step's output by the step's id."""


class ResultAnswerV1(Answer):
    """What a completed execution of a case came to (version 1)."""

    id: UUID
    """The execution's id."""
    created_date: Moment
    """When it was started."""
    case_id: UUID
    """The case that it concerns."""
    party_id: UUID
    """The party of the case."""
    party_details: JsonObject
    """Whom the case is about."""
    status: str
    """Always `COMPLETED`."""
    result: Any
    """What the definition's `result:` says, or every step's output by the step's id."""


class StepRunAnswer(Answer):
    """One attempt of one step."""

    step: str
    """The step's id; inside of `each` with the item's number."""
    kind: str
    """The step's kind."""
    visit: int
    """How often the execution had come to the step, from 1."""
    attempt: int
    """The attempt of this visit, from 1."""
    status: Literal["COMPLETED", "SKIPPED", "FAILED", "RUNNING"] = Field(
        description="`RUNNING`: a call that is under way, or was when the execution failed beside it"
    )
    started_at: Moment
    """When the attempt began."""
    ended_at: Moment | None
    """When the attempt ended; null where it is not known."""
    input: Any
    """What the step was given; personal data is masked."""
    output: Any
    """What the step gave; personal data is masked."""
    error: Any
    """Why the attempt failed; null where it did not."""


class FieldChangeAnswer(Answer):
    """What became of one field."""

    field: str
    """The field's name."""
    old: Any
    """Its value before; null for none."""
    new: Any
    """Its value after; null for none."""


class RecordChangeAnswer(Answer):
    """What an execution did to one record."""

    record_id: UUID
    """The record that was changed."""
    table: str
    """The name of its table."""
    version: int
    """The version that the change made."""
    action: str
    """What was done: `create`, `update`, `delete` and the like."""
    at: Moment
    """When it was done."""
    changes: list[FieldChangeAnswer]
    """Each field that changed."""


class ExecutionMoveAnswer(Answer):
    """That the execution was moved to another revision of its definition, and perhaps back."""

    migration_id: UUID
    """The migration that moved it."""
    from_: Annotated[int, Field(alias="from")]
    """The revision that it left."""
    to: int
    """The revision that it runs since."""
    at: Moment
    """When it was moved."""
    by: str
    """Who started the migration."""
    undone_at: Moment | None
    """When it was moved back; null where it was not."""
    undone_by: str | None
    """Who moved it back; null where nobody did."""


class TimelineAnswer(Answer):
    """Everything that happened in an execution, oldest first."""

    id: UUID
    """The execution's id."""
    status: str
    """Where it stands."""
    steps: list[StepRunAnswer]
    """Every attempt of every step."""
    record_changes: list[RecordChangeAnswer]
    """Every record that it changed."""
    moves: list[ExecutionMoveAnswer]
    """Every move to another revision."""
    waiting_for: list[JsonObject]
    """What it rests for now."""


class ParametersAnswer(Answer):
    """The id under which parameters were stored."""

    parameters_id: UUID
    """Send it where an execution is started."""


def workflow_answer(view: ExecutionView) -> WorkflowAnswer:
    """An execution as the API shows it."""
    return WorkflowAnswer.made_from(
        view,
        workflow_definition_id=view.definition_id,
        revision=str(view.revision),
        execution_version=EXECUTION_VERSION,
        execution_type="INTERACTIVE" if view.execution_type == "INTERACTIVE" else "BACKGROUND",
        locale=view.locale or DEFAULT_LOCALE,
        parameters=dict(view.parameters),
        expires_at=view.expires_at or view.created_at + EXPIRES_UNTIL,
        ui_options={},
        started_by=None if view.started_by is None else StarterAnswer.model_validate(view.started_by),
        created_date=view.created_at,
        updated_date=view.updated_at,
        completed_date=view.completed_at,
    )


def started_answer(view: ExecutionView, access: EndUserAccess) -> StartedAnswer:
    """An execution with what lets its end user in."""
    facts = dict(workflow_answer(view))
    return StartedAnswer(**facts, link=access.link, token=access.token)


def result_answer(view: ExecutionView) -> ResultAnswer:
    """The result of a completed execution."""
    return ResultAnswer.made_from(
        view, created_date=view.created_at, completed_date=view.completed_at, workflow_definition_id=view.definition_id
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


def timeline_answer(timeline: Timeline, *, personal: bool = False) -> TimelineAnswer:
    """A timeline, with personal data masked unless `personal` says that it may be seen."""
    view, mask = timeline.view, timeline.kept if personal else timeline.mask
    return TimelineAnswer(
        id=view.id,
        status=view.status,
        steps=[step_run_answer(run, mask) for run in timeline.runs],
        record_changes=[_record_change(table, change, mask, personal=personal) for table, change in timeline.changes],
        moves=[_move(move) for move in timeline.moves],
        waiting_for=mask.value(view.waiting_for),
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


def _record_change(table: Table, change: RecordChange, mask: RunMasking, *, personal: bool) -> RecordChangeAnswer:
    hidden = frozenset(field.name for field in table.all_fields if field.pii and not personal)
    named = masked_changes(named_changes(table, change.changes), hidden, mask)
    return RecordChangeAnswer.made_from(
        change, table=table.name, changes=[FieldChangeAnswer(**facts) for facts in named]
    )


def _readable(value: Json) -> Json:
    """Without the sealed statement behind a consent, which `GET /workflows/{id}/consents` opens."""
    if isinstance(value, dict) and "sealed" in value and "hash" in value:
        return {name: one for name, one in value.items() if name != "sealed"}
    return value


def step_run_answer(run: StepRunView, mask: RunMasking) -> StepRunAnswer:
    """An attempt, with personal data masked."""
    return StepRunAnswer.made_from(
        run, input=mask.value(_readable(run.input)), output=mask.output(run), error=mask.value(run.error)
    )
