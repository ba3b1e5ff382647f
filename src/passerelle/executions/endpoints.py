"""The given workflow API, and what belongs to executions besides."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from passerelle.executions.cases import Cases, for_case
from passerelle.executions.openings import Openings
from passerelle.executions.repository import ExecutionView, Filters
from passerelle.executions.schemas import (
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
from passerelle.executions.service import Executions, StartRequest
from passerelle.kit.http.answers import json_answer
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import principal
from passerelle.kit.http.bodies import read, read_json, takes
from passerelle.kit.http.idempotency import idempotent_id
from passerelle.kit.http.pages import DEFAULT_LIMIT, After, Cursors, Limit, Page
from passerelle.kit.http.versions import version_of, versions
from passerelle.kit.json import Json

Status = Literal["RUNNING", "AWAITING", "COMPLETED", "FAILED", "EXPIRED", "CANCELLED"]


def router(executions: Executions, openings: Openings, cases: Cases, cursors: Cursors) -> APIRouter:
    """Everything under `/workflows`, and `POST /parameters`."""
    routes = APIRouter(tags=["Workflows"], route_class=ApiRoute)
    _running(routes, executions, cases)
    _starting(routes, executions, openings)
    _reading(routes, executions, cases)
    _listing(routes, executions, cursors)
    _acting(routes, executions)
    return routes


def _running(routes: APIRouter, executions: Executions, cases: Cases) -> None:
    @routes.post(
        "/workflows/run",
        response_model=RunAnswer | RunAnswerV1,
        openapi_extra=takes(RunBodyV1, RunBody) | versions(1, 2, successor="/workflows/run"),
    )
    async def run_workflow(request: Request) -> Response:
        """Run a workflow that needs no end user.

        Answers when the run has ended or rests (a `wait`, an `event`), at the latest after `PASSERELLE_RUN_WAIT`,
        with the status of that moment.
        """
        caller = await principal(request)
        if version_of(request) == 1:
            return await _run_for_case(request, caller.workspace_id, executions, cases)
        body = await read(request, RunBody)
        state = await executions.run(
            caller.workspace_id,
            StartRequest(
                id=idempotent_id(request),
                definition_id=body.workflow_definition_id,
                parameters=body.parameters,
                parameters_id=body.parameters_id,
                record_id=body.record_id,
            ),
        )
        identity = state.identity
        return json_answer(
            {"id": str(identity.id), "recordId": identity.record_id and str(identity.record_id), "status": state.status}
        )


async def _run_for_case(request: Request, workspace_id: UUID, executions: Executions, cases: Cases) -> Response:
    body = await read(request, RunBodyV1)
    case = await cases.require(workspace_id, body.case_id)
    wanted = StartRequest(
        id=idempotent_id(request),
        definition_id=body.workflow_definition_id,
        parameters_id=body.parameters_id,
        record_id=case.id,
    )
    with for_case():
        state = await executions.run(workspace_id, wanted)
    return json_answer({"id": str(state.identity.id), "caseId": str(case.id), "status": state.status})


def _starting(routes: APIRouter, executions: Executions, openings: Openings) -> None:
    @routes.post("/workflows", response_model=StartedAnswer | WorkflowAnswer, openapi_extra=takes(StartBody))
    async def start_workflow(request: Request) -> Response:
        """Start an execution of any definition and let it go on by itself.

        One that has steps for an end user comes with a `link` and a `token`, which are shown this once.
        """
        caller = await principal(request)
        body = await read(request, StartBody)
        view = await executions.start(
            caller.workspace_id,
            StartRequest(
                id=idempotent_id(request),
                definition_id=body.workflow_definition_id,
                parameters=body.parameters,
                parameters_id=body.parameters_id,
                record_id=body.record_id,
                locale=body.locale,
                expires_at=body.expires_at,
            ),
        )
        if view.execution_type == "INTERACTIVE":
            return json_answer(started_answer(view, await openings.of(view)))
        return json_answer(workflow_answer(view))

    @routes.post("/parameters", response_model=ParametersAnswer, status_code=201, openapi_extra=takes(ParametersBody))
    async def keep_parameters(request: Request) -> Response:
        """Store parameters, to start executions with their `parametersId`."""
        caller = await principal(request)
        body = await read(request, ParametersBody)
        parameters_id = idempotent_id(request)
        await executions.keep_parameters(
            caller.workspace_id, body.workflow_definition_id, body.parameters, parameters_id
        )
        return json_answer({"parametersId": str(parameters_id)}, 201)


def _reading(routes: APIRouter, executions: Executions, cases: Cases) -> None:
    @routes.get(
        "/workflows/{workflow_id}",
        response_model=WorkflowAnswer | RunAnswerV1,
        openapi_extra=versions(1, 2, successor="/workflows/{workflow_id}"),
    )
    async def read_workflow(request: Request, workflow_id: UUID) -> Response:
        """An execution and what it waits for. Version 1 shows less of one that has a case."""
        caller = await principal(request)
        view = await executions.find(caller.workspace_id, workflow_id)
        party = await cases.party(caller.workspace_id, view.record_id) if version_of(request) == 1 else None
        if party is None:
            return json_answer(workflow_answer(view))
        return json_answer({"id": str(view.id), "caseId": str(party.case_id), "status": view.status})

    @routes.get(
        "/workflows/{workflow_id}/result",
        response_model=ResultAnswer | ResultAnswerV1,
        openapi_extra=versions(1, 2, successor="/workflows/{workflow_id}/result"),
    )
    async def read_result(request: Request, workflow_id: UUID) -> Response:
        """What a COMPLETED execution came to: its definition's `result:`, or every step's output."""
        caller = await principal(request)
        view = await executions.result(caller.workspace_id, workflow_id)
        party = await cases.party(caller.workspace_id, view.record_id) if version_of(request) == 1 else None
        return json_answer(result_answer(view) if party is None else result_answer_v1(view, party))

    @routes.get("/workflows/{workflow_id}/timeline", response_model=TimelineAnswer)
    async def read_timeline(request: Request, workflow_id: UUID) -> Response:
        """Every attempt of every step with its times, input, output and error; personal data is masked."""
        caller = await principal(request)
        return json_answer(timeline_answer(await executions.timeline(caller.workspace_id, workflow_id)))


def _listing(routes: APIRouter, executions: Executions, cursors: Cursors) -> None:
    @routes.get("/workflows", response_model=Page[WorkflowAnswer])
    async def list_workflows(
        request: Request,
        status: Annotated[Status | None, Query(description="Only executions in this status")] = None,
        workflow_definition_id: Annotated[UUID | None, Query(alias="workflowDefinitionId")] = None,
        record_id: Annotated[UUID | None, Query(alias="recordId")] = None,
        parent_id: Annotated[
            UUID | None, Query(alias="parentId", description="Only executions that steps of this one started")
        ] = None,
        created_from: Annotated[datetime | None, Query(alias="createdFrom", description="ISO 8601")] = None,
        created_before: Annotated[datetime | None, Query(alias="createdBefore", description="ISO 8601")] = None,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> Response:
        """Executions, newest first."""
        caller = await principal(request)
        filters = Filters(status, workflow_definition_id, record_id, created_from, created_before, parent_id)
        bound_to = ["workflows", str(caller.workspace_id), repr(filters)]
        before = UUID(cursors.decode(after, bound_to=bound_to)["id"]) if after is not None else None
        views = await executions.page(caller.workspace_id, filters, before, limit + 1)
        return json_answer(_page(views, limit, cursors, bound_to))

    @routes.get("/tables/{table_id}/records/{record_id}/workflows", response_model=Page[WorkflowAnswer])
    async def list_workflows_of_record(
        request: Request, table_id: str, record_id: UUID, limit: Limit = DEFAULT_LIMIT, after: After = None
    ) -> Response:
        """The executions that concern a record, newest first."""
        caller = await principal(request)
        bound_to = ["workflows of", str(caller.workspace_id), str(record_id)]
        before = UUID(cursors.decode(after, bound_to=bound_to)["id"]) if after is not None else None
        views = await executions.of_record(caller.workspace_id, table_id, record_id, before, limit + 1)
        return json_answer(_page(views, limit, cursors, bound_to))


def _page(views: list[ExecutionView], limit: int, cursors: Cursors, bound_to: Json) -> Page[WorkflowAnswer]:
    following = None
    if len(views) > limit:
        following = cursors.encode({"id": str(views[limit - 1].id)}, bound_to=bound_to)
    return Page(data=[workflow_answer(view) for view in views[:limit]], next=following)


def _acting(routes: APIRouter, executions: Executions) -> None:
    @routes.post("/workflows/{workflow_id}/cancel", response_model=WorkflowAnswer, openapi_extra=takes(CancelBody))
    async def cancel_workflow(request: Request, workflow_id: UUID) -> Response:
        """End an execution."""
        caller = await principal(request)
        body = await read(request, CancelBody, optional=True)
        return json_answer(workflow_answer(await executions.cancel(caller.workspace_id, workflow_id, body.reason)))

    @routes.post("/workflows/{workflow_id}/retry", response_model=WorkflowAnswer)
    async def retry_workflow(
        request: Request,
        workflow_id: UUID,
        definition: Annotated[
            Literal["original", "latest"], Query(description="The revision to go on with")
        ] = "original",
    ) -> Response:
        """Go on from the step that failed."""
        caller = await principal(request)
        return json_answer(workflow_answer(await executions.retry(caller.workspace_id, workflow_id, definition)))

    @routes.post("/workflows/{workflow_id}/events/{name}", response_model=WorkflowAnswer, openapi_extra=takes(Any))
    async def send_event(
        request: Request, workflow_id: UUID, name: Annotated[str, Path(description="The event's name")]
    ) -> Response:
        """Give an execution the event that an `event` step waits for. One that comes early waits for its step."""
        caller = await principal(request)
        body = await read_json(request, optional=True)
        event_id = idempotent_id(request)
        view = await executions.receive(caller.workspace_id, workflow_id, name, body, event_id)
        return json_answer(workflow_answer(view))
