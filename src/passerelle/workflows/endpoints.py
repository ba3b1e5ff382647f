"""The given workflow API, and what belongs to executions besides."""

from __future__ import annotations

from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request

from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.auditing import unaudited
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import AnyJsonBody, JsonBody
from passerelle.kit.http.hot import hot
from passerelle.kit.http.idempotency import IdempotentId
from passerelle.kit.http.pages import DEFAULT_LIMIT, After, Cursors, Limit, Page
from passerelle.kit.http.permissions import Requires, require
from passerelle.kit.http.versions import used, version
from passerelle.kit.json import Json
from passerelle.records.sight import PERSONAL
from passerelle.workflows.cases import Cases, for_case
from passerelle.workflows.models import ExecutionView, GivesAccess
from passerelle.workflows.operations.endpoints import add_operations
from passerelle.workflows.operations.service import Operations
from passerelle.workflows.overview import Narrowed, add_overview
from passerelle.workflows.schemas import (
    CancelBody,
    ParametersAnswer,
    ParametersBody,
    ResultAnswer,
    ResultAnswerV1,
    RunAnswer,
    RunAnswerV1,
    RunBody,
    RunBodyV1,
    StartBody,
    StartedAnswer,
    TimelineAnswer,
    WorkflowAnswer,
    result_answer,
    result_answer_v1,
    started_answer,
    timeline_answer,
    workflow_answer,
)
from passerelle.workflows.service import Executions, StartRequest
from passerelle.workflows.shown import sees_personal

_TOGETHER: Final = "written down with others of the same moment (`Executions`)"

WorkflowId = Annotated[UUID, Path(description="The execution's id")]
TableName = Annotated[str, Path(description="The table's id or name")]
RecordId = Annotated[UUID, Path(description="The record's id")]


def router(
    executions: Executions, operations: Operations, access: GivesAccess, cases: Cases, cursors: Cursors
) -> APIRouter:
    """Everything under `/workflows`, and `POST /parameters`."""
    routes = APIRouter(tags=["Workflows"], route_class=ApiRoute)
    add_overview(routes, executions)
    add_operations(routes, operations, cursors)
    _running(routes, executions, cases)
    _starting(routes, executions, access)
    _reading(routes, executions, cases)
    _listing(routes, executions, cursors)
    _acting(routes, executions)
    return routes


def _running(routes: APIRouter, executions: Executions, cases: Cases) -> None:
    @routes.post("/workflows/run")
    @version(2)
    @hot
    @unaudited(_TOGETHER)
    async def run_workflow(
        caller: Annotated[Principal, Requires("can_run", of="definition")],
        body: JsonBody[RunBody],
        new_id: IdempotentId,
    ) -> RunAnswer:
        """Run a workflow that needs no end user.

        Answers when the run has ended or rests (a `wait`, an `event`), at the latest after `PASSERELLE_RUN_WAIT`,
        with the status of that moment.
        """
        state = await executions.run(
            caller.workspace_id,
            StartRequest(
                id=new_id,
                definition_id=body.workflow_definition_id,
                parameters=body.parameters,
                parameters_id=body.parameters_id,
                record_id=body.record_id,
            ),
        )
        identity = state.identity
        return RunAnswer(id=identity.id, record_id=identity.record_id, status=state.status)

    @routes.post("/workflows/run")
    @version(1, successor="/workflows/run")
    @unaudited(_TOGETHER)
    async def run_workflow_for_case(
        caller: Annotated[Principal, Requires("can_run", of="definition")],
        body: JsonBody[RunBodyV1],
        new_id: IdempotentId,
    ) -> RunAnswerV1:
        """Run a workflow for a case."""
        case = await cases.require(caller.workspace_id, body.case_id)
        wanted = StartRequest(
            id=new_id,
            definition_id=body.workflow_definition_id,
            parameters_id=body.parameters_id,
            record_id=case.id,
        )
        with for_case():
            state = await executions.run(caller.workspace_id, wanted)
        return RunAnswerV1(id=state.identity.id, case_id=case.id, status=state.status)


