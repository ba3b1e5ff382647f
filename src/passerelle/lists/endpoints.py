"""Lists of names over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from passerelle.kit.http.answers import json_answer
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import principal
from passerelle.kit.http.bodies import read_text
from passerelle.kit.http.pages import DEFAULT_LIMIT, After, Cursors, Limit, Page
from passerelle.lists.schemas import ListVersionAnswer, list_version_answer
from passerelle.lists.service import LARGEST, NameLists

Name = Annotated[str, Path(description="Small letters, digits, `.`, `_` and `-`, such as `eu`")]

_CSV = "text/csv"
_TAKES_CSV = {
    "requestBody": {
        "required": True,
        "content": {
            _CSV: {"schema": {"type": "string", "description": "The file, in the columns of `targets.simple.csv`"}}
        },
    }
}
_ANSWERS_CSV = {"responses": {"200": {"description": "The file", "content": {_CSV: {"schema": {"type": "string"}}}}}}


def router(lists: NameLists, cursors: Cursors) -> APIRouter:
    """Everything under `/lists`."""
    routes = APIRouter(tags=["Lists"], route_class=ApiRoute)

    @routes.get("/lists", response_model=Page[ListVersionAnswer])
    async def list_lists(request: Request, limit: Limit = DEFAULT_LIMIT, after: After = None) -> Response:
        """The lists that the check `sanctions` searches, each in its newest version, by name."""
        caller = await principal(request)
        bound_to = ["lists", str(caller.workspace_id)]
        name = cursors.decode(after, bound_to=bound_to)["name"] if after is not None else None
        found = await lists.page(caller.workspace_id, name, limit + 1)
        following = cursors.encode({"name": found[limit - 1].name}, bound_to=bound_to) if len(found) > limit else None
        return json_answer(Page(data=[list_version_answer(version) for version in found[:limit]], next=following))

    @routes.put("/lists/{name}", response_model=ListVersionAnswer, status_code=201, openapi_extra=_TAKES_CSV)
    async def load_list(request: Request, name: Name) -> Response:
        """Load a file as the newest version of a list; the same file again makes none (200).

        At most 200 MB. If a line is broken nothing is loaded, and the answer names the lines.
        """
        caller = await principal(request)
        text = await read_text(request, (_CSV, "text/plain"), limit=LARGEST)
        loaded = await lists.load(caller.workspace_id, name, text.encode(), caller.name)
        return json_answer(list_version_answer(loaded.version), 201 if loaded.new else 200)

    @routes.get("/lists/{name}/versions", response_model=Page[ListVersionAnswer])
    async def list_versions(
        request: Request, name: Name, limit: Limit = DEFAULT_LIMIT, after: After = None
    ) -> Response:
        """Every version of a list, newest first: results of the check `sanctions` name the one that was searched."""
        caller = await principal(request)
        bound_to = ["list versions", str(caller.workspace_id), name]
        before = cursors.decode(after, bound_to=bound_to)["version"] if after is not None else None
        found = await lists.versions(caller.workspace_id, name, before, limit + 1)
        following = None
        if len(found) > limit:
            following = cursors.encode({"version": found[limit - 1].version}, bound_to=bound_to)
        return json_answer(Page(data=[list_version_answer(version) for version in found[:limit]], next=following))

    @routes.get("/lists/{name}/versions/{version}", response_class=Response, openapi_extra=_ANSWERS_CSV)
    async def read_version(request: Request, name: Name, version: Annotated[int, Path(ge=1, lt=2**31)]) -> Response:
        """The file of a version, byte for byte as it was loaded."""
        caller = await principal(request)
        return Response(await lists.file(caller.workspace_id, name, version), media_type=_CSV)

    return routes
