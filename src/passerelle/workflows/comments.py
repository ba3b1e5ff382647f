"""What people write about an execution, and whom they mention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import Field

from passerelle.kit.clock import Clock
from passerelle.kit.database import Connection, Database, DatabaseRow
from passerelle.kit.http.answers import Answer, Moment
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import Body, JsonBody
from passerelle.kit.http.idempotency import IdempotentId
from passerelle.kit.http.pages import DEFAULT_LIMIT, After, Cursors, Limit, Page
from passerelle.kit.http.permissions import Requires
from passerelle.people.emails import queue_email
from passerelle.people.users import Users
from passerelle.workflows.errors import MENTION_UNKNOWN
from passerelle.workflows.preconditions import not_found
from passerelle.workflows.service import Executions

MOST_MENTIONS: Final = 20
LONGEST: Final = 10_000


@dataclass(frozen=True, slots=True)
class ExecutionComment:
    """A comment. `by`: the person's or the key's name as it was."""

    id: UUID
    text: str
    by: str
    at: datetime


class Comments:
    """Comments on executions."""

    def __init__(self, database: Database, executions: Executions, users: Users, clock: Clock) -> None:
        self._database = database
        self._executions = executions
        self._users = users
        self._clock = clock

    async def write(
        self, author: Principal, execution_id: UUID, comment_id: UUID, text: str, mentions: Sequence[UUID]
    ) -> ExecutionComment:
        """Write a comment; those whom it mentions get a message. The same id again answers with the first.

        Raises WORKFLOW_NOT_FOUND, MENTION_UNKNOWN.
        """
        assert author.organization_id is not None, "every principal belongs to an organization"
        view = await self._executions.find(author.workspace_id, execution_id)
        wanted = list(dict.fromkeys(mentions))
        known = {one.id for one in await self._users.colleagues(author.organization_id, author.workspace_id)}
        if strangers := [str(one) for one in wanted if one not in known]:
            raise MENTION_UNKNOWN.error(f"nobody of this workspace has the id {', '.join(strangers)}", "/mentions")
        async with self._database.transaction(author.workspace_id) as connection:
            row = await connection.fetchrow(
                "INSERT INTO execution_comment (workspace_id, id, execution_id, text, by, at) "
                "SELECT e.workspace_id, $2, e.id, $4, $5, $6 FROM execution e "
                "WHERE e.workspace_id = $1 AND e.id = $3 FOR KEY SHARE "
                "ON CONFLICT DO NOTHING RETURNING id, text, by, at",
                author.workspace_id,
                comment_id,
                execution_id,
                text,
                author.name,
                self._clock(),
            )
            if row is None:
                row = await _comment(connection, author.workspace_id, comment_id)
                if row is None:  # the execution was removed meanwhile
                    raise not_found(execution_id)
            else:
                for user_id in wanted:
                    if user_id != author.id:
                        await _tell(connection, author, user_id, view.name, execution_id)
        return ExecutionComment(**row)

    async def page(
        self, workspace_id: UUID, execution_id: UUID, before: UUID | None, limit: int
    ) -> list[ExecutionComment]:
        """Comments older than `before`, newest first. Raises WORKFLOW_NOT_FOUND."""
        await self._executions.find(workspace_id, execution_id)
        async with self._database.workspace(workspace_id) as connection:
            rows = await connection.fetch(
                "SELECT id, text, by, at FROM execution_comment WHERE workspace_id = $1 AND execution_id = $2 "
                "AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $4",
                workspace_id,
                execution_id,
                before,
                limit,
            )
        return [ExecutionComment(**row) for row in rows]


async def _comment(connection: Connection, workspace_id: UUID, comment_id: UUID) -> DatabaseRow | None:
    query = "SELECT id, text, by, at FROM execution_comment WHERE workspace_id = $1 AND id = $2"
    return await connection.fetchrow(query, workspace_id, comment_id)


async def _tell(connection: Connection, author: Principal, user_id: UUID, about: str, execution_id: UUID) -> None:
    await queue_email(
        connection,
        "mention",
        organizationId=str(author.organization_id),
        userId=str(user_id),
        by=author.name,
        about=about,
        path=f"/app/executions/{execution_id}",
    )


class ExecutionCommentBody(Body):
    """A comment on an execution."""

    text: str = Field(min_length=1, max_length=LONGEST, pattern=r"\S", description="The comment.")
    mentions: list[UUID] = Field(
        default=[], max_length=MOST_MENTIONS, description="Users who get a message that leads here; see `GET /people`."
    )


class ExecutionCommentAnswer(Answer):
    """A comment on an execution."""

    id: UUID
    """The comment's id."""
    text: str
    """The comment."""
    at: Moment
    """When it was written."""
    by: str
    """Who wrote it."""


WorkflowId = Annotated[UUID, Path(description="The execution's id")]


def router(comments: Comments, cursors: Cursors) -> APIRouter:
    """`/workflows/{workflowId}/comments`."""
    routes = APIRouter(tags=["Workflows"], route_class=ApiRoute)

    @routes.post("/workflows/{workflow_id}/comments", status_code=201)
    async def comment_on_workflow(
        caller: Annotated[Principal, Requires("can_comment")],
        workflow_id: WorkflowId,
        body: JsonBody[ExecutionCommentBody],
        new_id: IdempotentId,
    ) -> ExecutionCommentAnswer:
        """Comment on an execution. Whoever is mentioned gets a message."""
        return _answer(await comments.write(caller, workflow_id, new_id, body.text, body.mentions))

    @routes.get("/workflows/{workflow_id}/comments")
    async def list_comments_on_workflow(
        caller: Annotated[Principal, Requires("can_view_executions", of="definition")],
        workflow_id: WorkflowId,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> Page[ExecutionCommentAnswer]:
        """Comments on an execution, newest first."""
        bound_to = ["workflow comments", str(caller.workspace_id), str(workflow_id)]
        before = cursors.id_of(after, bound_to)
        found = await comments.page(caller.workspace_id, workflow_id, before, limit + 1)
        shown, following = cursors.cut(found, limit, bound_to, lambda one: {"id": one.id})
        return Page[ExecutionCommentAnswer](data=[_answer(one) for one in shown], next=following)

    return routes


def _answer(comment: ExecutionComment) -> ExecutionCommentAnswer:
    return ExecutionCommentAnswer.made_from(comment)
