"""Files over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Protocol
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from passerelle.kit.http.answers import Answer, json_answer
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import principal
from passerelle.kit.http.idempotency import idempotent_id
from passerelle.resources.service import Resource, Resources
from passerelle.resources.uploads import received


class ResourceAnswer(Answer):
    """A file that is kept."""

    resource_id: UUID
    resource_name: str
    resource_path: str


class HasResources(Protocol):
    """Where the service is found when an endpoint is called."""

    @property
    def resources(self) -> Resources:
        """The service."""


TAKES_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}
_GIVES_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}}
}


def router(parts: HasResources) -> APIRouter:
    """`/resources`, and the links below `/files`."""
    routes = APIRouter(tags=["Files"], route_class=ApiRoute)

    @routes.post("/resources", response_model=ResourceAnswer, status_code=201, openapi_extra=TAKES_FILE)
    async def store_file(request: Request) -> Response:
        """Keep a file. Its type is told by its content, and must fit its name."""
        caller = await principal(request)
        async with received(request) as upload:
            kept = await parts.resources.keep(caller.workspace_id, idempotent_id(request), upload, caller.name)
        return json_answer(ResourceAnswer(resource_id=kept.id, resource_name=kept.name, resource_path=kept.path), 201)

    @routes.get("/resources/{resource_id}", responses=_GIVES_FILE, response_class=StreamingResponse)
    async def download_file(request: Request, resource_id: UUID) -> Response:
        """A file's bytes."""
        caller = await principal(request)
        return download(*await parts.resources.read(caller.workspace_id, resource_id))

    @routes.get("/files/{token}", responses=_GIVES_FILE, response_class=StreamingResponse)
    async def follow_file_link(token: str) -> Response:
        """A file's bytes by a signed link, which needs no credentials and ends after 15 minutes."""
        return download(*await parts.resources.read_link(token))

    return routes


def download(resource: Resource, chunks: AsyncIterator[bytes]) -> Response:
    """A file as a download: a browser must never run it as a page of ours."""
    return StreamingResponse(
        chunks,
        media_type=resource.type,
        headers={
            "Content-Length": str(resource.size),
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(resource.name)}",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        },
    )
