"""Webhooks over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from passerelle.kit.http.answers import json_answer
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import principal
from passerelle.kit.http.bodies import read, takes
from passerelle.kit.http.idempotency import idempotent_id
from passerelle.kit.http.pages import DEFAULT_LIMIT, After, Cursors, Limit, Page
from passerelle.webhooks.models import DeliveryStatus, Filters
from passerelle.webhooks.schemas import (
    ChangeEndpointBody,
    CreateEndpointBody,
    DeliveryAnswer,
    DeliveryDetailAnswer,
    EndpointAnswer,
    EndpointWithSecretAnswer,
    RecoverBody,
    ReplayBody,
    ReplayedAnswer,
    RotateSecretBody,
    delivery_answer,
    delivery_detail,
    endpoint_answer,
    endpoint_with_secret,
)
from passerelle.webhooks.service import Webhooks


def router(webhooks: Webhooks, cursors: Cursors) -> APIRouter:
    """Everything under `/webhooks`."""
    routes = APIRouter(tags=["Webhooks"], route_class=ApiRoute)
    _endpoints(routes, webhooks, cursors)
    _acts(routes, webhooks)
    _deliveries(routes, webhooks, cursors)
    return routes


def _endpoints(routes: APIRouter, webhooks: Webhooks, cursors: Cursors) -> None:
    @routes.post(
        "/webhooks/endpoints",
        response_model=EndpointWithSecretAnswer,
        status_code=201,
        openapi_extra=takes(CreateEndpointBody),
    )
    async def create_webhook_endpoint(request: Request) -> Response:
        """Have events sent to a URL. The secret in the answer is shown this once."""
        caller = await principal(request)
        body = await read(request, CreateEndpointBody)
        wanted = body.wanted(caller.api_version)
        endpoint, secret = await webhooks.create(caller.workspace_id, idempotent_id(request), wanted)
        return json_answer(endpoint_with_secret(endpoint, secret), 201)

    @routes.get("/webhooks/endpoints", response_model=Page[EndpointAnswer])
    async def list_webhook_endpoints(request: Request, limit: Limit = DEFAULT_LIMIT, after: After = None) -> Response:
        """Endpoints, oldest first."""
        caller = await principal(request)
        bound_to = ["webhook endpoints", str(caller.workspace_id)]
        last = UUID(cursors.decode(after, bound_to=bound_to)["id"]) if after is not None else None
        found = await webhooks.endpoints(caller.workspace_id, last, limit + 1)
        following = cursors.encode({"id": found[limit - 1].id}, bound_to=bound_to) if len(found) > limit else None
        return json_answer(Page(data=[endpoint_answer(one) for one in found[:limit]], next=following))

    @routes.get("/webhooks/endpoints/{endpoint_id}", response_model=EndpointAnswer)
    async def read_webhook_endpoint(request: Request, endpoint_id: UUID) -> Response:
        """One endpoint."""
        caller = await principal(request)
        return json_answer(endpoint_answer(await webhooks.endpoint(caller.workspace_id, endpoint_id)))

    @routes.patch(
        "/webhooks/endpoints/{endpoint_id}", response_model=EndpointAnswer, openapi_extra=takes(ChangeEndpointBody)
    )
    async def change_webhook_endpoint(request: Request, endpoint_id: UUID) -> Response:
        """Change, pause or activate an endpoint. While it is paused nothing is sent, and nothing lost for 30 days."""
        caller = await principal(request)
        body = await read(request, ChangeEndpointBody)
        return json_answer(endpoint_answer(await webhooks.change(caller.workspace_id, endpoint_id, body.wanted())))

    @routes.delete("/webhooks/endpoints/{endpoint_id}", status_code=204)
    async def delete_webhook_endpoint(request: Request, endpoint_id: UUID) -> Response:
        """End an endpoint. What is on its way to it is given up; its log stays for 30 days."""
        caller = await principal(request)
        await webhooks.delete(caller.workspace_id, endpoint_id)
        return Response(status_code=204)


def _acts(routes: APIRouter, webhooks: Webhooks) -> None:
    @routes.post(
        "/webhooks/endpoints/{endpoint_id}/rotate",
        response_model=EndpointWithSecretAnswer,
        openapi_extra=takes(RotateSecretBody, required=False),
    )
    async def rotate_webhook_secret(request: Request, endpoint_id: UUID) -> Response:
        """Another secret, shown this once. For 24 hours, or as long as you say, both sign every delivery."""
        caller = await principal(request)
        body = await read(request, RotateSecretBody, optional=True)
        endpoint, secret = await webhooks.rotate(caller.workspace_id, endpoint_id, body.overlap())
        return json_answer(endpoint_with_secret(endpoint, secret))

    @routes.post("/webhooks/endpoints/{endpoint_id}/test", response_model=DeliveryAnswer, status_code=202)
    async def test_webhook_endpoint(request: Request, endpoint_id: UUID) -> Response:
        """Send a test message to this endpoint; what came of it stands in the delivery's log."""
        caller = await principal(request)
        delivery = await webhooks.test(caller.workspace_id, endpoint_id, idempotent_id(request))
        return json_answer(delivery_answer(delivery), 202)

    @routes.post(
        "/webhooks/endpoints/{endpoint_id}/recover",
        response_model=EndpointAnswer,
        status_code=202,
        openapi_extra=takes(RecoverBody),
    )
    async def recover_webhook_endpoint(request: Request, endpoint_id: UUID) -> Response:
        """Have everything since a time arrive: what failed, and what was never sent to this endpoint.

        What would be tried again later is tried now. What was delivered is not sent again. Events that are older than
        30 days are gone.
        """
        caller = await principal(request)
        body = await read(request, RecoverBody)
        endpoint = await webhooks.recover(caller.workspace_id, endpoint_id, body.since)
        return json_answer(endpoint_answer(endpoint), 202)


