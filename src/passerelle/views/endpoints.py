"""Views over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import JsonBody
from passerelle.kit.http.idempotency import IdempotentId
from passerelle.kit.http.pages import Page
from passerelle.kit.http.permissions import Requires
from passerelle.tables.preconditions import IfMatch, etag
from passerelle.views.models import SavedView
from passerelle.views.schemas import ViewAnswer, ViewBody, ViewChangeBody, view_answer
from passerelle.views.service import Views

ViewId = Annotated[UUID, Path(description="The view's id")]


def router(views: Views) -> APIRouter:
    """`/views`."""
    routes = APIRouter(tags=["Views"], route_class=ApiRoute)

    def answer(view: SavedView, caller: Principal, response: Response) -> ViewAnswer:
        response.headers["ETag"] = etag(view.version)
        return view_answer(view, caller.id)

    @routes.get("/views")
    async def list_views(
        caller: Annotated[Principal, Requires("can_view_workspace")],
        page: Annotated[
            str, Query(max_length=200, description="The page's address below `/app`; every page if absent")
        ] = "",
    ) -> Page[ViewAnswer]:
        """Saved views, one's own and those that are shared, by name: at most 500, on one page."""
        found = await views.listed(caller, page)
        return Page[ViewAnswer](data=[view_answer(view, caller.id) for view in found], next=None)

    @routes.post("/views", status_code=201)
    async def create_view(
        caller: Annotated[Principal, Requires("can_view_workspace")],
        body: JsonBody[ViewBody],
        new_id: IdempotentId,
        response: Response,
    ) -> ViewAnswer:
        """Save what a page is narrowed to under a name, for oneself or for everybody of the workspace.

        A view is layout, never protection: it shows nobody what they may not see.
        """
        return answer(await views.create(caller, new_id, body), caller, response)

    @routes.get("/views/{view_id}")
    async def read_view(
        caller: Annotated[Principal, Requires("can_view_workspace")], view_id: ViewId, response: Response
    ) -> ViewAnswer:
        """A saved view."""
        return answer(await views.read(caller, view_id), caller, response)

    @routes.patch("/views/{view_id}")
    async def change_view(
        caller: Annotated[Principal, Requires("can_view_workspace")],
        view_id: ViewId,
        body: JsonBody[ViewChangeBody],
        expected: IfMatch,
        response: Response,
    ) -> ViewAnswer:
        """Change a view: one's own, or a shared one with `can_manage_tables`."""
        return answer(await views.change(caller, view_id, body, expected), caller, response)

    @routes.delete("/views/{view_id}", status_code=204)
    async def delete_view(caller: Annotated[Principal, Requires("can_view_workspace")], view_id: ViewId) -> None:
        """Delete a view: one's own, or a shared one with `can_manage_tables`."""
        await views.delete(caller, view_id)

    return routes