def _starting(routes: APIRouter, executions: Executions, access: GivesAccess) -> None:
    @routes.post("/workflows")
    @unaudited(_TOGETHER)
    async def start_workflow(
        caller: Annotated[Principal, Requires("can_run", of="definition")],
        body: JsonBody[StartBody],
        new_id: IdempotentId,
    ) -> StartedAnswer | WorkflowAnswer:
        """Start an execution of any definition and let it go on by itself.

        One that has steps for an end user comes with a `link` and a `token`, which are shown this once.
        """
        view = await executions.start(
            caller.workspace_id,
            StartRequest(
                id=new_id,
                definition_id=body.workflow_definition_id,
                parameters=body.parameters,
                parameters_id=body.parameters_id,
                record_id=body.record_id,
                locale=body.locale,
                expires_at=body.expires_at,
                # Existing clients send ids that have long gone, and expect a start.
                may_lack_parameters=True,
            ),
        )
        if view.execution_type == "INTERACTIVE":
            return started_answer(view, await access.of(view))
        return workflow_answer(view)

    @routes.post("/parameters", status_code=201)
    @unaudited("they are kept for an execution, which has a history of its own")
    async def keep_parameters(
        caller: Annotated[Principal, Requires("can_run", of="definition")],
        body: JsonBody[ParametersBody],
        new_id: IdempotentId,
    ) -> ParametersAnswer:
        """Store parameters, to start executions with their `parametersId`."""
        await executions.keep_parameters(caller.workspace_id, body.workflow_definition_id, body.parameters, new_id)
        return ParametersAnswer(parameters_id=new_id)


def _reading(routes: APIRouter, executions: Executions, cases: Cases) -> None:
    @routes.get("/workflows/{workflow_id}")
    @version(2)
    async def read_workflow(
        caller: Annotated[Principal, Requires("can_view_executions", of="definition")], workflow_id: WorkflowId
    ) -> WorkflowAnswer:
        """An execution and what it waits for."""
        return workflow_answer(await executions.find(caller.workspace_id, workflow_id))

    @routes.get("/workflows/{workflow_id}")
    @version(1, successor="/workflows/{workflow_id}", by_content=True)
    async def read_workflow_of_case(
        request: Request,
        caller: Annotated[Principal, Requires("can_view_executions", of="definition")],
        workflow_id: WorkflowId,
    ) -> RunAnswerV1 | WorkflowAnswer:
        """An execution of a case; one that has no case as in version 2."""
        view = await executions.find(caller.workspace_id, workflow_id)
        party = await cases.party(caller.workspace_id, view.record_id)
        if party is None:
            return workflow_answer(view)
        await used(request)
        return RunAnswerV1(id=view.id, case_id=party.case_id, status=view.status)

    @routes.get("/workflows/{workflow_id}/result")
    @version(2)
    async def read_result(
        caller: Annotated[Principal, Requires("can_view_executions", of="definition")], workflow_id: WorkflowId
    ) -> ResultAnswer:
        """What a COMPLETED execution came to: its definition's `result:`, or every step's output."""
        return result_answer(await executions.result(caller.workspace_id, workflow_id))

    @routes.get("/workflows/{workflow_id}/result")
    @version(1, successor="/workflows/{workflow_id}/result", by_content=True)
    async def read_result_of_case(
        request: Request,
        caller: Annotated[Principal, Requires("can_view_executions", of="definition")],
        workflow_id: WorkflowId,
    ) -> ResultAnswerV1 | ResultAnswer:
        """What a COMPLETED execution of a case came to; of one that has no case as in version 2."""
        view = await executions.result(caller.workspace_id, workflow_id)
        party = await cases.party(caller.workspace_id, view.record_id)
        if party is None:
            return result_answer(view)
        await used(request)
        return result_answer_v1(view, party)

    @routes.get("/workflows/{workflow_id}/timeline")
    async def read_timeline(
        caller: Annotated[Principal, Requires("can_view_executions", of="definition")],
        workflow_id: WorkflowId,
        personal: Annotated[
            bool, Query(description="Show personal data as it is; requires `can_read_personal_data` as well")
        ] = False,
    ) -> TimelineAnswer:
        """Every attempt of every step with its times, input, output and error; personal data is masked."""
        timeline = await executions.timeline(caller.workspace_id, workflow_id)
        if personal and not sees_personal(timeline.view.definition_id):
            require(caller, PERSONAL, "definition")
        return timeline_answer(timeline, personal=personal)


