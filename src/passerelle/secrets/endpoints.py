"""Secrets over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from passerelle.definitions.revisions.schemas import UsesAnswer, uses_answer
from passerelle.definitions.revisions.uses import DefinitionUses
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import JsonBody
from passerelle.kit.http.pages import DEFAULT_LIMIT, After, Cursors, Limit, Page
from passerelle.kit.http.permissions import Requires
from passerelle.secrets.schemas import SecretAnswer, SecretBody, secret_answer
from passerelle.secrets.service import Secrets

Name = Annotated[str, Path(description="Capital letters, digits and `_`, such as `REGISTRY_KEY`")]


def router(secrets: Secrets, uses: DefinitionUses, cursors: Cursors) -> APIRouter:
    """Everything under `/secrets`."""
    routes = APIRouter(tags=["Secrets"], route_class=ApiRoute)

    @routes.get("/secrets")
    async def list_secrets(
        caller: Annotated[Principal, Requires("can_manage_secrets")], limit: Limit = DEFAULT_LIMIT, after: After = None
    ) -> Page[SecretAnswer]:
        """Secrets by name, with who wrote them and when. Values are never shown."""
        bound_to = ["secrets", str(caller.workspace_id)]
        name = cursors.name_of(after, bound_to)
        found = await secrets.page(caller.workspace_id, name, limit + 1)
        shown, following = cursors.cut(found, limit, bound_to, lambda one: {"name": one.name})
        return Page[SecretAnswer](data=[secret_answer(entry) for entry in shown], next=following)

    @routes.get("/secrets/{name}/uses")
    async def list_uses_of_secret(
        caller: Annotated[Principal, Requires("can_manage_secrets")], name: Name
    ) -> UsesAnswer:
        """The definitions that read a secret, in what is published and what is newest, with the steps."""
        return uses_answer(await uses.of_secret(caller.workspace_id, name))

    @routes.put("/secrets/{name}", status_code=204)
    async def write_secret(
        caller: Annotated[Principal, Requires("can_manage_secrets", fresh=True)], name: Name, body: JsonBody[SecretBody]
    ) -> None:
        """Write a secret, new or not. Steps use the new value at once, in other processes within five seconds."""
        await secrets.put(caller.workspace_id, name, body.value, caller.name)

    @routes.delete("/secrets/{name}", status_code=204)
    async def delete_secret(
        caller: Annotated[Principal, Requires("can_manage_secrets", fresh=True)], name: Name
    ) -> None:
        """Delete a secret. Steps that name it fail from then on."""
        await secrets.delete(caller.workspace_id, name)

    return routes
