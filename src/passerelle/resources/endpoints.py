"""Files over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, Protocol
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from passerelle.kit.http.answers import Answer
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.idempotency import IdempotentId
from passerelle.kit.http.permissions import Public, Requires
from passerelle.resources.opening import Rendition
from passerelle.resources.service import Resources, StoredFile
from passerelle.resources.uploads import received

ResourceId = Annotated[UUID, Path(description="The file's id")]
WantedRendition = Annotated[
    Rendition | None,
    Query(
        description="`preview`: a small JPEG of a picture. `image`: the whole as JPEG, of formats that not every "
        "browser shows, such as HEIC. The file itself where it has no such rendition"
    ),
]
FileToken = Annotated[str, Path(description="From the link that an attachment was asked for")]


class ResourceAnswer(Answer):
    """A file that is kept."""

    resource_id: UUID
    """The file's id."""
    resource_name: str
    """Its name."""
    resource_path: str
    """Where it is kept."""


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
    200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
}


def router(parts: HasResources) -> APIRouter:
    """`/resources`, and the links below `/files`."""
    routes = APIRouter(tags=["Files"], route_class=ApiRoute)

    @routes.post("/resources", status_code=201, openapi_extra=TAKES_FILE)
    async def store_file(
        request: Request, caller: Annotated[Principal, Requires("can_edit_attachments")], new_id: IdempotentId
    ) -> ResourceAnswer:
        """Keep a file. Its type is told by its content, and must fit its name."""
        async with received(request) as upload:
            kept = await parts.resources.keep(caller.workspace_id, new_id, upload, caller.name)
        return ResourceAnswer(resource_id=kept.id, resource_name=kept.name, resource_path=kept.path)

    @routes.get("/resources/{resource_id}", responses=_GIVES_FILE, response_class=StreamingResponse)
    async def download_file(
        caller: Annotated[Principal, Requires("can_read_attachments")],
        resource_id: ResourceId,
        rendition: WantedRendition = None,
    ) -> Response:
        """A file's bytes."""
        return download(*await parts.resources.read(caller.workspace_id, resource_id, rendition))

    @routes.get("/files/{token}", dependencies=[Public], responses=_GIVES_FILE, response_class=StreamingResponse)
    async def follow_file_link(token: FileToken) -> Response:
        """A file's bytes by a signed link, which needs no credentials and ends after 15 minutes."""
        return download(*await parts.resources.read_link(token))

    return routes


def download(file: StoredFile, chunks: AsyncIterator[bytes]) -> Response:
    """A file as a download: a browser must never run it as a page of ours."""
    return StreamingResponse(
        chunks,
        media_type=file.type,
        headers={
            "Content-Length": str(file.size),
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name)}",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        },
    )
