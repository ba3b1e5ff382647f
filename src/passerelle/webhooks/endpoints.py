"""Webhooks over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query

from passerelle.events.catalogue import AUDIT
from passerelle.events.service import expanded
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import JsonBody
from passerelle.kit.http.bounds import AnyTime
from passerelle.kit.http.idempotency import IdempotentId
from passerelle.kit.http.pages import DEFAULT_LIMIT, After, Cursors, Limit, Page
from passerelle.kit.http.permissions import Requires, require
from passerelle.webhooks.models import DeliveryFilters, DeliveryStatus
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

EndpointId = Annotated[UUID, Path(description="The endpoint's id")]
READS_AUDIT: Final = "can_view_audit"
DeliveryId = Annotated[UUID, Path(description="The delivery's id")]


def router(webhooks: Webhooks, cursors: Cursors) -> APIRouter:
    """Everything under `/webhooks`."""
    routes = APIRouter(tags=["Webhooks"], route_class=ApiRoute)
    _endpoints(routes, webhooks, cursors)
    _acts(routes, webhooks)
    _deliveries(routes, webhooks, cursors)
    return routes


def _endpoints(routes: APIRouter, webhooks: Webhooks, cursors: Cursors) -> None:
    @routes.post("/webhooks/endpoints", status_code=201)
    async def create_webhook_endpoint(
        caller: Annotated[Principal, Requires("can_manage_webhooks")],
        body: JsonBody[CreateEndpointBody],
        new_id: IdempotentId,
    ) -> EndpointWithSecretAnswer:
        """Have events sent to a URL. The secret in the answer is shown this once."""
        wanted = body.wanted(caller.api_version)
        _require_audit(caller, wanted.events or ())
        endpoint, secret = await webhooks.create(caller.workspace_id, new_id, wanted)
        return endpoint_with_secret(endpoint, secret)

    @routes.get("/webhooks/endpoints")
    async def list_webhook_endpoints(
        caller: Annotated[Principal, Requires("can_view_webhooks")], limit: Limit = DEFAULT_LIMIT, after: After = None
    ) -> Page[EndpointAnswer]:
        """Endpoints, oldest first."""
        bound_to = ["webhook endpoints", str(caller.workspace_id)]
        last = cursors.id_of(after, bound_to)
        found = await webhooks.endpoints(caller.workspace_id, last, limit + 1)
        shown, following = cursors.cut(found, limit, bound_to, lambda one: {"id": one.id})
        return Page[EndpointAnswer](data=[endpoint_answer(one) for one in shown], next=following)

    @routes.get("/webhooks/endpoints/{endpoint_id}")
    async def read_webhook_endpoint(
        caller: Annotated[Principal, Requires("can_view_webhooks")], endpoint_id: EndpointId
    ) -> EndpointAnswer:
        """One endpoint."""
        return endpoint_answer(await webhooks.endpoint(caller.workspace_id, endpoint_id))

    @routes.patch("/webhooks/endpoints/{endpoint_id}")
    async def change_webhook_endpoint(
        caller: Annotated[Principal, Requires("can_manage_webhooks")],
        endpoint_id: EndpointId,
        body: JsonBody[ChangeEndpointBody],
    ) -> EndpointAnswer:
        """Change, pause or activate an endpoint. While it is paused nothing is sent, and nothing lost for 30 days."""
        wanted = body.wanted()
        if not caller.may(READS_AUDIT):
            present = await webhooks.endpoint(caller.workspace_id, endpoint_id)
            _require_audit(caller, [*present.events, *(wanted.events or ())])
        return endpoint_answer(await webhooks.change(caller.workspace_id, endpoint_id, wanted))

    @routes.delete("/webhooks/endpoints/{endpoint_id}", status_code=204)
    async def delete_webhook_endpoint(
        caller: Annotated[Principal, Requires("can_manage_webhooks")], endpoint_id: EndpointId
    ) -> None:
        """End an endpoint. What is on its way to it is given up; its log stays for 30 days."""
        await webhooks.delete(caller.workspace_id, endpoint_id)


def _require_audit(caller: Principal, names: Sequence[str]) -> None:
    """Whoever has the audit sent somewhere must be allowed to read it."""
    if AUDIT in expanded(names):
        require(caller, READS_AUDIT)


def _acts(routes: APIRouter, webhooks: Webhooks) -> None:
    @routes.post("/webhooks/endpoints/{endpoint_id}/rotate")
    async def rotate_webhook_secret(
        caller: Annotated[Principal, Requires("can_manage_webhooks")],
        endpoint_id: EndpointId,
        body: JsonBody[RotateSecretBody | None] = None,
    ) -> EndpointWithSecretAnswer:
        """Another secret, shown this once. For 24 hours, or as long as you say, both sign every delivery."""
        endpoint, secret = await webhooks.rotate(
            caller.workspace_id, endpoint_id, (body or RotateSecretBody()).overlap()
        )
        return endpoint_with_secret(endpoint, secret)

    @routes.post("/webhooks/endpoints/{endpoint_id}/test", status_code=202)
    async def test_webhook_endpoint(
        caller: Annotated[Principal, Requires("can_manage_webhooks")], endpoint_id: EndpointId, new_id: IdempotentId
    ) -> DeliveryAnswer:
        """Send a test message to this endpoint; what came of it stands in the delivery's log."""
        delivery = await webhooks.test(caller.workspace_id, endpoint_id, new_id)
        return delivery_answer(delivery)

    @routes.post("/webhooks/endpoints/{endpoint_id}/recover", status_code=202)
    async def recover_webhook_endpoint(
        caller: Annotated[Principal, Requires("can_manage_webhooks")],
        endpoint_id: EndpointId,
        body: JsonBody[RecoverBody],
    ) -> EndpointAnswer:
        """Have everything since a time arrive: what failed, and what was never sent to this endpoint.

        What would be tried again later is tried now. What was delivered is not sent again. Events that are older than
        30 days are gone.
        """
        endpoint = await webhooks.recover(caller.workspace_id, endpoint_id, body.since)
        return endpoint_answer(endpoint)


