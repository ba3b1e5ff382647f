"""Secrets over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from passerelle.kit.http.answers import json_answer
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import principal
from passerelle.kit.http.bodies import read, takes
from passerelle.kit.http.pages import DEFAULT_LIMIT, After, Cursors, Limit, Page
from passerelle.secrets.schemas import SecretAnswer, SecretBody, secret_answer
from passerelle.secrets.service import Secrets

Name = Annotated[str, Path(description="Capital letters, digits and `_`, such as `REGISTRY_KEY`")]


def router(secrets: Secrets, cursors: Cursors) -> APIRouter:
    """Everything under `/secrets`."""
    routes = APIRouter(tags=["Secrets"], route_class=ApiRoute)

    @routes.get("/secrets", response_model=Page[SecretAnswer])
    async def list_secrets(
        request: Request,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> Response:
        """Secrets by name, with who wrote them and when. Values are never shown."""
        caller = await principal(request)
        bound_to = ["secrets", str(caller.workspace_id)]
        name = cursors.decode(after, bound_to=bound_to)["name"] if after is not None else None
        found = await secrets.page(caller.workspace_id, name, limit + 1)
        following = cursors.encode({"name": found[limit - 1].name}, bound_to=bound_to) if len(found) > limit else None
        return json_answer(Page(data=[secret_answer(entry) for entry in found[:limit]], next=following))

    @routes.put("/secrets/{name}", status_code=204, openapi_extra=takes(SecretBody))
    async def write_secret(request: Request, name: Name) -> Response:
        """Write a secret, new or not. Steps use the new value at once, in other processes within five seconds."""
        caller = await principal(request)
        body = await read(request, SecretBody)
        await secrets.put(caller.workspace_id, name, body.value, caller.name)
        return Response(status_code=204)

    @routes.delete("/secrets/{name}", status_code=204)
    async def delete_secret(request: Request, name: Name) -> Response:
        """Delete a secret. Steps that name it fail from then on."""
        caller = await principal(request)
        await secrets.delete(caller.workspace_id, name)
        return Response(status_code=204)

    return routes
