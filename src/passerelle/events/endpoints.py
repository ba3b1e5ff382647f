"""Events over HTTP, for those who fetch them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, Final, Protocol
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import Field

from passerelle.events.catalogue import AUDIT
from passerelle.events.models import Event, EventPosition, payload
from passerelle.events.service import Events, expanded, known_types
from passerelle.events.streaming import MEDIA_TYPE, StreamAnswer, Streams
from passerelle.kit.http.answers import Answer, Moment
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bounds import AnyTime
from passerelle.kit.http.pages import DEFAULT_LIMIT, Cursors, Limit
from passerelle.kit.http.permissions import Requires, require

LONGEST_WAIT: Final = 50
"""Seconds; common proxies cut a silent request after 60."""


class EventAnswer(Answer):
    """Something that has happened; the body that a webhook would have."""

    id: UUID
    """The event's id."""
    type: str
    """What has happened."""
    created_date: Moment
    """When it happened."""
    workspace_id: UUID
    """The workspace that it happened in."""
    data: dict[str, Any]
    """What it is about; see the list of events."""
    jws: str | None = Field(
        default=None, description="With `jws=true`: the signature that a webhook with this event would have."
    )


class EventsAnswer(Answer):
    """Some events in their order. `next` is the `after` of the following call: never null, for events have no end."""

    data: list[EventAnswer]
    """The events."""
    next: str
    """The `after` of the following call."""


_STREAMED: Final = {
    "responses": {
        "200": {"content": {MEDIA_TYPE: {"schema": {"type": "string", "description": "Server-sent events."}}}}
    }
}

Behind = Annotated[str | None, Query(description="`next` of the call before; without it, the oldest")]
Since = Annotated[AnyTime | None, Query(description="Instead of `after`: begin with the events of this time")]
Types = Annotated[str | None, Query(description="Only these, separated by commas: `workflow.*,link.sent`")]
Wait = Annotated[
    int, Query(description="Seconds to wait for the next event where there is none", ge=0, le=LONGEST_WAIT)
]
WithJws = Annotated[
    bool,
    Query(description="Add the signature of the webhook; it is over the event without it, as compact JSON"),
]
LastEventId = Annotated[
    str | None,
    Header(description="What a browser sends that connects to a stream again; stands before `after`"),
]


class Signer(Protocol):
    """What `passerelle.webhooks.service` does for us."""

    async def signatures(self, workspace_id: UUID, events: Sequence[Event], api_version: int) -> Sequence[str]:
        """The detached signatures of a workspace's events, as webhooks of this version have them."""


def router(events: Events, cursors: Cursors, signer: Signer) -> APIRouter:
    """`GET /events`."""
    routes = APIRouter(tags=["Events"], route_class=ApiRoute)
    streams = Streams(events)

    @routes.get("/events", response_model=EventsAnswer, response_model_exclude_unset=True, openapi_extra=_STREAMED)
    async def list_events(
        request: Request,
        caller: Annotated[Principal, Requires("can_view_executions", of="definition")],
        after: Behind = None,
        since: Since = None,
        types: Types = None,
        wait: Wait = 0,
        limit: Limit = DEFAULT_LIMIT,
        jws: WithJws = False,
        last_event_id: LastEventId = None,
    ) -> EventsAnswer | Response:
        """Read events in their order: the pull twin of webhooks.

        Call it with `wait` and the `next` of the answer before, over and over. Each event comes once for each reader
        that does so, the same `id` as in a webhook. Events are kept for 30 days.

        With `Accept: text/event-stream` they come by themselves, as server-sent events for a browser's `EventSource`:
        each `data` is one event, each `id` the `after` behind it. A stream begins with what happens from now on, unless
        `after` or `since` says otherwise; `wait`, `limit` and `jws` mean nothing to it. It ends after five minutes, and
        the browser connects again by itself.
        """
        bound_to = ["events", str(caller.workspace_id)]
        chosen = expanded(known_types([name.strip() for name in types.split(",")] if types else []))
        if AUDIT in chosen:
            require(caller, "can_view_audit")
        streamed = _wants_stream(request)
        begin = last_event_id if streamed and last_event_id else after
        position = None
        if begin is not None:
            kept = cursors.decode(begin, bound_to=bound_to)
            position = EventPosition(kept["transaction"], UUID(kept["id"]))
        elif since is not None:
            position = await events.since(caller.workspace_id, since)

        def cursor(place: EventPosition) -> str:
            return cursors.encode({"transaction": place.transaction, "id": place.event_id}, bound_to=bound_to)

        if streamed:
            here = position if position is not None else await events.newest(caller.workspace_id)
            await events.require_kept(caller.workspace_id, here)
            streams.require_place(caller.id)
            shown = partial(payload, api_version=caller.api_version)
            parts = streams.read(caller.workspace_id, here, chosen, shown=shown, cursor=cursor)
            return StreamAnswer(parts, streams.place(caller.id))
        excerpt = await events.read(caller.workspace_id, position, chosen, limit, wait)
        data = [payload(event, caller.api_version) for event in excerpt.events]
        if jws:
            signatures = await signer.signatures(caller.workspace_id, excerpt.events, caller.api_version)
            for one, signature in zip(data, signatures, strict=True):
                one["jws"] = signature
        return EventsAnswer.model_validate({"data": data, "next": cursor(excerpt.position)})

    return routes


def _wants_stream(request: Request) -> bool:
    """Whether `Accept` asks for server-sent events before all else, as a browser's `EventSource` does."""
    return request.headers.get("accept", "").split(",")[0].split(";")[0].strip().lower() == MEDIA_TYPE