def _deliveries(routes: APIRouter, webhooks: Webhooks, cursors: Cursors) -> None:
    @routes.get("/webhooks/deliveries")
    async def list_webhook_deliveries(
        caller: Annotated[Principal, Requires("can_view_webhooks")],
        status: Annotated[DeliveryStatus | None, Query(description="Only these")] = None,
        endpoint_id: Annotated[UUID | None, Query(alias="endpointId", description="Only to this endpoint")] = None,
        event_id: Annotated[UUID | None, Query(alias="eventId", description="Only of this event")] = None,
        workflow_id: Annotated[UUID | None, Query(alias="workflowId", description="Only of this execution")] = None,
        types: Annotated[str | None, Query(description="Only of these events, separated by commas")] = None,
        since: Annotated[AnyTime | None, Query(description="Made at this time or later")] = None,
        until: Annotated[AnyTime | None, Query(description="Made before this time")] = None,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> Page[DeliveryAnswer]:
        """The log of deliveries, newest first. It is kept for 30 days."""
        names = [name.strip() for name in types.split(",")] if types else []
        filters = DeliveryFilters(status, endpoint_id, event_id, workflow_id, names, since, until)
        bound_to = ["webhook deliveries", str(caller.workspace_id), repr(filters)]
        last = cursors.id_of(after, bound_to)
        found = await webhooks.deliveries(caller.workspace_id, filters, last, limit + 1)
        shown, following = cursors.cut(found, limit, bound_to, lambda one: {"id": one.id})
        return Page[DeliveryAnswer](data=[delivery_answer(one) for one in shown], next=following)

    @routes.get("/webhooks/deliveries/{delivery_id}")
    async def read_webhook_delivery(
        caller: Annotated[Principal, Requires("can_view_webhooks")], delivery_id: DeliveryId
    ) -> DeliveryDetailAnswer:
        """A delivery with every attempt: when, how long, what was answered, what went wrong."""
        return delivery_detail(*await webhooks.delivery(caller.workspace_id, delivery_id))

    @routes.post("/webhooks/deliveries/{delivery_id}/replay", status_code=202)
    async def replay_webhook_delivery(
        caller: Annotated[Principal, Requires("can_manage_webhooks")], delivery_id: DeliveryId
    ) -> DeliveryAnswer:
        """Send a delivery again, whatever became of it. The event's id stays the same."""
        return delivery_answer(await webhooks.replay(caller.workspace_id, delivery_id))

    @routes.post("/webhooks/deliveries/replay", status_code=202)
    async def replay_webhook_deliveries(
        caller: Annotated[Principal, Requires("can_manage_webhooks")], body: JsonBody[ReplayBody]
    ) -> ReplayedAnswer:
        """Send all deliveries since a time again that failed, or that fit other filters."""
        return ReplayedAnswer(replayed=await webhooks.replay_all(caller.workspace_id, body.filters()))
