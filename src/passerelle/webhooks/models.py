"""What the feature works with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from passerelle.events.models import Event

EndpointStatus = Literal["ACTIVE", "PAUSED", "DISABLED"]
DeliveryStatus = Literal["PENDING", "DELIVERED", "FAILED"]
NOBODY: Final = ""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a workspace wants its events to be sent. An empty `events` stands for all.

    `contact` is who hears by e-mail that it was disabled. `fields` are those of the record that deliveries carry;
    one with a `pii` class only where `pii` names it.
    """

    id: UUID
    url: str
    description: str
    events: Sequence[str]
    api_version: int
    header_names: Sequence[str]
    contact: str | None
    fields: Sequence[str]
    pii: Sequence[str]
    status: EndpointStatus
    failing_since: datetime | None
    disabled_why: str | None
    old_secret_until: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class EndpointChange:
    """What becomes of an endpoint; None leaves a field as it is, `NOBODY` takes the contact away."""

    url: str | None = None
    description: str | None = None
    events: Sequence[str] | None = None
    api_version: int | None = None
    headers: Mapping[str, str] | None = None
    paused: bool | None = None
    contact: str | None = None
    fields: Sequence[str] | None = None
    pii: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one endpoint."""

    id: UUID
    endpoint_id: UUID
    event_id: UUID
    event_type: str
    execution_id: UUID | None
    status: DeliveryStatus
    attempts: int
    next_attempt_at: datetime | None
    """None where nothing is on its way, or the endpoint gets nothing now."""
    created_at: datetime
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeliveryAttempt:
    """One try of a delivery, and what came of it."""

    number: int
    started_at: datetime
    duration_ms: int
    response_status: int | None
    response_headers: Mapping[str, str] | None
    response_body: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class DeliveryFilters:
    """What a list of deliveries is narrowed by, and what a replay is about."""

    status: DeliveryStatus | None = None
    endpoint_id: UUID | None = None
    event_id: UUID | None = None
    execution_id: UUID | None = None
    types: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this process has taken. Secrets and headers are still encrypted."""

    id: UUID
    endpoint_id: UUID
    claim: UUID
    tries: int
    url: str
    api_version: int
    secrets: Sequence[bytes]
    headers: bytes
    fields: Sequence[str]
    pii: Sequence[str]
    event: Event


@dataclass(frozen=True, slots=True)
class AttemptOutcome:
    """What came of one attempt at a claimed delivery."""

    claimed: Claimed
    started_at: datetime
    duration: timedelta
    delivered: bool
    next_attempt_at: datetime | None
    gone: bool = False
    status: int | None = None
    headers: Mapping[str, str] | None = None
    body: str | None = None
    error: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As `record_attempts` reads it."""
        return {
            "workspace_id": str(self.claimed.event.workspace_id),
            "id": str(self.claimed.id),
            "endpoint_id": str(self.claimed.endpoint_id),
            "claim": str(self.claimed.claim),
            "delivered": self.delivered,
            "next_attempt_at": self.next_attempt_at,
            "started_at": self.started_at,
            "duration_ms": round(self.duration.total_seconds() * 1000),
            "response_status": self.status,
            "response_headers": self.headers,
            "response_body": self.body,
            "error": self.error,
        }
