"""Files of records over HTTP."""

from __future__ import annotations

from copy import deepcopy
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Request

from passerelle.kit.http.addresses import public_url
from passerelle.kit.http.answers import Answer, Moment
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.idempotency import IdempotentId
from passerelle.kit.http.pages import DEFAULT_LIMIT, After, Cursors, Limit, Page
from passerelle.kit.http.permissions import Requires
from passerelle.records.attachments import Attachment
from passerelle.records.endpoints import RECORD, RecordId, TableName, author_of, id_of
from passerelle.records.parts import RecordServices
from passerelle.resources.endpoints import TAKES_FILE, WantedRendition
from passerelle.resources.uploads import received

AttachmentId = Annotated[str, Path(description="The attachment's id")]

ATTACHMENTS = RECORD + "/attachments"


class AttachmentAnswer(Answer):
    """A file of a record."""

    id: UUID
    """The attachment's id."""
    record_id: UUID
    """The record that it belongs to."""
    name: str
    """The file's name."""
    type: str
    """Its media type, told by its content."""
    size: int
    """Its size in bytes."""
    created_date_time: Moment
    """When it was attached."""
    tags: list[str]
    """What it was tagged with."""


class AttachmentLink(Answer):
    """An address that hands out the file without credentials, for 15 minutes."""

    link: str
    """The address; it ends after 15 minutes."""


def _takes_tags() -> dict[str, Any]:
    taken = deepcopy(TAKES_FILE)
    schema = taken["requestBody"]["content"]["multipart/form-data"]["schema"]
    schema["properties"]["tags"] = {"type": "array", "items": {"type": "string"}}
    return taken


def router(parts: RecordServices, cursors: Cursors) -> APIRouter:
    """`…/records/{recordId}/attachments`."""
    routes = APIRouter(tags=["Records"], route_class=ApiRoute)

    @routes.post(ATTACHMENTS, status_code=201, openapi_extra=_takes_tags())
    async def attach_file(
        request: Request,
        caller: Annotated[Principal, Requires("can_edit_attachments", of="table")],
        table_id: TableName,
        record_id: RecordId,
        new_id: IdempotentId,
    ) -> AttachmentAnswer:
        """Attach a file to a record. Its type is told by its content, and must fit its name."""
        await parts.records.read(caller.workspace_id, table_id, id_of(record_id))
        async with received(request) as upload:
            attachment = await parts.attachments.upload(
                caller.workspace_id, table_id, id_of(record_id), new_id, upload, author_of(caller)
            )
        return _answer(attachment)

    @routes.get(ATTACHMENTS)
    async def list_attachments(
        caller: Annotated[Principal, Requires("can_read_attachments", of="table")],
        table_id: TableName,
        record_id: RecordId,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> Page[AttachmentAnswer]:
        """A record's files, newest first."""
        bound_to = ["attachments", str(caller.workspace_id), record_id]
        before = cursors.id_of(after, bound_to)
        found = await parts.attachments.listed(caller.workspace_id, table_id, id_of(record_id), before, limit + 1)
        shown, following = cursors.cut(found, limit, bound_to, lambda one: {"id": one.id})
        return Page[AttachmentAnswer](data=[_answer(one) for one in shown], next=following)

    @routes.get(ATTACHMENTS + "/{attachment_id}")
    async def read_attachment(
        request: Request,
        caller: Annotated[Principal, Requires("can_read_attachments", of="table")],
        table_id: TableName,
        record_id: RecordId,
        attachment_id: AttachmentId,
        rendition: WantedRendition = None,
    ) -> AttachmentLink:
        """A link to the file that needs no credentials and ends after 15 minutes."""
        found = await parts.attachments.find(caller.workspace_id, table_id, id_of(record_id), id_of(attachment_id))
        path = parts.resources.link_path(caller.workspace_id, found.resource_id, rendition)
        base = parts.public_url or public_url(request)
        return AttachmentLink(link=f"{base.rstrip('/')}{path}")

    @routes.delete(ATTACHMENTS + "/{attachment_id}", status_code=204)
    async def delete_attachment(
        caller: Annotated[Principal, Requires("can_edit_attachments", of="table")],
        table_id: TableName,
        record_id: RecordId,
        attachment_id: AttachmentId,
    ) -> None:
        """Detach a file and take it out of the record's fields; one that nothing else holds is deleted."""
        await parts.attachments.delete(
            caller.workspace_id, table_id, id_of(record_id), id_of(attachment_id), author_of(caller)
        )

    return routes


def _answer(attachment: Attachment) -> AttachmentAnswer:
    return AttachmentAnswer(
        id=attachment.id,
        record_id=attachment.record_id,
        name=attachment.name,
        type=attachment.type,
        size=attachment.size,
        created_date_time=attachment.created_at,
        tags=attachment.tags,
    )