def _deliveries(routes: APIRouter, webhooks: Webhooks, cursors: Cursors) -> None:
    @routes.get("/webhooks/deliveries", response_model=Page[DeliveryAnswer])
    async def list_webhook_deliveries(
        request: Request,
        status: Annotated[DeliveryStatus | None, Query(description="Only these")] = None,
        endpoint_id: Annotated[UUID | None, Query(alias="endpointId", description="Only to this endpoint")] = None,
        event_id: Annotated[UUID | None, Query(alias="eventId", description="Only of this event")] = None,
        workflow_id: Annotated[UUID | None, Query(alias="workflowId", description="Only of this execution")] = None,
        types: Annotated[str | None, Query(description="Only of these events, separated by commas")] = None,
        since: Annotated[datetime | None, Query(description="Made at this time or later")] = None,
        until: Annotated[datetime | None, Query(description="Made before this time")] = None,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> Response:
        """The log of deliveries, newest first. It is kept for 30 days."""
        caller = await principal(request)
        names = [name.strip() for name in types.split(",")] if types else []
        filters = Filters(status, endpoint_id, event_id, workflow_id, names, _aware(since), _aware(until))
        bound_to = ["webhook deliveries", str(caller.workspace_id), repr(filters)]
        last = UUID(cursors.decode(after, bound_to=bound_to)["id"]) if after is not None else None
        found = await webhooks.deliveries(caller.workspace_id, filters, last, limit + 1)
        following = cursors.encode({"id": found[limit - 1].id}, bound_to=bound_to) if len(found) > limit else None
        return json_answer(Page(data=[delivery_answer(one) for one in found[:limit]], next=following))

    @routes.get("/webhooks/deliveries/{delivery_id}", response_model=DeliveryDetailAnswer)
    async def read_webhook_delivery(request: Request, delivery_id: UUID) -> Response:
        """A delivery with every attempt: when, how long, what was answered, what went wrong."""
        caller = await principal(request)
        return json_answer(delivery_detail(*await webhooks.delivery(caller.workspace_id, delivery_id)))

    @routes.post("/webhooks/deliveries/{delivery_id}/replay", response_model=DeliveryAnswer, status_code=202)
    async def replay_webhook_delivery(request: Request, delivery_id: UUID) -> Response:
        """Send a delivery again, whatever became of it. The event's id stays the same."""
        caller = await principal(request)
        return json_answer(delivery_answer(await webhooks.replay(caller.workspace_id, delivery_id)), 202)

    @routes.post(
        "/webhooks/deliveries/replay", response_model=ReplayedAnswer, status_code=202, openapi_extra=takes(ReplayBody)
    )
    async def replay_webhook_deliveries(request: Request) -> Response:
        """Send all deliveries since a time again that failed, or that fit other filters."""
        caller = await principal(request)
        body = await read(request, ReplayBody)
        return json_answer(ReplayedAnswer(replayed=await webhooks.replay_all(caller.workspace_id, body.filters())), 202)


def _aware(moment: datetime | None) -> datetime | None:
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)