def _listing(routes: APIRouter, executions: Executions, cursors: Cursors) -> None:
    @routes.get("/workflows")
    async def list_workflows(
        caller: Annotated[Principal, Requires("can_view_executions", of="definition")],
        filters: Narrowed,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> Page[WorkflowAnswer]:
        """Executions, newest first. One that a link or a token was made for counts once somebody has used that."""
        bound_to = ["workflows", str(caller.workspace_id), repr(filters)]
        before = cursors.id_of(after, bound_to)
        views = await executions.page(caller.workspace_id, filters, before, limit + 1)
        return _page(views, limit, cursors, bound_to)

    @routes.get("/tables/{table_id}/records/{record_id}/workflows")
    async def list_workflows_of_record(
        caller: Annotated[Principal, Requires("can_view_executions", of="definition")],
        table_id: TableName,
        record_id: RecordId,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> Page[WorkflowAnswer]:
        """The executions that concern a record, newest first."""
        bound_to = ["workflows of", str(caller.workspace_id), str(record_id)]
        before = cursors.id_of(after, bound_to)
        views = await executions.of_record(caller.workspace_id, table_id, record_id, before, limit + 1)
        return _page(views, limit, cursors, bound_to)


def _page(views: list[ExecutionView], limit: int, cursors: Cursors, bound_to: Json) -> Page[WorkflowAnswer]:
    shown, following = cursors.cut(views, limit, bound_to, lambda one: {"id": one.id})
    return Page[WorkflowAnswer](data=[workflow_answer(view) for view in shown], next=following)


def _acting(routes: APIRouter, executions: Executions) -> None:
    @routes.post("/workflows/{workflow_id}/cancel")
    async def cancel_workflow(
        caller: Annotated[Principal, Requires("can_operate_executions", of="definition")],
        workflow_id: WorkflowId,
        body: JsonBody[CancelBody | None] = None,
    ) -> WorkflowAnswer:
        """End an execution."""
        reason = None if body is None else body.reason
        return workflow_answer(await executions.cancel(caller.workspace_id, workflow_id, reason))

    @routes.post("/workflows/{workflow_id}/retry")
    async def retry_workflow(
        caller: Annotated[Principal, Requires("can_operate_executions", of="definition")],
        workflow_id: WorkflowId,
        definition: Annotated[
            Literal["original", "latest"], Query(description="The revision to go on with")
        ] = "original",
        step: Annotated[
            str | None,
            Query(max_length=200, description="A step of its own sequence that it has come by; it goes on from there"),
        ] = None,
    ) -> WorkflowAnswer:
        """Go on from the step that failed, or from an earlier one: that and what follows runs again."""
        return workflow_answer(await executions.retry(caller.workspace_id, workflow_id, definition, step))

    @routes.post("/workflows/{workflow_id}/events/{name}")
    @unaudited(_TOGETHER)
    async def send_event(
        caller: Annotated[Principal, Requires("can_run", of="definition")],
        workflow_id: WorkflowId,
        name: Annotated[str, Path(description="The event's name")],
        new_id: IdempotentId,
        body: AnyJsonBody = None,
    ) -> WorkflowAnswer:
        """Give an execution the event that an `event` step waits for. One that comes early waits for its step."""
        return workflow_answer(await executions.receive(caller.workspace_id, workflow_id, name, body, new_id))
