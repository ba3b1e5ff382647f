"""`/publishing` and `/proposals`."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import JsonBody
from passerelle.kit.http.idempotency import IdempotentId
from passerelle.kit.http.pages import DEFAULT_LIMIT, After, Cursors, Limit, Page
from passerelle.kit.http.permissions import Requires
from passerelle.publishing.schemas import (
    ProposalAnswer,
    ProposalBody,
    ProposalDecisionBody,
    PublishingAnswer,
    PublishingBody,
    Status,
    proposal_answer,
    publishing_answer,
)
from passerelle.publishing.service import Publishing

ProposalId = Annotated[UUID, Path(description="The proposal's id")]

Sees = Annotated[Principal, Requires("can_view_workspace", of="definition")]
Proposes = Annotated[Principal, Requires("can_manage_definitions", of="definition")]
Publishes = Annotated[Principal, Requires("can_publish_definitions", of="definition")]


def router(publishing: Publishing, cursors: Cursors) -> APIRouter:
    """Everything about publishing by two persons."""
    routes = APIRouter(tags=["Definitions"], route_class=ApiRoute)
    _rule(routes, publishing)
    _proposals(routes, publishing, cursors)
    _decisions(routes, publishing)
    return routes


def _rule(routes: APIRouter, publishing: Publishing) -> None:
    @routes.get("/publishing")
    async def read_publishing(caller: Sees) -> PublishingAnswer:
        """Whether publishing needs a second person."""
        return publishing_answer(await publishing.rule(caller.workspace_id))

    @routes.put("/publishing")
    async def change_publishing(
        caller: Annotated[Principal, Requires("can_manage_workspace_access")], body: JsonBody[PublishingBody]
    ) -> PublishingAnswer:
        """Say whether publishing needs a second person. What is proposed already stays proposed.

        To let one person publish alone again takes a person who has just proved who they are (`STEP_UP_REQUIRED`).
        """
        return publishing_answer(await publishing.change_rule(caller.workspace_id, body.second_person, caller))


def _proposals(routes: APIRouter, publishing: Publishing, cursors: Cursors) -> None:
    @routes.post("/definitions/{definition_id}/proposals", status_code=201)
    async def propose_revision(
        caller: Proposes,
        definition_id: Annotated[UUID, Path(description="The definition's id")],
        body: JsonBody[ProposalBody],
        new_id: IdempotentId,
        response: Response,
    ) -> ProposalAnswer:
        """Propose to publish a revision: somebody else approves it. The same once more answers with the first (200).

        A proposal of another revision of the definition takes the place of one that is open. It works as well where
        publishing needs no second person.
        """
        made, is_new = await publishing.propose(caller, new_id, definition_id, body.revision, body.note)
        response.status_code = 201 if is_new else 200
        return proposal_answer(made, caller)

    @routes.get("/proposals")
    async def list_proposals(
        caller: Sees,
        definition_id: Annotated[
            UUID | None, Query(alias="definitionId", description="Only those of this definition")
        ] = None,
        status: Annotated[Status | None, Query(description="Only those that stand so")] = None,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> Page[ProposalAnswer]:
        """Proposals to publish a revision, the newest first."""
        bound_to = ["proposals", str(caller.workspace_id), str(definition_id), str(status)]
        before = UUID(cursors.decode(after, bound_to=bound_to)["id"]) if after is not None else None
        found = await publishing.page(caller.workspace_id, definition_id, status, before, limit + 1)
        following = cursors.encode({"id": str(found[limit - 1].id)}, bound_to=bound_to) if len(found) > limit else None
        return Page[ProposalAnswer](data=[proposal_answer(one, caller) for one in found[:limit]], next=following)

    @routes.get("/proposals/{proposal_id}")
    async def read_proposal(caller: Sees, proposal_id: ProposalId) -> ProposalAnswer:
        """A proposal to publish a revision."""
        return proposal_answer(await publishing.get(caller.workspace_id, proposal_id), caller)


def _decisions(routes: APIRouter, publishing: Publishing) -> None:
    @routes.post("/proposals/{proposal_id}/approve")
    async def approve_proposal(
        caller: Publishes, proposal_id: ProposalId, body: JsonBody[ProposalDecisionBody]
    ) -> ProposalAnswer:
        """Publish what was proposed, as the second person: never who proposed it, in person or with a key of theirs.

        A key counts as the person who made it. Running executions stay on their revisions.
        """
        return proposal_answer(await publishing.approve(caller, proposal_id, body.comment), caller)

    @routes.post("/proposals/{proposal_id}/decline")
    async def decline_proposal(
        caller: Publishes, proposal_id: ProposalId, body: JsonBody[ProposalDecisionBody]
    ) -> ProposalAnswer:
        """Say no to a proposal; the revision stays a draft."""
        return proposal_answer(await publishing.decline(caller, proposal_id, body.comment), caller)

    @routes.post("/proposals/{proposal_id}/withdraw")
    async def withdraw_proposal(caller: Proposes, proposal_id: ProposalId) -> ProposalAnswer:
        """Take one's own proposal back."""
        return proposal_answer(await publishing.withdraw(caller, proposal_id), caller)
