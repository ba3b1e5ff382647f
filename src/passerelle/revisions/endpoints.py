"""Definitions over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from passerelle.kit.http.answers import json_answer
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import principal
from passerelle.kit.http.bodies import read, read_text, takes
from passerelle.kit.http.media_types import accept_header
from passerelle.kit.http.pages import DEFAULT_LIMIT, After, Cursors, Limit, Page
from passerelle.revisions.schemas import (
    DefinitionAnswer,
    PublishBody,
    PushedAnswer,
    RevisionsAnswer,
    definition_answer,
    pushed_answer,
    revision_answer,
)
from passerelle.revisions.service import Revisions

_YAML = ("application/yaml", "application/x-yaml", "text/yaml")
_TAKES_TEXT = {
    "requestBody": {
        "required": True,
        "content": {
            "application/yaml": {"schema": {"type": "string", "description": "The definition's text"}},
            "application/json": {"schema": {"type": "object", "description": "The definition"}},
        },
    }
}


def router(revisions: Revisions, cursors: Cursors) -> APIRouter:
    """Everything under `/definitions`."""
    routes = APIRouter(tags=["Definitions"], route_class=ApiRoute)

    @routes.post("/definitions", response_model=PushedAnswer, status_code=201, openapi_extra=_TAKES_TEXT)
    async def push_definition(
        request: Request,
        publish: Annotated[bool, Query(description="`false` keeps the new revision a draft")] = True,
    ) -> Response:
        """Push a definition: the same `name` again makes a new revision of the same id, the same text none (200)."""
        caller = await principal(request)
        text = await read_text(request, (*_YAML, "application/json", "text/plain"))
        stored, created = await revisions.push(caller.workspace_id, text, publish=publish, by=caller.name)
        return json_answer(pushed_answer(stored), 201 if created else 200)

    @routes.get("/definitions", response_model=Page[DefinitionAnswer])
    async def list_definitions(
        request: Request,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> Response:
        """Definitions by name."""
        caller = await principal(request)
        bound_to = ["definitions", str(caller.workspace_id)]
        name = cursors.decode(after, bound_to=bound_to)["name"] if after is not None else None
        found = await revisions.listed(caller.workspace_id, name, limit + 1)
        following = cursors.encode({"name": found[limit - 1].name}, bound_to=bound_to) if len(found) > limit else None
        data = [definition_answer(stored, revisions.compile_stored(stored)) for stored in found[:limit]]
        return json_answer(Page(data=data, next=following))

    @routes.get("/definitions/{definition_id}", response_model=DefinitionAnswer)
    async def read_definition(request: Request, definition_id: UUID) -> Response:
        """A definition; with `Accept: application/yaml` its text."""
        caller = await principal(request)
        stored = await revisions.shown(caller.workspace_id, definition_id)
        accept = (accept_header(request.scope) or "").lower()
        if any(name in accept for name in _YAML):
            return Response(stored.text, media_type="application/yaml")
        return json_answer(definition_answer(stored, revisions.compile_stored(stored)))

    @routes.get("/definitions/{definition_id}/revisions", response_model=RevisionsAnswer)
    async def list_revisions(request: Request, definition_id: UUID) -> Response:
        """Every revision, newest first, with who published it and when."""
        caller = await principal(request)
        entries = await revisions.history(caller.workspace_id, definition_id)
        return json_answer(RevisionsAnswer(data=[revision_answer(entry) for entry in entries]))

    @routes.post("/definitions/{definition_id}/publish", response_model=PushedAnswer, openapi_extra=takes(PublishBody))
    async def publish_definition(request: Request, definition_id: UUID) -> Response:
        """Publish a revision, older ones too. Running executions stay on theirs."""
        caller = await principal(request)
        body = await read(request, PublishBody)
        stored = await revisions.publish(caller.workspace_id, definition_id, body.revision, caller.name)
        return json_answer(pushed_answer(stored))

    return routes
