"""Events over HTTP, for those who fetch them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Protocol
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from passerelle.events.models import Event, Position, payload
from passerelle.events.service import Events, expanded, known_types
from passerelle.kit.http.answers import Answer, Moment, json_answer
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import principal
from passerelle.kit.http.pages import DEFAULT_LIMIT, Cursors, Limit

LONGEST_WAIT: Final = 50
"""Seconds; common proxies cut a silent request after 60."""


class EventAnswer(Answer):
    """Something that has happened; the body that a webhook would have."""

    id: UUID
    type: str
    created_date: Moment
    workspace_id: UUID
    data: dict[str, Any]
    jws: str | None = Field(
        default=None, description="With `jws=true`: the signature that a webhook with this event would have."
    )


class EventsAnswer(Answer):
    """Some events in their order. `next` is the `after` of the following call: never null, for events have no end."""

    data: list[EventAnswer]
    next: str


class Signer(Protocol):
    """What `passerelle.webhooks.service` does for us."""

    async def signatures(self, workspace_id: UUID, events: Sequence[Event], api_version: int) -> Sequence[str]:
        """The detached signatures of a workspace's events, as webhooks of this version have them."""


def router(events: Events, cursors: Cursors, signer: Signer) -> APIRouter:
    """`GET /events`."""
    routes = APIRouter(tags=["Events"], route_class=ApiRoute)

    @routes.get("/events", response_model=EventsAnswer)
    async def list_events(
        request: Request,
        after: Annotated[str | None, Query(description="`next` of the call before; without it, the oldest")] = None,
        since: Annotated[
            datetime | None, Query(description="Instead of `after`: begin with the events of this time")
        ] = None,
        types: Annotated[
            str | None, Query(description="Only these, separated by commas: `workflow.*,link.sent`")
        ] = None,
        wait: Annotated[
            int, Query(description="Seconds to wait for the next event where there is none", ge=0, le=LONGEST_WAIT)
        ] = 0,
        limit: Limit = DEFAULT_LIMIT,
        jws: Annotated[
            bool,
            Query(description="Add the signature of the webhook; it is over the event without it, as compact JSON"),
        ] = False,
    ) -> Response:
        """Read events in their order: the pull twin of webhooks.

        Call it with `wait` and the `next` of the answer before, over and over. Each event comes once for each reader
        that does so, the same `id` as in a webhook. Events are kept for 30 days.
        """
        caller = await principal(request)
        bound_to = ["events", str(caller.workspace_id)]
        chosen = expanded(known_types([name.strip() for name in types.split(",")] if types else []))
        position = None
        if after is not None:
            kept = cursors.decode(after, bound_to=bound_to)
            position = Position(kept["transaction"], UUID(kept["id"]))
        elif since is not None:
            position = await events.since(caller.workspace_id, since if since.tzinfo else since.replace(tzinfo=UTC))
        excerpt = await events.read(caller.workspace_id, position, chosen, limit, wait)
        here = {"transaction": excerpt.position.transaction, "id": excerpt.position.event_id}
        data = [payload(event, caller.api_version) for event in excerpt.events]
        if jws:
            signatures = await signer.signatures(caller.workspace_id, excerpt.events, caller.api_version)
            for one, signature in zip(data, signatures, strict=True):
                one["jws"] = signature
        return json_answer({"data": data, "next": cursors.encode(here, bound_to=bound_to)})

    return routes
