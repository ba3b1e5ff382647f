"""Definitions over HTTP."""

from __future__ import annotations

from typing import Annotated, Protocol
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from passerelle.definitions.revisions.rule import Proposing
from passerelle.definitions.revisions.schemas import (
    DefinitionAnswer,
    PublishBody,
    PushedAnswer,
    RevisionsAnswer,
    RevisionTextAnswer,
    definition_answer,
    pushed_answer,
    revision_answer,
)
from passerelle.definitions.revisions.service import Revisions
from passerelle.definitions.source import read_source
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import JsonBody, TextBody
from passerelle.kit.http.bounds import Number32
from passerelle.kit.http.media_types import accept_header
from passerelle.kit.http.pages import DEFAULT_LIMIT, After, Cursors, Limit, Page
from passerelle.kit.http.permissions import Requires, require

DefinitionId = Annotated[UUID, Path(description="The definition's id")]

_YAML = ("application/yaml", "application/x-yaml", "text/yaml")
Text = Annotated[
    str,
    TextBody(*_YAML, "application/json", "text/plain", description="The definition, as YAML or as JSON"),
]


class Drafting(Protocol):
    """What keeps drafts (`passerelle.drafts.service`)."""

    async def behind(self, caller: Principal, definition_id: UUID, revision: int) -> list[str]:
        """A sentence for each draft that the caller may see and that rests on an older revision than this one."""


def router(revisions: Revisions, proposing: Proposing, drafting: Drafting, cursors: Cursors) -> APIRouter:
    """Everything under `/definitions`."""
    routes = APIRouter(tags=["Definitions"], route_class=ApiRoute)
    _definitions(routes, revisions, proposing, drafting, cursors)
    _revisions(routes, revisions)
    return routes


def _definitions(
    routes: APIRouter, revisions: Revisions, proposing: Proposing, drafting: Drafting, cursors: Cursors
) -> None:
    @routes.post("/definitions", status_code=201)
    async def push_definition(
        caller: Annotated[Principal, Requires("can_manage_definitions", of="definition")],
        text: Text,
        response: Response,
        publish: Annotated[bool, Query(description="`false` keeps the new revision a draft")] = True,
    ) -> PushedAnswer:
        """Push a definition: the same `name` again makes a new revision of the same id, the same text none (200).

        Where publishing needs a second person it is proposed instead of published, and `proposal` says so; that needs
        no `can_publish_definitions`.
        """
        proposes = publish and (await proposing.rule(caller.workspace_id)).second_person
        if publish and not proposes:
            require(caller, "can_publish_definitions", "definition")
        pushed = await revisions.push(caller.workspace_id, text, publish=publish and not proposes, by=caller.name)
        stored, warnings = pushed.stored, pushed.warnings
        if pushed.created:
            warnings += await drafting.behind(caller, stored.definition_id, stored.number)
        response.status_code = 201 if pushed.created else 200
        proposal = None
        if proposes and not stored.published:
            proposal = await proposing.propose_pushed(caller, stored.definition_id, stored.number)
        return pushed_answer(stored, warnings, proposal)

    @routes.get("/definitions")
    async def list_definitions(
        caller: Annotated[Principal, Requires("can_view_workspace", of="definition")],
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> Page[DefinitionAnswer]:
        """Definitions by name."""
        bound_to = ["definitions", str(caller.workspace_id)]
        name = cursors.name_of(after, bound_to)
        found = await revisions.listed(caller.workspace_id, name, limit + 1)
        shown, following = cursors.cut(found, limit, bound_to, lambda one: {"name": one.name})
        data = [
            definition_answer(stored, await revisions.compile_stored(caller.workspace_id, stored)) for stored in shown
        ]
        return Page[DefinitionAnswer](data=data, next=following)

    @routes.get(
        "/definitions/{definition_id}",
        response_model=DefinitionAnswer,
        responses={200: {"content": {name: {"schema": {"type": "string"}} for name in _YAML[:1]}}},
    )
    async def read_definition(
        request: Request,
        caller: Annotated[Principal, Requires("can_view_workspace", of="definition")],
        definition_id: DefinitionId,
    ) -> DefinitionAnswer | Response:
        """A definition; with `Accept: application/yaml` its text."""
        stored = await revisions.shown(caller.workspace_id, definition_id)
        accept = (accept_header(request.scope) or "").lower()
        if any(name in accept for name in _YAML):
            return Response(stored.text, media_type="application/yaml")
        return definition_answer(stored, await revisions.compile_stored(caller.workspace_id, stored))


def _revisions(routes: APIRouter, revisions: Revisions) -> None:
    @routes.get("/definitions/{definition_id}/revisions")
    async def list_revisions(
        caller: Annotated[Principal, Requires("can_view_workspace", of="definition")], definition_id: DefinitionId
    ) -> RevisionsAnswer:
        """Every revision, newest first, with who published it and when."""
        entries = await revisions.history(caller.workspace_id, definition_id)
        return RevisionsAnswer(data=[revision_answer(entry) for entry in entries])

    @routes.get("/definitions/{definition_id}/revisions/{revision}")
    async def read_revision(
        caller: Annotated[Principal, Requires("can_view_workspace")],
        definition_id: DefinitionId,
        revision: Annotated[Number32, Path(description="The revision's number")],
    ) -> RevisionTextAnswer:
        """A revision: its text, and the same as JSON, to compare it with another one."""
        stored = await revisions.numbered(caller.workspace_id, definition_id, revision)
        return RevisionTextAnswer(revision=stored.number, text=stored.text, document=read_source(stored.text).value)

    @routes.post("/definitions/{definition_id}/publish")
    async def publish_definition(
        caller: Annotated[Principal, Requires("can_publish_definitions", of="definition")],
        definition_id: DefinitionId,
        body: JsonBody[PublishBody],
    ) -> PushedAnswer:
        """Publish a revision, older ones too. Running executions stay on theirs.

        Where publishing needs a second person this answers `PUBLISHING_NEEDS_ANOTHER`: propose it instead.
        """
        stored = await revisions.publish(
            *(caller.workspace_id, definition_id, body.revision, caller.name, body.note), instead_of=body.instead_of
        )
        return pushed_answer(stored)
