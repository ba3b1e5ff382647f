"""A record's history and comments over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from passerelle.kit.http.answers import json_answer
from passerelle.kit.http.authentication import principal
from passerelle.kit.http.bodies import read, takes
from passerelle.kit.http.idempotency import idempotent_id
from passerelle.kit.http.pages import Cursors, Page, limit_of
from passerelle.records.endpoints import RECORD, author_of, id_of
from passerelle.records.parts import RecordParts
from passerelle.records.schemas import ChangeAnswer, CommentAnswer, CommentBody
from passerelle.records.trail import HistoryPlace, change_json, comment_json

Limit = Annotated[str | None, Query(description="1 to 500; 25 if absent")]
After = Annotated[str | None, Query(description="`next` of the page before")]


def router(parts: RecordParts, cursors: Cursors) -> APIRouter:
    """`…/records/{recordId}/history` and `…/comments`."""
    routes = APIRouter(tags=["Records"])

    @routes.get(RECORD + "/history", response_model=Page[ChangeAnswer])
    async def list_changes(
        request: Request, table_id: str, record_id: str, limit: Limit = None, after: After = None
    ) -> Response:
        """Who changed what, when and by which execution; newest first."""
        caller = await principal(request)
        bound_to = ["history", str(caller.workspace_id), record_id]
        wanted = limit_of(limit)
        before = _place(cursors.decode(after, bound_to=bound_to)) if after is not None else None
        table, found = await parts.trail.history(caller.workspace_id, table_id, id_of(record_id), before, wanted + 1)
        last = found[wanted - 1] if len(found) > wanted else None
        position = {"at": last.at.isoformat(), "id": last.record_id, "version": last.version} if last else {}
        following = cursors.encode(position, bound_to=bound_to) if position else None
        return json_answer({"data": [change_json(table, change) for change in found[:wanted]], "next": following})

    @routes.post(RECORD + "/comments", response_model=CommentAnswer, status_code=201, openapi_extra=takes(CommentBody))
    async def write_comment(request: Request, table_id: str, record_id: str) -> Response:
        """Comment on a record."""
        caller = await principal(request)
        body = await read(request, CommentBody)
        comment = await parts.trail.comment(
            caller.workspace_id, table_id, id_of(record_id), idempotent_id(request), body.text, author_of(caller)
        )
        return json_answer(comment_json(comment), 201)

    @routes.get(RECORD + "/comments", response_model=Page[CommentAnswer])
    async def list_comments(
        request: Request, table_id: str, record_id: str, limit: Limit = None, after: After = None
    ) -> Response:
        """Comments on a record, newest first."""
        caller = await principal(request)
        bound_to = ["comments", str(caller.workspace_id), record_id]
        wanted = limit_of(limit)
        before = UUID(cursors.decode(after, bound_to=bound_to)["id"]) if after is not None else None
        found = await parts.trail.comments(caller.workspace_id, table_id, id_of(record_id), before, wanted + 1)
        following = cursors.encode({"id": found[wanted - 1].id}, bound_to=bound_to) if len(found) > wanted else None
        return json_answer({"data": [comment_json(comment) for comment in found[:wanted]], "next": following})

    return routes


def _place(position: dict[str, Any]) -> HistoryPlace:
    return datetime.fromisoformat(position["at"]), UUID(position["id"]), position["version"]
