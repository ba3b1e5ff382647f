"""A record's history and comments over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter

from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import JsonBody
from passerelle.kit.http.idempotency import IdempotentId
from passerelle.kit.http.pages import DEFAULT_LIMIT, After, Cursors, Limit, Page
from passerelle.kit.http.permissions import Requires
from passerelle.records.endpoints import RECORD, RecordId, TableName, author_of, id_of
from passerelle.records.history import HistoryPlace, named_changes
from passerelle.records.models import Comment, RecordChange
from passerelle.records.parts import RecordServices
from passerelle.records.schemas import ChangeAnswer, CommentAnswer, CommentBody, FieldChange
from passerelle.records.sight import sight_of
from passerelle.tables.models import Table


def router(parts: RecordServices, cursors: Cursors) -> APIRouter:
    """`…/records/{recordId}/history` and `…/comments`."""
    routes = APIRouter(tags=["Records"], route_class=ApiRoute)

    @routes.get(RECORD + "/history")
    async def list_changes(
        caller: Annotated[Principal, Requires("can_read_data", of="table")],
        table_id: TableName,
        record_id: RecordId,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> Page[ChangeAnswer]:
        """Who changed what, when and by which execution; newest first."""
        bound_to = ["history", str(caller.workspace_id), record_id]
        before = _place(cursors.decode(after, bound_to=bound_to)) if after is not None else None
        table, found = await parts.history.history(caller.workspace_id, table_id, id_of(record_id), before, limit + 1)
        last = found[limit - 1] if len(found) > limit else None
        position = {"at": last.at.isoformat(), "id": last.record_id, "version": last.version} if last else {}
        following = cursors.encode(position, bound_to=bound_to) if position else None
        return Page[ChangeAnswer](data=[change_answer(table, change) for change in found[:limit]], next=following)

    @routes.post(RECORD + "/comments", status_code=201)
    async def write_comment(
        caller: Annotated[Principal, Requires("can_comment", of="table")],
        table_id: TableName,
        record_id: RecordId,
        body: JsonBody[CommentBody],
        new_id: IdempotentId,
    ) -> CommentAnswer:
        """Comment on a record."""
        comment = await parts.history.comment(
            caller.workspace_id, table_id, id_of(record_id), new_id, body.text, author_of(caller)
        )
        return comment_answer(comment)

    @routes.get(RECORD + "/comments")
    async def list_comments(
        caller: Annotated[Principal, Requires("can_read_data", of="table")],
        table_id: TableName,
        record_id: RecordId,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> Page[CommentAnswer]:
        """Comments on a record, newest first."""
        bound_to = ["comments", str(caller.workspace_id), record_id]
        before = cursors.id_of(after, bound_to)
        found = await parts.history.comments(caller.workspace_id, table_id, id_of(record_id), before, limit + 1)
        shown, following = cursors.cut(found, limit, bound_to, lambda one: {"id": one.id})
        return Page[CommentAnswer](data=[comment_answer(comment) for comment in shown], next=following)

    return routes


def _place(position: dict[str, Any]) -> HistoryPlace:
    return datetime.fromisoformat(position["at"]), UUID(position["id"]), position["version"]


def change_answer(table: Table, change: RecordChange) -> ChangeAnswer:
    """A change, by the names that the fields have now, or had when they were dropped."""
    return ChangeAnswer(
        record_id=change.record_id,
        version=change.version,
        action=change.action,
        at=change.at,
        by=change.by,
        execution_id=change.execution_id,
        changes=[FieldChange(**facts) for facts in named_changes(table, sight_of(table).changes(change.changes))],
    )


def comment_answer(comment: Comment) -> CommentAnswer:
    """A comment as the API shows it."""
    return CommentAnswer(id=comment.id, text=comment.text, at=comment.at, by=comment.by)
