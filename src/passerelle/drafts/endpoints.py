"""Drafts over HTTP, and what an editor of definitions asks for while somebody types."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from passerelle.definitions.revisions.endpoints import Text
from passerelle.definitions.revisions.service import Revisions
from passerelle.drafts.evaluating import evaluated
from passerelle.drafts.models import DefinitionDraft
from passerelle.drafts.schemas import (
    CheckAnswer,
    DraftAnswer,
    DraftBody,
    DraftChangeBody,
    DraftSummaryAnswer,
    EvaluationAnswer,
    EvaluationBody,
    PresenceAnswer,
    SourceAnswer,
    SourceBody,
    check_answer,
    draft_answer,
    presence_answer,
    summary_answer,
)
from passerelle.drafts.service import Drafts
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.auditing import unaudited
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import JsonBody
from passerelle.kit.http.idempotency import IdempotentId
from passerelle.kit.http.pages import Page
from passerelle.kit.http.permissions import Requires
from passerelle.tables.preconditions import IfMatch, etag

DraftId = Annotated[UUID, Path(description="The draft's id")]
Builds = Annotated[Principal, Requires("can_manage_definitions", of="definition")]


def router(drafts: Drafts, revisions: Revisions) -> APIRouter:
    """`/drafts`, and below `/definitions` what is asked while one is written. It stands before `/definitions/{id}`."""
    routes = APIRouter(tags=["Definitions"], route_class=ApiRoute)
    _writing(routes, drafts, revisions)
    _drafts(routes, drafts)
    _together(routes, drafts)
    return routes


def _writing(routes: APIRouter, drafts: Drafts, revisions: Revisions) -> None:
    @routes.post("/definitions/check")
    @unaudited("it checks, and changes nothing")
    async def check_definition(caller: Builds, text: Text) -> CheckAnswer:
        """Check a definition as a push would, against this workspace: nothing is kept. All that is wrong is listed."""
        checked = await revisions.looked_over(caller.workspace_id, text)
        there = await revisions.id_of(caller.workspace_id, checked.name) if checked.name is not None else None
        return check_answer(checked, there)

    @routes.post("/definitions/evaluate")
    @unaudited("it evaluates, and changes nothing")
    async def evaluate_expression(caller: Builds, body: JsonBody[EvaluationBody]) -> EvaluationAnswer:
        """What an expression gives for sample values. It reads nothing but these, and no secrets."""
        return evaluated(body)

    @routes.get("/definitions/source")
    async def read_definition_source(
        caller: Annotated[Principal, Requires("can_view_workspace", of="definition")],
    ) -> SourceAnswer:
        """Whether the workspace's definitions come from files only."""
        return SourceAnswer(files_only=await drafts.files_only(caller.workspace_id))

    @routes.put("/definitions/source")
    async def change_definition_source(
        caller: Annotated[Principal, Requires("can_manage_workspace_access")], body: JsonBody[SourceBody]
    ) -> SourceAnswer:
        """Say where definitions come from. With files only, no drafts are kept, and the builder gives a patch."""
        await drafts.say_files_only(caller.workspace_id, body.files_only)
        return SourceAnswer(files_only=body.files_only)


def _drafts(routes: APIRouter, drafts: Drafts) -> None:
    def answer(draft: DefinitionDraft, caller: Principal, response: Response) -> DraftAnswer:
        response.headers["ETag"] = etag(draft.version)
        return draft_answer(draft, caller.id)

    @routes.get("/drafts")
    async def list_drafts(
        caller: Builds,
        definition_id: Annotated[
            UUID | None, Query(alias="definitionId", description="Only those of this definition")
        ] = None,
    ) -> Page[DraftSummaryAnswer]:
        """One's own drafts and those that are shared, the last changed first: at most 500, on one page."""
        found = await drafts.listed(caller, definition_id)
        return Page[DraftSummaryAnswer](data=[summary_answer(one, caller.id) for one in found], next=None)

    @routes.post("/drafts", status_code=201)
    @unaudited("a draft changes nothing that runs: what is pushed of it is written down")
    async def create_draft(
        caller: Builds, body: JsonBody[DraftBody], new_id: IdempotentId, response: Response
    ) -> DraftAnswer:
        """Keep a text that is being written. It is kept as it is typed, and checked when it is pushed."""
        return answer(await drafts.create(caller, new_id, body), caller, response)

    @routes.get("/drafts/{draft_id}")
    async def read_draft(caller: Builds, draft_id: DraftId, response: Response) -> DraftAnswer:
        """A draft with its text."""
        return answer(await drafts.read(caller, draft_id), caller, response)

    @routes.patch("/drafts/{draft_id}")
    @unaudited("a draft changes nothing that runs: what is pushed of it is written down")
    async def change_draft(
        caller: Builds, draft_id: DraftId, body: JsonBody[DraftChangeBody], expected: IfMatch, response: Response
    ) -> DraftAnswer:
        """Save a draft. A change of its text names in `If-Match` the version that it rests on: no change is lost."""
        return answer(await drafts.change(caller, draft_id, body, expected), caller, response)

    @routes.delete("/drafts/{draft_id}", status_code=204)
    @unaudited("a draft changes nothing that runs: what is pushed of it is written down")
    async def delete_draft(caller: Builds, draft_id: DraftId) -> None:
        """Delete one's own draft."""
        await drafts.delete(caller, draft_id)


def _together(routes: APIRouter, drafts: Drafts) -> None:
    @routes.post("/drafts/{draft_id}/presence")
    @unaudited("it says who has a draft open")
    async def meet_at_draft(caller: Builds, draft_id: DraftId) -> PresenceAnswer:
        """Say that one has a draft open, and learn who else has, and whether it was saved since."""
        return presence_answer(await drafts.meet(caller, draft_id))

    @routes.delete("/drafts/{draft_id}/presence", status_code=204)
    @unaudited("it says who has a draft open no more")
    async def leave_draft(caller: Builds, draft_id: DraftId) -> None:
        """Say that one has closed a draft; who says nothing is taken to have closed it after half a minute."""
        await drafts.leave(caller, draft_id)
