"""What the small application of these tests does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import UUID

from fastapi import APIRouter, Request, Response
from starlette.responses import StreamingResponse

from passerelle.kit.http.answers import json_answer
from passerelle.kit.http.authentication import principal
from passerelle.kit.http.bodies import Body, read, takes
from passerelle.kit.http.idempotency import LARGEST_STORED, idempotent_id
from passerelle.kit.http.versions import version_of, versions


@dataclass
class Effects:
    """What the small application did: the ids of what it created, in their order."""

    created: list[UUID] = field(default_factory=list)
    fail_after: Exception | None = None


class ThingBody(Body):
    name: str


def things(effects: Effects) -> APIRouter:
    """Says who calls, and creates things."""
    routes = APIRouter()

    @routes.get("/whoami")
    async def whoami(request: Request) -> Response:
        caller = await principal(request)
        return json_answer({"workspaceId": caller.workspace_id, "name": caller.name})

    @routes.post("/things", openapi_extra=takes(ThingBody) | versions(1, 2))
    async def create(request: Request) -> Response:
        body = await read(request, ThingBody)
        version = version_of(request)
        created = idempotent_id(request)
        effects.created.append(created)
        if effects.fail_after is not None:
            raise effects.fail_after
        return json_answer({"id": created, "name": body.name, "version": version}, 201)

    @routes.post("/exports")
    async def export(request: Request) -> Response:
        effects.created.append(idempotent_id(request))

        async def lines() -> AsyncIterator[bytes]:
            yield b"first\n"
            yield b"last\n"

        return StreamingResponse(lines(), media_type="text/csv")

    @routes.post("/reports")
    async def report(request: Request) -> Response:
        effects.created.append(idempotent_id(request))
        return json_answer({"text": "x" * LARGEST_STORED})

    @routes.post("/files", status_code=204)
    async def upload(request: Request) -> Response:
        effects.created.append(idempotent_id(request))
        async for _ in request.stream():
            pass
        return Response(status_code=204)

    return routes
