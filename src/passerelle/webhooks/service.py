"""Endpoints and the log of what was sent to them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from passerelle.events.models import Event, body_of
from passerelle.events.service import RETENTION, Events, expanded, known_types
from passerelle.kit.clock import Clock
from passerelle.kit.database import Database
from passerelle.kit.errors import PasserelleError
from passerelle.kit.ids import NewId
from passerelle.kit.secrets import SecretBox
from passerelle.webhooks import repository as rows
from passerelle.webhooks.addresses import Addresses, require_sendable
from passerelle.webhooks.attempts import Keys
from passerelle.webhooks.errors import (
    DELIVERY_EXPIRED,
    DELIVERY_NOT_FOUND,
    ENDPOINT_INACTIVE,
    ENDPOINT_NOT_FOUND,
    TOO_MANY_ENDPOINTS,
)
from passerelle.webhooks.models import Claimed, Delivery, DeliveryAttempt, DeliveryFilters, Endpoint, EndpointChange
from passerelle.webhooks.queue import DeliveryQueue
from passerelle.webhooks.repository import WebhookRepository
from passerelle.webhooks.signing import detached_jws, new_secret

log = structlog.get_logger("passerelle.webhooks")

MOST_ENDPOINTS: Final = 50
FAILING_LIMIT: Final = timedelta(days=5)
_BATCH: Final = 2_000


class Webhooks:
    """The feature's service."""

    def __init__(
        self,
        database: Database,
        queue: DeliveryQueue,
        events: Events,
        addresses: Addresses,
        keys: Keys,
        box: SecretBox,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._database = database
        self._repository = WebhookRepository(database)
        self._queue = queue
        self._events = events
        self._addresses = addresses
        self._keys = keys
        self._box = box
        self._clock = clock
        self._new_id = new_id

    async def create(self, workspace_id: UUID, endpoint_id: UUID, wanted: EndpointChange) -> tuple[Endpoint, str]:
        """A new endpoint and its secret. With an id that is taken, the endpoint that was made under it.

        Raises WEBHOOK_URL_REFUSED, EVENT_TYPE_UNKNOWN, WEBHOOK_HEADER_REFUSED or TOO_MANY_WEBHOOK_ENDPOINTS.
        """
        checked = await self._checked(wanted)
        made = await self._repository.find(workspace_id, endpoint_id)
        if made is None and await self._repository.count(workspace_id) >= MOST_ENDPOINTS:
            raise TOO_MANY_ENDPOINTS.error(
                f"the workspace has {MOST_ENDPOINTS} endpoints, the most that one may have: delete one that is unused"
            )
        if made is None:
            secret = self._box.encrypt(new_secret().encode())
            headers = self._sealed(wanted)
            await self._repository.create(workspace_id, endpoint_id, checked, secret, headers, self._clock())
        made = await self._repository.find(workspace_id, endpoint_id)
        if made is None:
            raise _no_endpoint(endpoint_id)
        endpoint, secret, headers = made
        return self._shown(endpoint, headers), self._box.decrypt(secret).decode()

    async def change(self, workspace_id: UUID, endpoint_id: UUID, wanted: EndpointChange) -> Endpoint:
        """Change an endpoint. `paused: false` activates a disabled one as well. Raises as `create`, or
        WEBHOOK_ENDPOINT_NOT_FOUND."""
        checked = await self._checked(wanted)
        headers = None if wanted.headers is None else self._sealed(wanted)
        if not await self._repository.change(workspace_id, endpoint_id, checked, headers, self._clock()):
            raise _no_endpoint(endpoint_id)
        return await self.endpoint(workspace_id, endpoint_id)

    async def delete(self, workspace_id: UUID, endpoint_id: UUID) -> None:
        """End an endpoint. What is on its way to it is given up. Raises WEBHOOK_ENDPOINT_NOT_FOUND."""
        if not await self._repository.delete(workspace_id, endpoint_id, self._clock()):
            raise _no_endpoint(endpoint_id)

    async def endpoint(self, workspace_id: UUID, endpoint_id: UUID) -> Endpoint:
        """One endpoint. Raises WEBHOOK_ENDPOINT_NOT_FOUND."""
        found = await self._repository.find(workspace_id, endpoint_id)
        if found is None:
            raise _no_endpoint(endpoint_id)
        return self._shown(found[0], found[2])

    async def endpoints(self, workspace_id: UUID, after: UUID | None, limit: int) -> list[Endpoint]:
        """Endpoints, oldest first."""
        return [
            self._shown(endpoint, headers)
            for endpoint, headers in await self._repository.listed(workspace_id, after, limit)
        ]

    async def rotate(self, workspace_id: UUID, endpoint_id: UUID, overlap: timedelta) -> tuple[Endpoint, str]:
        """Another secret, which signs at once; the one before signs as well for `overlap`.

        Raises WEBHOOK_ENDPOINT_NOT_FOUND.
        """
        secret, now = new_secret(), self._clock()
        sealed = self._box.encrypt(secret.encode())
        if not await self._repository.rotate(workspace_id, endpoint_id, sealed, now + overlap, now):
            raise _no_endpoint(endpoint_id)
        return await self.endpoint(workspace_id, endpoint_id), secret

    async def test(self, workspace_id: UUID, endpoint_id: UUID, delivery_id: UUID) -> Delivery:
        """Send a test message to one endpoint. Raises WEBHOOK_ENDPOINT_NOT_FOUND or WEBHOOK_ENDPOINT_INACTIVE."""
        await self._require_active(workspace_id, endpoint_id)
        event = self._event(workspace_id, "webhook.test", {"endpointId": str(endpoint_id)})
        await self._repository.send_one(workspace_id, endpoint_id, delivery_id, event, self._clock())
        return (await self.delivery(workspace_id, delivery_id))[0]

    async def recover(self, workspace_id: UUID, endpoint_id: UUID, since: datetime) -> Endpoint:
        """Have everything since then arrive: what failed is sent again, what was never sent is sent.

        Raises WEBHOOK_ENDPOINT_NOT_FOUND or WEBHOOK_ENDPOINT_INACTIVE.
        """
        endpoint = await self._require_active(workspace_id, endpoint_id)
        position = await self._events.since(workspace_id, since)
        await self._repository.recover(workspace_id, endpoint_id, position, since, self._clock())
        return endpoint

    async def delivery(self, workspace_id: UUID, delivery_id: UUID) -> tuple[Delivery, list[DeliveryAttempt]]:
        """A delivery and its attempts. Raises WEBHOOK_DELIVERY_NOT_FOUND."""
        found = await self._repository.delivery(workspace_id, delivery_id)
        if found is None:
            raise _no_delivery(delivery_id)
        return found

    async def deliveries(
        self, workspace_id: UUID, filters: DeliveryFilters, before: UUID | None, limit: int
    ) -> list[Delivery]:
        """Deliveries, newest first. Raises EVENT_TYPE_UNKNOWN."""
        return await self._repository.deliveries(workspace_id, _expanded(filters), before, limit)

    async def replay(self, workspace_id: UUID, delivery_id: UUID) -> Delivery:
        """Send a delivery again, whatever became of it. Raises WEBHOOK_DELIVERY_NOT_FOUND, WEBHOOK_DELIVERY_EXPIRED or
        WEBHOOK_ENDPOINT_INACTIVE."""
        delivery, _ = await self.delivery(workspace_id, delivery_id)
        await self._require_active(workspace_id, delivery.endpoint_id)
        if not await self._repository.replay_one(workspace_id, delivery_id, self._clock()):
            raise DELIVERY_EXPIRED.error(
                f"the event of this delivery was deleted, for it is older than {RETENTION.days} days: "
                "it cannot be sent again"
            )
        return (await self.delivery(workspace_id, delivery_id))[0]

    async def replay_all(self, workspace_id: UUID, filters: DeliveryFilters) -> int:
        """Send all deliveries again that the filters leave; FAILED ones are those as well that would be tried again
        later. Returns how many. Raises EVENT_TYPE_UNKNOWN."""
        return await self._repository.replay(workspace_id, _expanded(filters), self._clock())

    async def signatures(self, workspace_id: UUID, events: Sequence[Event], api_version: int) -> list[str]:
        """What `JWS-SIGNATURE` says of each of these events of the workspace."""
        key = await self._keys.of_workspace(workspace_id)
        bodies = [body_of(event, api_version) for event in events]
        # One costs a millisecond of computing.
        return await asyncio.to_thread(lambda: [detached_jws(body, key) for body in bodies])

    async def gone(self, claimed: Claimed) -> None:
        """An endpoint answered 410: nobody listens there any more."""
        found = await self._repository.find(claimed.event.workspace_id, claimed.endpoint_id)
        if found is not None and found[0].url == claimed.url:
            await self._disable(claimed.event.workspace_id, found[0], "it answered 410 (Gone)")

    async def sweep(self) -> int:
        """Disable the endpoints at which nothing has succeeded for five days. Returns how many."""
        limit = self._clock() - FAILING_LIMIT
        failing = await self._queue.failing_since(limit)
        for workspace_id, endpoint_id in failing:
            found = await self._repository.find(workspace_id, endpoint_id)
            if found is not None:
                why = f"no delivery has succeeded for {FAILING_LIMIT.days} days"
                await self._disable(workspace_id, found[0], why, limit)
        return len(failing)

    async def forget_old(self) -> int:
        """Delete what is older than its retention, of every workspace. Returns how many deliveries."""
        total = 0
        async with self._database.shared() as connection:
            while gone := await rows.forget(connection, self._clock() - RETENTION, _BATCH):
                total += gone
        return total

    async def _disable(
        self, workspace_id: UUID, seen: Endpoint, why: str, failing_until: datetime | None = None
    ) -> None:
        data = {"endpointId": str(seen.id), "url": seen.url, "reason": why}
        event = self._event(workspace_id, "webhook.endpoint_disabled", data)
        if await self._repository.disable(workspace_id, seen, why, event, self._clock(), failing_until):
            log.error("webhook.endpoint_disabled", workspace=str(workspace_id), endpoint=str(seen.id), reason=why)

    async def _checked(self, wanted: EndpointChange) -> EndpointChange:
        if wanted.url is not None:
            await self._addresses.require_usable(wanted.url)
        require_sendable(wanted.headers or {})
        events = None if wanted.events is None else known_types(wanted.events, "/events")
        return replace(wanted, events=events)

    async def _require_active(self, workspace_id: UUID, endpoint_id: UUID) -> Endpoint:
        endpoint = await self.endpoint(workspace_id, endpoint_id)
        if endpoint.status != "ACTIVE":
            why = f" ({endpoint.disabled_why})" if endpoint.disabled_why else ""
            raise ENDPOINT_INACTIVE.error(
                f"the endpoint is {endpoint.status}{why}: activate it with "
                f'PATCH /webhooks/endpoints/{endpoint_id} {{"paused": false}}'
            )
        return endpoint

    def _event(self, workspace_id: UUID, kind: str, data: dict[str, str]) -> Event:
        return Event(workspace_id, self._new_id(), kind, data, self._clock())

    def _sealed(self, wanted: EndpointChange) -> bytes:
        return self._box.encrypt(json.dumps(dict(wanted.headers or {})).encode())

    def _shown(self, endpoint: Endpoint, headers: bytes) -> Endpoint:
        names: Sequence[str] = list(json.loads(self._box.decrypt(headers)))
        until = endpoint.old_secret_until
        return replace(
            endpoint, header_names=names, old_secret_until=until if until and until > self._clock() else None
        )


def _expanded(filters: DeliveryFilters) -> DeliveryFilters:
    return replace(filters, types=expanded(known_types(filters.types)))


def _no_endpoint(endpoint_id: UUID) -> PasserelleError:
    return ENDPOINT_NOT_FOUND.error(
        f"this workspace has no endpoint {endpoint_id}: GET /webhooks/endpoints lists those that it has"
    )


def _no_delivery(delivery_id: UUID) -> PasserelleError:
    return DELIVERY_NOT_FOUND.error(
        f"this workspace has no delivery {delivery_id}: GET /webhooks/deliveries lists those that it has"
    )
