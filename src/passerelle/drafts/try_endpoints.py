"""Steps tried over HTTP while they are written: a request sent for real, a message as it would be sent."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from passerelle.drafts.letters import Letters
from passerelle.drafts.try_schemas import HttpTryAnswer, HttpTryBody, LetterAnswer, LetterBody, try_answer
from passerelle.drafts.trying import HttpTries
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.auditing import unaudited
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import JsonBody
from passerelle.kit.http.permissions import Requires, require


def router(tries: HttpTries, letters: Letters) -> APIRouter:
    """What a step does, below `/definitions`. It stands before `/definitions/{id}`."""
    routes = APIRouter(tags=["Definitions"], route_class=ApiRoute)

    @routes.post("/definitions/try")
    async def try_http_step(
        caller: Annotated[Principal, Requires("can_publish_definitions")], body: JsonBody[HttpTryBody]
    ) -> HttpTryAnswer:
        """Send the request of an `http` step now and once, as a run would: to the same hosts, within the same bounds.

        It takes the permissions to write and to publish any definition, for what it sends is real, and may be any
        secret of the workspace. A refusal or an error of the other side is an
        answer, too (200). At most 60 in ten minutes.
        """
        require(caller, "can_manage_definitions")
        return try_answer(*await tries.send(caller, body))

    @routes.post("/definitions/letter")
    @unaudited("it shows, and changes nothing")
    async def preview_letter(
        caller: Annotated[Principal, Requires("can_manage_definitions", of="definition")], body: JsonBody[LetterBody]
    ) -> LetterAnswer:
        """The message of an `email` step as it would be sent for sample values. Nothing is sent."""
        return await letters.written(caller.workspace_id, body)

    return routes
