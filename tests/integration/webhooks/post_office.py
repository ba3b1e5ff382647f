"""Webhooks on a real database, with a receiver that the test writes and a clock that it moves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from passerelle.accounts.service import Accounts
from passerelle.events.appending import append_event
from passerelle.events.models import Event
from passerelle.events.repository import EventRepository
from passerelle.events.service import Events
from passerelle.kit.clock import MovedClock
from passerelle.kit.database import Database
from passerelle.kit.ids import new_id
from passerelle.kit.json import loads
from passerelle.kit.memory import Memory
from passerelle.kit.outgoing import OutgoingAnswer, OutgoingUnreachable
from passerelle.kit.outgoing.rules import EgressRules
from passerelle.kit.secrets import SecretBox
from passerelle.records.repository import RecordRepository
from passerelle.records.service import Records
from passerelle.records.shown import ShownFields
from passerelle.tables.service import Tables
from passerelle.webhooks.addresses import Addresses
from passerelle.webhooks.attempts import DeliverySender
from passerelle.webhooks.dispatcher import Dispatcher
from passerelle.webhooks.models import Delivery, DeliveryAttempt, DeliveryFilters, Endpoint, EndpointChange
from passerelle.webhooks.queue import DeliveryQueue
from passerelle.webhooks.service import Webhooks

OK = OutgoingAnswer(200, {"content-type": "text/plain"}, b"thanks")
PUBLIC = "93.184.216.34"


@dataclass(frozen=True)
class Received:
    """One request that reached a receiver."""

    url: str
    headers: Mapping[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        return loads(self.content)


@dataclass
class Receivers:
    """Every receiver: `answer` says what each request gets; an exception is the network's."""

    answer: Callable[[Received], OutgoingAnswer] = lambda _: OK
    requests: list[Received] = field(default_factory=list)

    async def request_status(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes | None,
        timeout_seconds: float,
        max_bytes: int,
    ) -> OutgoingAnswer:
        received = Received(url, {name.lower(): value for name, value in headers.items()}, content or b"")
        self.requests.append(received)
        return self.answer(received)

    def types(self, url: str = "") -> list[str]:
        return [request.body["type"] for request in self.requests if request.url.startswith(url)]


def refuse(_: Received) -> OutgoingAnswer:
    raise OutgoingUnreachable("https://hooks.example could not be reached: Connection refused.")


def always(status: int, **headers: str) -> Callable[[Received], OutgoingAnswer]:
    answer = OutgoingAnswer(status, {name.replace("_", "-"): value for name, value in headers.items()}, b"no")
    return lambda _: answer


async def resolve(host: str, port: int) -> list[str]:
    if host.endswith(".internal"):
        return ["10.0.0.7"]
    if host.endswith(".invalid"):
        raise OSError("not found")
    return [PUBLIC]


class PostOffice:
    """Everything that webhooks need, for one workspace."""

    def __init__(self, database: Database, workspace_id: UUID, box: SecretBox, allow: str = "") -> None:
        self.database = database
        self.workspace_id = workspace_id
        self.clock = MovedClock()
        self.receivers = Receivers()
        self.accounts = Accounts(database, box, self.clock, Memory(lambda: self.clock().timestamp()))
        self.queue = DeliveryQueue(database, new_id)
        addresses = Addresses(EgressRules.parse(allow), resolve)
        self.events = Events(EventRepository(database), self.clock)
        self.webhooks = Webhooks(
            database, self.queue, self.events, addresses, self.accounts.signing_keys, box, self.clock, new_id
        )
        self.tables = Tables(database, self.clock, new_id)
        self.records = Records(database, self.tables, RecordRepository(new_id), self.clock, new_id)
        self.shown_fields = ShownFields(database, self.tables)
        self.attempts = DeliverySender(self.receivers, self.accounts.signing_keys, self.shown_fields, box, self.clock)
        self.courier = self.another_courier()

    def another_courier(self) -> Dispatcher:
        return Dispatcher(self.queue, self.attempts, self.webhooks.gone, self.clock)

    async def endpoint(self, url: str = "https://hooks.example/a", **change: Any) -> Endpoint:
        change.setdefault("api_version", 2)
        return (await self.webhooks.create(self.workspace_id, new_id(), EndpointChange(url=url, **change)))[0]

    async def happen(self, kind: str = "workflow.completed", execution_id: UUID | None = None, **data: Any) -> Event:
        """Something happens, in a transaction of its own."""
        event = Event(self.workspace_id, new_id(), kind, data, self.clock())
        async with self.database.transaction(self.workspace_id) as connection:
            await append_event(connection, event)
            await connection.execute("UPDATE event SET execution_id = $2 WHERE id = $1", event.id, execution_id)
        return event

    async def deliver(self, courier: Dispatcher | None = None) -> None:
        """Everything that is due now, and what falls due by it."""
        courier = courier or self.courier
        while await courier.turn():
            await courier.settle()

    async def pass_time(self, by: timedelta, step: timedelta) -> None:
        """Let time pass in steps, delivering what falls due."""
        for _ in range(by // step):
            self.clock.move(step)
            await self.deliver()

    async def deliveries(self, **filters: Any) -> list[Delivery]:
        return await self.webhooks.deliveries(self.workspace_id, DeliveryFilters(**filters), None, 500)

    async def log(self) -> list[DeliveryAttempt]:
        """The attempts of the only delivery."""
        (delivery,) = await self.deliveries()
        return (await self.webhooks.delivery(self.workspace_id, delivery.id))[1]

    async def shown(self, endpoint: Endpoint) -> Endpoint:
        return await self.webhooks.endpoint(self.workspace_id, endpoint.id)
