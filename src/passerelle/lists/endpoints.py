"""Lists of names over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from passerelle.definitions.revisions.schemas import UsesAnswer, uses_answer
from passerelle.definitions.revisions.uses import DefinitionUses, FoundUses
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import TextBody
from passerelle.kit.http.pages import DEFAULT_LIMIT, After, Cursors, Limit, Page
from passerelle.kit.http.permissions import Requires
from passerelle.lists.schemas import ListVersionAnswer, list_version_answer
from passerelle.lists.service import LARGEST, LIST_USED, ListService

Name = Annotated[str, Path(description="Small letters, digits, `.`, `_` and `-`, such as `eu`")]

_CSV = "text/csv"
_ANSWERS_CSV = {"responses": {"200": {"description": "The file", "content": {_CSV: {"schema": {"type": "string"}}}}}}


def router(lists: ListService, uses: DefinitionUses, cursors: Cursors) -> APIRouter:
    """Everything under `/lists`."""
    routes = APIRouter(tags=["Lists"], route_class=ApiRoute)

    @routes.get("/lists")
    async def list_lists(
        caller: Annotated[Principal, Requires("can_view_workspace")], limit: Limit = DEFAULT_LIMIT, after: After = None
    ) -> Page[ListVersionAnswer]:
        """The lists that the check `sanctions` searches, each in its newest version, by name."""
        bound_to = ["lists", str(caller.workspace_id)]
        name = cursors.name_of(after, bound_to)
        found = await lists.page(caller.workspace_id, name, limit + 1)
        shown, following = cursors.cut(found, limit, bound_to, lambda one: {"name": one.name})
        return Page[ListVersionAnswer](data=[list_version_answer(version) for version in shown], next=following)

    @routes.put("/lists/{name}", status_code=201)
    async def load_list(
        caller: Annotated[Principal, Requires("can_manage_lists")],
        name: Name,
        text: Annotated[
            str,
            TextBody(_CSV, "text/plain", description="The file, in the columns of `targets.simple.csv`", limit=LARGEST),
        ],
        response: Response,
    ) -> ListVersionAnswer:
        """Load a file as the newest version of a list; the same file again makes none (200).

        At most 200 MB. If a line is broken nothing is loaded, and the answer names the lines.
        """
        loaded = await lists.load(caller.workspace_id, name, text.encode(), caller.name)
        response.status_code = 201 if loaded.new else 200
        return list_version_answer(loaded.version)

    @routes.delete("/lists/{name}", status_code=204)
    async def delete_list(caller: Annotated[Principal, Requires("can_manage_lists")], name: Name) -> None:
        """Delete a list with all its versions, unless a published or a newest revision names it.

        Checks that name no list search those that are left. Results of earlier checks keep the version and its hash.
        """
        naming = await uses.naming_list(caller.workspace_id, name)
        if naming.uses:
            raise LIST_USED.error(_used(naming, name))
        await lists.delete(caller.workspace_id, name)

    @routes.get("/lists/{name}/uses")
    async def list_uses_of_list(caller: Annotated[Principal, Requires("can_view_workspace")], name: Name) -> UsesAnswer:
        """The definitions that search a list, by its name or with all others, with the steps."""
        return uses_answer(await uses.of_list(caller.workspace_id, name))

    @routes.get("/lists/{name}/versions")
    async def list_versions(
        caller: Annotated[Principal, Requires("can_view_workspace")],
        name: Name,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> Page[ListVersionAnswer]:
        """Every version of a list, newest first: results of the check `sanctions` name the one that was searched."""
        bound_to = ["list versions", str(caller.workspace_id), name]
        before = cursors.decode(after, bound_to=bound_to)["version"] if after is not None else None
        found = await lists.versions(caller.workspace_id, name, before, limit + 1)
        shown, following = cursors.cut(found, limit, bound_to, lambda one: {"version": one.version})
        return Page[ListVersionAnswer](data=[list_version_answer(version) for version in shown], next=following)

    @routes.get("/lists/{name}/versions/{version}", response_class=Response, openapi_extra=_ANSWERS_CSV)
    async def read_version(
        caller: Annotated[Principal, Requires("can_view_workspace")],
        name: Name,
        version: Annotated[int, Path(ge=1, lt=2**31, description="The number of the version")],
    ) -> Response:
        """The file of a version, byte for byte as it was loaded."""
        return Response(await lists.file(caller.workspace_id, name, version), media_type=_CSV)

    return routes


def _used(found: FoundUses, name: str) -> str:
    where = ", ".join(dict.fromkeys(f"{one.stored.name} (revision {one.stored.number})" for one in found.uses))
    return f"definitions name the list `{name}`: {where}; take it out of them first"
