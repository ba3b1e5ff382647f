"""Migrations over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import JsonBody
from passerelle.kit.http.idempotency import IdempotentId
from passerelle.kit.http.pages import DEFAULT_LIMIT, After, Cursors, Limit, Page
from passerelle.kit.http.permissions import Requires, require
from passerelle.workflows.migrations.models import MigrationRequest
from passerelle.workflows.migrations.schemas import (
    MigrationAnswer,
    MigrationBody,
    MoveAnswer,
    VerdictName,
    migration_answer,
    move_answer,
)
from passerelle.workflows.migrations.service import Moves

DefinitionId = Annotated[UUID, Path(description="The definition's id")]
MigrationId = Annotated[UUID, Path(description="The migration's id")]

_ALL = "/definitions/{definition_id}/migrations"
_ONE = _ALL + "/{migration_id}"


def router(moves: Moves, cursors: Cursors) -> APIRouter:
    """Everything under `/definitions/{definition_id}/migrations`."""
    routes = APIRouter(tags=["Definitions"], route_class=ApiRoute)
    _migrations(routes, moves, cursors)
    _verdicts(routes, moves, cursors)
    return routes


def _migrations(routes: APIRouter, moves: Moves, cursors: Cursors) -> None:
    @routes.post(_ALL, status_code=201)
    async def migrate_executions(
        caller: Annotated[Principal, Requires("can_operate_executions")],
        definition_id: DefinitionId,
        body: JsonBody[MigrationBody],
        new_id: IdempotentId,
    ) -> MigrationAnswer:
        """Move executions under way to another revision of their definition.

        Each gets a verdict: `safe` ones are moved, unless `dryRun` is true; the others stay where they are, with the
        reasons. Answers when it is done, at the latest after `PASSERELLE_RUN_WAIT` with what it has come to until then;
        it goes on by itself.
        """
        if body.loosen_reviews:
            require(caller, "can_publish_definitions")
        wish = MigrationRequest(
            id=new_id,
            from_number=body.from_,
            to_number=body.to,
            mapping={old: new for old, new in body.mapping.items() if old != new},
            only=None if body.workflow_ids is None else tuple(dict.fromkeys(body.workflow_ids)),
            dry_run=body.dry_run,
            by=caller.name,
            loosened_by=(caller.kind, str(caller.id)) if body.loosen_reviews else None,
        )
        return migration_answer(await moves.start(caller.workspace_id, definition_id, wish))

    @routes.get(_ALL)
    async def list_migrations(
        caller: Annotated[Principal, Requires("can_view_executions")],
        definition_id: DefinitionId,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> Page[MigrationAnswer]:
        """A definition's migrations, newest first. Dry runs are kept for a week."""
        bound_to = ["migrations", str(caller.workspace_id), str(definition_id)]
        before = cursors.id_of(after, bound_to)
        found = await moves.page(caller.workspace_id, definition_id, before, limit + 1)
        shown, following = cursors.cut(found, limit, bound_to, lambda one: {"id": one.migration.id})
        return Page[MigrationAnswer](data=[migration_answer(one) for one in shown], next=following)

    @routes.get(_ONE)
    async def read_migration(
        caller: Annotated[Principal, Requires("can_view_executions")],
        definition_id: DefinitionId,
        migration_id: MigrationId,
    ) -> MigrationAnswer:
        """A migration and what it has come to so far."""
        return migration_answer(await moves.find(caller.workspace_id, definition_id, migration_id))


def _verdicts(routes: APIRouter, moves: Moves, cursors: Cursors) -> None:
    @routes.get(_ONE + "/executions")
    async def list_verdicts(
        caller: Annotated[Principal, Requires("can_view_executions")],
        definition_id: DefinitionId,
        migration_id: MigrationId,
        verdict: Annotated[VerdictName | None, Query(description="Only executions with this verdict")] = None,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> Page[MoveAnswer]:
        """What a migration says of each execution, the oldest first."""
        bound_to = ["verdicts", str(caller.workspace_id), str(migration_id), verdict]
        last = cursors.id_of(after, bound_to)
        found = await moves.moves(caller.workspace_id, definition_id, migration_id, verdict, last, limit + 1)
        shown, following = cursors.cut(found, limit, bound_to, lambda one: {"id": one.execution_id})
        return Page[MoveAnswer](data=[move_answer(one) for one in shown], next=following)

    @routes.post(_ONE + "/undo")
    async def undo_migration(
        caller: Annotated[Principal, Requires("can_operate_executions")],
        definition_id: DefinitionId,
        migration_id: MigrationId,
    ) -> MigrationAnswer:
        """Move the executions back that have not gone on since. The others stay: `kept` says how many."""
        return migration_answer(await moves.undo(caller.workspace_id, definition_id, migration_id, caller.name))
