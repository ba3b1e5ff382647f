"""`/cases` and `/case`: the given, deprecated view of the table `cases`."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request, Response

from passerelle.cases.schemas import CaseAnswer, CaseBody, CaseWithWorkflows, case_answer, workflow_of_case
from passerelle.cases.service import MOST_WORKFLOWS, CaseRecords
from passerelle.kit.http.answers import json_answer
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import principal
from passerelle.kit.http.bodies import read, takes
from passerelle.kit.http.idempotency import idempotent_id
from passerelle.kit.http.versions import succeeded_by, versions
from passerelle.kit.json import Json, JsonObject

RECORDS: Final = "/tables/cases/records"
RECORD: Final = versions(1, successor=RECORDS + "/{case_id}")


def router(cases: CaseRecords) -> APIRouter:
    """Everything under `/cases`, and `GET /case/{caseId}`."""
    routes = APIRouter(tags=["Cases (deprecated)"], route_class=ApiRoute, deprecated=True)

    @routes.post(
        "/cases",
        response_model=CaseAnswer,
        status_code=201,
        openapi_extra=takes(CaseBody, required=False) | versions(1, successor=RECORDS),
    )
    async def create_case(request: Request) -> Response:
        """Make a case: a record of the table `cases`, whose id is the `caseId`."""
        caller = await principal(request)
        body = await read(request, CaseBody, optional=True)
        case = await cases.create(caller.workspace_id, idempotent_id(request), body, caller.name)
        return json_answer(case_answer(case), 201)

    @routes.get("/cases/{case_id}", response_model=CaseWithWorkflows, openapi_extra=RECORD)
    async def read_case(request: Request, case_id: UUID) -> Response:
        """A case with its executions and their results."""
        caller = await principal(request)
        return json_answer(await _with_workflows(cases, caller.workspace_id, case_id))

    @routes.get("/case/{case_id}", response_model=CaseWithWorkflows, openapi_extra=RECORD)
    async def read_case_and_results(request: Request, case_id: UUID) -> Response:
        """The same as `GET /cases/{caseId}`; `GET /workflows/{workflowId}/result` gives one execution's result."""
        caller = await principal(request)
        answer = await _with_workflows(cases, caller.workspace_id, case_id)
        if answer["workflows"]:
            succeeded_by(request, f"/workflows/{answer['workflows'][0]['id']}/result")
        return json_answer(answer)

    @routes.patch("/cases/{case_id}", response_model=CaseAnswer, openapi_extra=takes(CaseBody) | RECORD)
    async def change_case(request: Request, case_id: UUID) -> Response:
        """Change the fields that the body names; null empties one."""
        caller = await principal(request)
        body = await read(request, CaseBody)
        return json_answer(case_answer(await cases.change(caller.workspace_id, case_id, body, caller.name)))

    return routes


async def _with_workflows(cases: CaseRecords, workspace_id: UUID, case_id: UUID) -> JsonObject:
    case = await cases.find(workspace_id, case_id)
    found = await cases.workflows(workspace_id, case.id)
    answer: dict[str, Json] = {
        **case_answer(case), "workflows": [workflow_of_case(view) for view in found[:MOST_WORKFLOWS]]
    }  # fmt: skip
    if len(found) > MOST_WORKFLOWS:
        answer["moreWorkflows"] = f"/workflows?recordId={case.id}"
    return answer
