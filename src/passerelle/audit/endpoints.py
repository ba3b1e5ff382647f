"""The audit over HTTP. Nothing here changes it."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response, StreamingResponse

from passerelle.audit.models import AuditChain
from passerelle.audit.repository import AuditFilters
from passerelle.audit.schemas import AuditEntryAnswer, AuditReportAnswer, Outcome, entry_answer
from passerelle.audit.trail import AuditTrail
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bounds import AnyTime
from passerelle.kit.http.pages import DEFAULT_LIMIT, After, Cursors, Limit, Page
from passerelle.kit.http.permissions import Requires, require

MEDIA_TYPE: Final = "application/x-ndjson"
_LINES: Final = {
    "responses": {"200": {"content": {MEDIA_TYPE: {"schema": {"type": "string", "description": "JSON lines."}}}}}
}

Auditing = Annotated[Principal, Requires("can_view_audit")]
Of = Annotated[
    Literal["workspace", "organization"],
    Query(
        description="`organization`: sign-ins of people, users, roles and what else is in no workspace; needs "
        "`can_manage_users` as well"
    ),
]
Actor = Annotated[str | None, Query(max_length=100, description="Only what this user or key did, by id")]
Action = Annotated[str | None, Query(max_length=100, description="Only this: an `operationId`, `signIn`, `signOut`")]
Thing = Annotated[
    str | None, Query(alias="object", max_length=300, description="Only what was done to the object with this id")
]
Kind = Annotated[str | None, Query(max_length=100, description="Only objects of this kind, such as `key`")]
Ended = Annotated[Outcome | None, Query(description="Only what came out so")]
Since = Annotated[AnyTime | None, Query(description="Only entries from this time on")]
Until = Annotated[AnyTime | None, Query(description="Only entries before this time")]
Text = Annotated[str | None, Query(max_length=200, description="Only entries that have this text in them anywhere")]


def _filters(
    actor: Actor = None,
    action: Action = None,
    object_: Thing = None,
    kind: Kind = None,
    outcome: Ended = None,
    since: Since = None,
    until: Until = None,
    text: Text = None,
) -> AuditFilters:
    return AuditFilters(actor, action, object_, kind, outcome, since, until, text)


Filters = Annotated[AuditFilters, Depends(_filters)]


def router(trail: AuditTrail, cursors: Cursors) -> APIRouter:
    """Everything under `/audit`."""
    routes = APIRouter(tags=["Audit"], route_class=ApiRoute)

    @routes.get("/audit")
    async def list_audit(
        caller: Auditing,
        filters: Filters,
        of: Of = "workspace",
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> Page[AuditEntryAnswer]:
        """Who did what, the newest first. A page may have fewer entries than `limit`, and a `next` all the same."""
        place = _place(caller, of)
        bound_to = ["audit", str(place.chain), repr(filters)]
        before = cursors.id_of(after, bound_to)
        await trail.write()
        found = await trail.reading.page(place, filters, before, limit)
        following = None if found.last is None else cursors.encode({"id": str(found.last)}, bound_to=bound_to)
        return Page[AuditEntryAnswer](data=[entry_answer(one) for one in found.entries], next=following)

    @routes.get("/audit/export", response_class=StreamingResponse, openapi_extra=_LINES)
    async def export_audit(
        caller: Auditing,
        filters: Filters,
        of: Of = "workspace",
    ) -> Response:
        """Everything that fits, the oldest first, a line of JSON each: with its hash and the one that it hangs on.

        `passerelle audit verify FILE` looks whether an export is as it was written.
        """
        place = _place(caller, of)
        await trail.write()
        await trail.seal()
        headers = {"Content-Disposition": f'attachment; filename="audit-{place.chain}.jsonl"'}
        return StreamingResponse(trail.reading.lines(place, filters), media_type=MEDIA_TYPE, headers=headers)

    @routes.get("/audit/verify")
    async def verify_audit(caller: Auditing, of: Of = "workspace") -> AuditReportAnswer:
        """Whether every entry follows from the one before it; names the first that does not."""
        await trail.write()
        await trail.seal()
        return AuditReportAnswer.model_validate((await trail.reading.verify(_place(caller, of))).to_json())

    return routes


def _place(caller: Principal, of: str) -> AuditChain:
    if of == "workspace":
        return AuditChain(caller.workspace_id)
    require(caller, "can_manage_users")
    return AuditChain(caller.organization, organization=True)
