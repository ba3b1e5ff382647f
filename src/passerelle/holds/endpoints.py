"""`/holds`: legal holds."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import Field

from passerelle.holds.models import Hold, HoldKind
from passerelle.holds.service import Holds
from passerelle.kit.http.answers import Answer, Moment
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import Body, JsonBody
from passerelle.kit.http.pages import DEFAULT_LIMIT, After, Cursors, Limit, Page
from passerelle.kit.http.permissions import Requires

Manages = Annotated[Principal, Requires("can_manage_retention")]
Releases = Annotated[Principal, Requires("can_manage_retention", fresh=True)]
HoldId = Annotated[UUID, Path(description="The hold's id")]


class HoldBody(Body):
    """What is to be kept, and why."""

    kind: HoldKind
    """What is held: an execution with its children, a record with all that concerns it, or everything."""
    id: UUID | None = Field(default=None, description="The record's or execution's id; not for the workspace.")
    reason: str = Field(min_length=1, max_length=500, description="Such as the number of the proceedings.")


class HoldAnswer(Answer):
    """A legal hold."""

    id: UUID
    """The hold's id."""
    kind: HoldKind
    """What it keeps."""
    object_id: UUID
    """The record's, execution's or workspace's id."""
    reason: str
    """Why."""
    placed_at: Moment
    """Since when."""
    placed_by: str
    """Who placed it: a person's or a key's name."""
    released_at: Moment | None
    """When it was released; null: it stands."""
    released_by: str | None
    """Who released it."""


def router(holds: Holds, cursors: Cursors) -> APIRouter:
    """Everything about legal holds."""
    routes = APIRouter(tags=["Retention"], route_class=ApiRoute)

    @routes.post("/holds", status_code=201)
    async def place_hold(caller: Manages, body: JsonBody[HoldBody]) -> HoldAnswer:
        """Keep an execution, a record or the whole workspace: retention, purging and erasing leave it alone.

        A hold on a record keeps its history and files and its executions; one on an execution its children; either the
        events and deliveries about them. While a workspace has a hold, its audit is not shortened.
        """
        return hold_answer(await holds.place(caller.workspace_id, body.kind, body.id, body.reason, caller.name))

    @routes.get("/holds")
    async def list_holds(
        caller: Manages,
        released: Annotated[bool, Query(description="Those that were released, too")] = False,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> Page[HoldAnswer]:
        """Legal holds, the newest first."""
        bound_to = ["holds", caller.workspace_id, released]
        before = cursors.id_of(after, bound_to)
        found = await holds.page(caller.workspace_id, before, limit + 1, released=released)
        shown, following = cursors.cut(found, limit, bound_to, lambda one: {"id": one.id})
        return Page[HoldAnswer](data=[hold_answer(one) for one in shown], next=following)

    @routes.get("/holds/{hold_id}")
    async def read_hold(caller: Manages, hold_id: HoldId) -> HoldAnswer:
        """A legal hold."""
        return hold_answer(await holds.get(caller.workspace_id, hold_id))

    @routes.post("/holds/{hold_id}/release")
    async def release_hold(caller: Releases, hold_id: HoldId) -> HoldAnswer:
        """End a hold: what it kept is treated as everything else again. Again changes nothing.

        A person must have proved who they are within the last ten minutes (`STEP_UP_REQUIRED`).
        """
        return hold_answer(await holds.release(caller.workspace_id, hold_id, caller.name))

    return routes


def hold_answer(hold: Hold) -> HoldAnswer:
    """A hold as the API shows it."""
    return HoldAnswer.made_from(hold)
