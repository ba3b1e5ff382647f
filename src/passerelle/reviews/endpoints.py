"""`GET /reviews`, and deciding one."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query

from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import JsonBody
from passerelle.kit.http.pages import DEFAULT_LIMIT, After, Cursors, Limit, Page
from passerelle.kit.http.permissions import Requires
from passerelle.links.endpoints import address_of
from passerelle.reviews.repository import ReviewFilters
from passerelle.reviews.schemas import (
    AskBody,
    AskedAnswer,
    AssignmentBody,
    DecisionBody,
    ReviewAnswer,
    ReviewCountAnswer,
    asked_answer,
    review_answer,
)
from passerelle.reviews.service import Question, Reviews
from passerelle.workflows.overview import MOST_COUNTED
from passerelle.workflows.schemas import WorkflowAnswer, workflow_answer

StepName = Annotated[str, Path(description="The step's id; inside of `each`, as in the list: `owners[0].decide`")]
WorkflowId = Annotated[UUID, Path(description="The execution's id")]
Reviewing = Annotated[Principal, Requires("can_review", of="review")]


async def _filters(
    caller: Reviewing,
    assign_to: Annotated[str | None, Query(alias="assignTo", description="Only of this role or person")] = None,
    workflow_definition_id: Annotated[
        UUID | None, Query(alias="workflowDefinitionId", description="Only of this definition")
    ] = None,
    workflow_id: Annotated[UUID | None, Query(alias="workflowId", description="Only of this execution")] = None,
    mine: Annotated[bool, Query(description="Only those that these credentials may decide")] = False,
    taken_by: Annotated[
        UUID | Literal["nobody"] | None,
        Query(alias="takenBy", description="Only those that this user has taken; `nobody`: that nobody has"),
    ] = None,
) -> ReviewFilters:
    roles = tuple(sorted(caller.roles)) if mine else None
    taken = None if taken_by is None else str(taken_by)
    return ReviewFilters(assign_to, workflow_definition_id, workflow_id, roles, taken_by=taken)


Narrowed = Annotated[ReviewFilters, Depends(_filters)]
"""What a list or a count of reviews is narrowed by, in the query."""


def router(reviews: Reviews, cursors: Cursors) -> APIRouter:
    """The reviews of a workspace."""
    routes = APIRouter(tags=["Reviews"], route_class=ApiRoute)
    _listing(routes, reviews, cursors)
    _deciding(routes, reviews)
    return routes


def _listing(routes: APIRouter, reviews: Reviews, cursors: Cursors) -> None:
    @routes.get("/reviews")
    async def list_reviews(
        caller: Reviewing,
        filters: Narrowed,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> Page[ReviewAnswer]:
        """Reviews that wait for a decision, those of the oldest execution first."""
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
        return Page[ReviewAnswer](data=data, next=following)

    @routes.get("/reviews/count")
    async def count_reviews(caller: Reviewing, filters: Narrowed) -> ReviewCountAnswer:
        """How many reviews wait for a decision; the filters are those of the list."""
        count = await reviews.count(caller.workspace_id, filters, MOST_COUNTED)
        return ReviewCountAnswer(count=count, at_most=MOST_COUNTED)


def _deciding(routes: APIRouter, reviews: Reviews) -> None:
    @routes.post("/workflows/{workflow_id}/reviews/{step}")
    async def decide_review(
        caller: Reviewing,
        workflow_id: WorkflowId,
        step: StepName,
        body: JsonBody[DecisionBody],
    ) -> WorkflowAnswer:
        """Decide a review. Under four eyes the first decision is kept, and another key has to decide the same."""
        view = await reviews.decide(caller, workflow_id, step, body.outcome, body.comment)
        return workflow_answer(view)

    @routes.put("/workflows/{workflow_id}/reviews/{step}/assignment", status_code=204)
    async def assign_review(
        caller: Reviewing,
        workflow_id: WorkflowId,
        step: StepName,
        body: JsonBody[AssignmentBody],
    ) -> None:
        """Take a review, give it to somebody, or give it back. Whoever has it is the one who can decide it."""
        await reviews.assign(caller, workflow_id, step, body.user_id, body.instead_of)

    @routes.post("/workflows/{workflow_id}/reviews/{step}/ask")
    async def ask_again(
        caller: Reviewing,
        workflow_id: WorkflowId,
        step: StepName,
        body: JsonBody[AskBody],
    ) -> AskedAnswer:
        """Ask the end user to do one step once more, with a note; everything that they entered before is there.

        The execution goes back to that step, and their link is sent again. Once they have answered, it goes on to the
        review.
        """
        email = None if body.email is None else address_of(body.email)
        question = Question(body.step, body.note, email, send=body.send, rerun=body.rerun)
        return asked_answer(await reviews.ask(caller, workflow_id, step, question))
