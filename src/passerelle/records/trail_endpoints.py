"""A record's history and comments over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from passerelle.kit.http.answers import json_answer
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import principal
from passerelle.kit.http.bodies import read, takes
from passerelle.kit.http.idempotency import idempotent_id
from passerelle.kit.http.pages import DEFAULT_LIMIT, After, Cursors, Limit, Page
from passerelle.records.endpoints import RECORD, author_of, id_of
from passerelle.records.parts import RecordParts
from passerelle.records.schemas import ChangeAnswer, CommentAnswer, CommentBody
from passerelle.records.trail import HistoryPlace, change_json, comment_json


def router(parts: RecordParts, cursors: Cursors) -> APIRouter:
    """`…/records/{recordId}/history` and `…/comments`."""
    routes = APIRouter(tags=["Records"], route_class=ApiRoute)

    @routes.get(RECORD + "/history", response_model=Page[ChangeAnswer])
    async def list_changes(
        request: Request, table_id: str, record_id: str, limit: Limit = DEFAULT_LIMIT, after: After = None
    ) -> Response:
        """Who changed what, when and by which execution; newest first."""
        caller = await principal(request)
        bound_to = ["history", str(caller.workspace_id), record_id]
        before = _place(cursors.decode(after, bound_to=bound_to)) if after is not None else None
        table, found = await parts.trail.history(caller.workspace_id, table_id, id_of(record_id), before, limit + 1)
        last = found[limit - 1] if len(found) > limit else None
        position = {"at": last.at.isoformat(), "id": last.record_id, "version": last.version} if last else {}
        following = cursors.encode(position, bound_to=bound_to) if position else None
        return json_answer({"data": [change_json(table, change) for change in found[:limit]], "next": following})

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
        request: Request, table_id: str, record_id: str, limit: Limit = DEFAULT_LIMIT, after: After = None
    ) -> Response:
        """Comments on a record, newest first."""
        caller = await principal(request)
        bound_to = ["comments", str(caller.workspace_id), record_id]
        before = UUID(cursors.decode(after, bound_to=bound_to)["id"]) if after is not None else None
        found = await parts.trail.comments(caller.workspace_id, table_id, id_of(record_id), before, limit + 1)
        following = cursors.encode({"id": found[limit - 1].id}, bound_to=bound_to) if len(found) > limit else None
        return json_answer({"data": [comment_json(comment) for comment in found[:limit]], "next": following})

    return routes


def _place(position: dict[str, Any]) -> HistoryPlace:
    return datetime.fromisoformat(position["at"]), UUID(position["id"]), position["version"]
