"""`/cases` and `/case`: the given, deprecated view of the table `cases`."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request

from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import JsonBody
from passerelle.kit.http.idempotency import IdempotentId
from passerelle.kit.http.permissions import Requires
from passerelle.kit.http.versions import succeeded_by, version
from passerelle.v1.cases.schemas import CaseAnswer, CaseBody, CaseWithWorkflows, case_answer, workflow_of_case
from passerelle.v1.cases.service import MOST_WORKFLOWS, CaseRecords

CaseId = Annotated[UUID, Path(description="The case's id")]

RECORDS: Final = "/tables/cases/records"
RECORD: Final = RECORDS + "/{case_id}"


def router(cases: CaseRecords) -> APIRouter:
    """Everything under `/cases`, and `GET /case/{caseId}`."""
    routes = APIRouter(tags=["Cases (deprecated)"], route_class=ApiRoute, deprecated=True)

    @routes.post("/cases", status_code=201)
    @version(1, successor=RECORDS)
    async def create_case(
        caller: Annotated[Principal, Requires("can_edit_data")],
        new_id: IdempotentId,
        body: JsonBody[CaseBody | None] = None,
    ) -> CaseAnswer:
        """Make a case: a record of the table `cases`, whose id is the `caseId`."""
        return case_answer(
            await cases.create(caller.workspace_id, new_id, body or CaseBody.model_validate({}), caller.name)
        )

    @routes.get("/cases/{case_id}", response_model_exclude_unset=True)
    @version(1, successor=RECORD)
    async def read_case(caller: Annotated[Principal, Requires("can_read_data")], case_id: CaseId) -> CaseWithWorkflows:
        """A case with its executions and their results."""
        return await _with_workflows(cases, caller.workspace_id, case_id)

    @routes.get("/case/{case_id}", response_model_exclude_unset=True)
    @version(1, successor=RECORD)
    async def read_case_and_results(
        request: Request, caller: Annotated[Principal, Requires("can_read_data")], case_id: CaseId
    ) -> CaseWithWorkflows:
        """The same as `GET /cases/{caseId}`; `GET /workflows/{workflowId}/result` gives one execution's result."""
        answer = await _with_workflows(cases, caller.workspace_id, case_id)
        if answer.workflows:
            succeeded_by(request, f"/workflows/{answer.workflows[0].id}/result")
        return answer

    @routes.patch("/cases/{case_id}")
    @version(1, successor=RECORD)
    async def change_case(
        caller: Annotated[Principal, Requires("can_edit_data")], case_id: CaseId, body: JsonBody[CaseBody]
    ) -> CaseAnswer:
        """Change the fields that the body names; null empties one."""
        return case_answer(await cases.change(caller.workspace_id, case_id, body, caller.name))

    return routes


async def _with_workflows(cases: CaseRecords, workspace_id: UUID, case_id: UUID) -> CaseWithWorkflows:
    case = await cases.find(workspace_id, case_id)
    found = await cases.workflows(workspace_id, case.id)
    facts = dict(case_answer(case)) | {"workflows": [workflow_of_case(view) for view in found[:MOST_WORKFLOWS]]}
    if len(found) > MOST_WORKFLOWS:
        facts["more_workflows"] = f"/workflows?recordId={case.id}"
    return CaseWithWorkflows(**facts)
