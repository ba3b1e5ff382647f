"""`GET /reviews`, and deciding one."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from passerelle.executions.schemas import WorkflowAnswer, workflow_answer
from passerelle.kit.http.answers import json_answer
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import principal
from passerelle.kit.http.bodies import read, takes
from passerelle.kit.http.pages import DEFAULT_LIMIT, After, Cursors, Limit, Page
from passerelle.reviews.repository import Filters
from passerelle.reviews.schemas import DecisionBody, ReviewAnswer, review_answer
from passerelle.reviews.service import Reviews


def router(reviews: Reviews, cursors: Cursors) -> APIRouter:
    """The reviews of a workspace."""
    routes = APIRouter(tags=["Reviews"], route_class=ApiRoute)

    @routes.get("/reviews", response_model=Page[ReviewAnswer])
    async def list_reviews(
        request: Request,
        assign_to: Annotated[str | None, Query(alias="assignTo", description="Only of this role or person")] = None,
        workflow_definition_id: Annotated[UUID | None, Query(alias="workflowDefinitionId")] = None,
        workflow_id: Annotated[UUID | None, Query(alias="workflowId")] = None,
        mine: Annotated[bool, Query(description="Only those that these credentials may decide")] = False,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> Response:
        """Reviews that wait for a decision, those of the oldest execution first."""
        caller = await principal(request)
        roles = tuple(sorted(caller.roles)) if mine else None
        filters = Filters(assign_to, workflow_definition_id, workflow_id, roles)
        bound_to = ["reviews", str(caller.workspace_id), repr(filters)]
        position = None
        if after is not None:
            kept = cursors.decode(after, bound_to=bound_to)
            position = (UUID(kept["id"]), str(kept["step"]))
        found = await reviews.page(caller.workspace_id, filters, position, limit + 1)
        following = None
        if len(found) > limit:
            last = found[limit - 1]
            following = cursors.encode({"id": str(last.execution_id), "step": last.path}, bound_to=bound_to)
        data = [review_answer(review, caller) for review in found[:limit]]
        return json_answer(Page(data=data, next=following))

    @routes.post(
        "/workflows/{workflow_id}/reviews/{step}", response_model=WorkflowAnswer, openapi_extra=takes(DecisionBody)
    )
    async def decide_review(
        request: Request,
        workflow_id: UUID,
        step: Annotated[str, Path(description="The step's id; inside of `each`, as in the list: `owners[0].decide`")],
    ) -> Response:
        """Decide a review. Under four eyes the first decision is kept, and another key has to decide the same."""
        caller = await principal(request)
        body = await read(request, DecisionBody)
        view = await reviews.decide(caller, workflow_id, step, body.outcome, body.comment)
        return json_answer(workflow_answer(view))

    return routes
