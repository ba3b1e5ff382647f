"""Migrations over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from passerelle.executions.moves.models import Wish
from passerelle.executions.moves.schemas import (
    MigrationAnswer,
    MigrationBody,
    MoveAnswer,
    VerdictName,
    migration_answer,
    move_answer,
)
from passerelle.executions.moves.service import Moves
from passerelle.kit.http.answers import json_answer
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import principal
from passerelle.kit.http.bodies import read, takes
from passerelle.kit.http.idempotency import idempotent_id
from passerelle.kit.http.pages import DEFAULT_LIMIT, After, Cursors, Limit, Page

_ALL = "/definitions/{definition_id}/migrations"
_ONE = _ALL + "/{migration_id}"


def router(moves: Moves, cursors: Cursors) -> APIRouter:
    """Everything under `/definitions/{definition_id}/migrations`."""
    routes = APIRouter(tags=["Definitions"], route_class=ApiRoute)

    @routes.post(_ALL, response_model=MigrationAnswer, status_code=201, openapi_extra=takes(MigrationBody))
    async def migrate_executions(request: Request, definition_id: UUID) -> Response:
        """Move executions under way to another revision of their definition.

        Each gets a verdict: `safe` ones are moved, unless `dryRun` is true; the others stay where they are, with the
        reasons. Answers when it is done, at the latest after `PASSERELLE_RUN_WAIT` with what it has come to until then;
        it goes on by itself.
        """
        caller = await principal(request)
        body = await read(request, MigrationBody)
        wish = Wish(
            id=idempotent_id(request),
            from_number=body.from_,
            to_number=body.to,
            mapping={old: new for old, new in body.mapping.items() if old != new},
            only=None if body.workflow_ids is None else tuple(dict.fromkeys(body.workflow_ids)),
            dry_run=body.dry_run,
            by=caller.name,
        )
        return json_answer(migration_answer(await moves.start(caller.workspace_id, definition_id, wish)), 201)

    @routes.get(_ALL, response_model=Page[MigrationAnswer])
    async def list_migrations(
        request: Request, definition_id: UUID, limit: Limit = DEFAULT_LIMIT, after: After = None
    ) -> Response:
        """A definition's migrations, newest first. Dry runs are kept for a week."""
        caller = await principal(request)
        bound_to = ["migrations", str(caller.workspace_id), str(definition_id)]
        before = UUID(cursors.decode(after, bound_to=bound_to)["id"]) if after is not None else None
        found = await moves.page(caller.workspace_id, definition_id, before, limit + 1)
        following = None
        if len(found) > limit:
            following = cursors.encode({"id": str(found[limit - 1].migration.id)}, bound_to=bound_to)
        return json_answer(Page(data=[migration_answer(one) for one in found[:limit]], next=following))

    @routes.get(_ONE, response_model=MigrationAnswer)
    async def read_migration(request: Request, definition_id: UUID, migration_id: UUID) -> Response:
        """A migration and what it has come to so far."""
        caller = await principal(request)
        return json_answer(migration_answer(await moves.find(caller.workspace_id, definition_id, migration_id)))

    @routes.get(_ONE + "/executions", response_model=Page[MoveAnswer])
    async def list_verdicts(
        request: Request,
        definition_id: UUID,
        migration_id: UUID,
        verdict: Annotated[VerdictName | None, Query(description="Only executions with this verdict")] = None,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> Response:
        """What a migration says of each execution, the oldest first."""
        caller = await principal(request)
        bound_to = ["verdicts", str(caller.workspace_id), str(migration_id), verdict]
        last = UUID(cursors.decode(after, bound_to=bound_to)["id"]) if after is not None else None
        found = await moves.moves(caller.workspace_id, definition_id, migration_id, verdict, last, limit + 1)
        following = None
        if len(found) > limit:
            following = cursors.encode({"id": str(found[limit - 1].execution_id)}, bound_to=bound_to)
        return json_answer(Page(data=[move_answer(one) for one in found[:limit]], next=following))

    @routes.post(_ONE + "/undo", response_model=MigrationAnswer)
    async def undo_migration(request: Request, definition_id: UUID, migration_id: UUID) -> Response:
        """Move the executions back that have not gone on since. The others stay: `kept` says how many."""
        caller = await principal(request)
        return json_answer(
            migration_answer(await moves.undo(caller.workspace_id, definition_id, migration_id, caller.name))
        )

    return routes
