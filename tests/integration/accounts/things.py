"""What the small application of these tests does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from starlette.responses import StreamingResponse

from passerelle.kit.http.answers import Answer, json_answer
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import Body, JsonBody
from passerelle.kit.http.idempotency import LARGEST_STORED, IdempotentId
from passerelle.kit.http.permissions import Requires
from passerelle.kit.http.versions import version

Anybody = Annotated[Principal, Requires("can_run")]


@dataclass
class Effects:
    """What the small application did: the ids of what it created, in their order."""

    created: list[UUID] = field(default_factory=list)
    fail_after: Exception | None = None


class ThingBody(Body):
    name: str


class Caller(Answer):
    workspace_id: UUID
    name: str


class Thing(Answer):
    id: UUID
    name: str
    version: int


def things(effects: Effects) -> APIRouter:
    """Says who calls, and creates things."""
    routes = APIRouter(route_class=ApiRoute)

    def created(thing_id: UUID, name: str, number: int) -> Thing:
        effects.created.append(thing_id)
        if effects.fail_after is not None:
            raise effects.fail_after
        return Thing(id=thing_id, name=name, version=number)

    @routes.get("/whoami")
    async def whoami(caller: Anybody) -> Caller:
        return Caller(workspace_id=caller.workspace_id, name=caller.name)

    @routes.post("/things", status_code=201)
    @version(2)
    async def create(caller: Anybody, body: JsonBody[ThingBody], new_id: IdempotentId) -> Thing:
        return created(new_id, body.name, 2)

    @routes.post("/things", status_code=201)
    @version(1)
    async def create_as_ever(caller: Anybody, body: JsonBody[ThingBody], new_id: IdempotentId) -> Thing:
        return created(new_id, body.name, 1)

    @routes.post("/exports")
    async def export(caller: Anybody, new_id: IdempotentId) -> Response:
        effects.created.append(new_id)

        async def lines() -> AsyncIterator[bytes]:
            yield b"first\n"
            yield b"last\n"

        return StreamingResponse(lines(), media_type="text/csv")

    @routes.post("/reports")
    async def report(caller: Anybody, new_id: IdempotentId) -> Response:
        effects.created.append(new_id)
        return json_answer({"text": "x" * LARGEST_STORED})

    @routes.post("/files", status_code=204)
    async def upload(request: Request, caller: Anybody, new_id: IdempotentId) -> None:
        effects.created.append(new_id)
        async for _ in request.stream():
            pass

    return routes
