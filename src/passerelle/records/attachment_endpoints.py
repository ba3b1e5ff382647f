"""Files of records over HTTP."""

from __future__ import annotations

from copy import deepcopy
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from passerelle.kit.http.answers import Answer, Moment, json_answer
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import principal
from passerelle.kit.http.idempotency import idempotent_id
from passerelle.kit.http.pages import DEFAULT_LIMIT, After, Cursors, Limit, Page
from passerelle.records.endpoints import RECORD, author_of, id_of
from passerelle.records.parts import RecordParts
from passerelle.resources.endpoints import TAKES_FILE
from passerelle.resources.uploads import received

ATTACHMENTS = RECORD + "/attachments"


class AttachmentAnswer(Answer):
    """A file of a record."""

    id: UUID
    record_id: UUID
    name: str
    type: str
    size: int
    created_date_time: Moment
    tags: list[str]


class AttachmentLink(Answer):
    """An address that hands out the file without credentials, for 15 minutes."""

    link: str


def _takes_tags() -> dict[str, Any]:
    taken = deepcopy(TAKES_FILE)
    schema = taken["requestBody"]["content"]["multipart/form-data"]["schema"]
    schema["properties"]["tags"] = {"type": "array", "items": {"type": "string"}}
    return taken


def router(parts: RecordParts, cursors: Cursors) -> APIRouter:
    """`…/records/{recordId}/attachments`."""
    routes = APIRouter(tags=["Records"], route_class=ApiRoute)

    @routes.post(ATTACHMENTS, response_model=AttachmentAnswer, status_code=201, openapi_extra=_takes_tags())
    async def attach_file(request: Request, table_id: str, record_id: str) -> Response:
        """Attach a file to a record. Its type is told by its content, and must fit its name."""
        caller = await principal(request)
        await parts.records.read(caller.workspace_id, table_id, id_of(record_id))
        async with received(request) as upload:
            attachment = await parts.attachments.upload(
                caller.workspace_id, table_id, id_of(record_id), idempotent_id(request), upload, author_of(caller)
            )
        return json_answer(attachment.to_json(), 201)

    @routes.get(ATTACHMENTS, response_model=Page[AttachmentAnswer])
    async def list_attachments(
        request: Request,
        table_id: str,
        record_id: str,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> Response:
        """A record's files, newest first."""
        caller = await principal(request)
        bound_to = ["attachments", str(caller.workspace_id), record_id]
        before = UUID(cursors.decode(after, bound_to=bound_to)["id"]) if after is not None else None
        found = await parts.attachments.listed(caller.workspace_id, table_id, id_of(record_id), before, limit + 1)
        following = cursors.encode({"id": found[limit - 1].id}, bound_to=bound_to) if len(found) > limit else None
        return json_answer({"data": [one.to_json() for one in found[:limit]], "next": following})

    @routes.get(ATTACHMENTS + "/{attachment_id}", response_model=AttachmentLink)
    async def read_attachment(request: Request, table_id: str, record_id: str, attachment_id: str) -> Response:
        """A link to the file that needs no credentials and ends after 15 minutes."""
        caller = await principal(request)
        found = await parts.attachments.find(caller.workspace_id, table_id, id_of(record_id), id_of(attachment_id))
        path = parts.resources.link_path(caller.workspace_id, found.resource_id)
        base = (parts.public_url or str(request.base_url)).rstrip("/")
        return json_answer({"link": f"{base}{path}"})

    @routes.delete(ATTACHMENTS + "/{attachment_id}", status_code=204)
    async def delete_attachment(request: Request, table_id: str, record_id: str, attachment_id: str) -> Response:
        """Detach a file and take it out of the record's fields; one that nothing else holds is deleted."""
        caller = await principal(request)
        await parts.attachments.delete(
            caller.workspace_id, table_id, id_of(record_id), id_of(attachment_id), author_of(caller)
        )
        return Response(status_code=204)

    return routes
