"""Bodies and answers of the webhook endpoints."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field

from passerelle.kit.http.answers import Answer, Moment
from passerelle.kit.http.bodies import Body
from passerelle.kit.mail.addresses import Address
from passerelle.webhooks.models import (
    NOBODY,
    Attempt,
    Change,
    Delivery,
    DeliveryStatus,
    Endpoint,
    EndpointStatus,
    Filters,
)

_Url = Annotated[str, Field(max_length=2_000, examples=["https://example.com/hooks/passerelle"])]
_Events = Annotated[
    list[str],
    Field(
        max_length=100,
        examples=[["workflow.completed", "link.*"]],
        description="Names of events and groups; without it, or empty, all events.",
    ),
]
_Headers = Annotated[
    dict[str, str], Field(description="Headers that every delivery carries besides. Their values are never shown.")
]
_Version = Annotated[
    Literal[1, 2],
    Field(description="How payloads look: 1 has `caseId` besides `recordId`. Default: your key's version."),
]


def _address(text: str) -> str:
    Address.parse(text)
    return text


_Contact = Annotated[
    str,
    Field(max_length=320, examples=["it@example.com"], description="Who hears by e-mail that it was disabled."),
    AfterValidator(_address),
]
_Fields = Annotated[
    list[str],
    Field(
        max_length=50,
        examples=[["status", "companyNumber"]],
        description="Fields of the record that an event concerns, as they are when it is sent: `data.fields`.",
    ),
]
_Pii = Annotated[
    list[str],
    Field(
        max_length=50,
        examples=[["contact"]],
        description="Classes of personal data whose fields may be sent. Without it, fields with a class never are.",
    ),
]


class CreateEndpointBody(Body):
    """A new endpoint."""

    url: _Url
    events: _Events | None = None
    description: Annotated[str, Field(max_length=500)] | None = None
    api_version: _Version | None = None
    headers: _Headers | None = None
    paused: bool | None = None
    contact: _Contact | None = None
    fields: _Fields | None = None
    pii_classes: _Pii | None = None

    def wanted(self, api_version: int) -> Change:
        """What the service makes of it."""
        return Change(
            self.url, self.description, self.events, self.api_version or api_version, self.headers, self.paused,
            self.contact, self.fields, self.pii_classes,
        )  # fmt: skip


class ChangeEndpointBody(Body):
    """What becomes of an endpoint. What is left out stays as it is."""

    url: _Url | None = None
    events: _Events | None = None
    description: Annotated[str, Field(max_length=500)] | None = None
    api_version: _Version | None = None
    headers: _Headers | None = None
    paused: Annotated[bool, Field(description="`false` also activates an endpoint that was disabled.")] | None = None
    contact: Annotated[_Contact | None, Field(description="`null`: nobody hears of it any more.")] = None
    fields: _Fields | None = None
    pii_classes: _Pii | None = None

    def wanted(self) -> Change:
        """What the service makes of it."""
        contact = NOBODY if "contact" in self.model_fields_set and self.contact is None else self.contact
        return Change(
            self.url, self.description, self.events, self.api_version, self.headers, self.paused,
            contact, self.fields, self.pii_classes,
        )  # fmt: skip


class RotateSecretBody(Body):
    """How long the secret before signs as well."""

    overlap_hours: Annotated[int, Field(ge=0, le=24 * 30, description="0 ends it at once.")] = 24

    def overlap(self) -> timedelta:
        """As a length of time."""
        return timedelta(hours=self.overlap_hours)


class RecoverBody(Body):
    """From when on everything is to arrive."""

    since: AwareDatetime


class ReplayBody(Body):
    """Which deliveries to send again: those that fit all of this."""

    status: Annotated[
        DeliveryStatus,
        Field(description="FAILED stands for all whose last attempt failed: what would be tried again later as well."),
    ] = "FAILED"
    since: AwareDatetime
    until: AwareDatetime | None = None
    endpoint_id: UUID | None = None
    events: _Events | None = None

    def filters(self) -> Filters:
        """What the service makes of it."""
        return Filters(self.status, self.endpoint_id, types=self.events or (), since=self.since, until=self.until)


class EndpointAnswer(Answer):
    """Where events are sent to."""

    id: UUID
    url: str
    events: list[str] = Field(description="Empty stands for all.")
    description: str
    api_version: int
    headers: list[str] = Field(description="The names of the headers that every delivery carries besides.")
    contact: str | None = Field(description="Who hears by e-mail that it was disabled.")
    fields: list[str] = Field(description="Fields of the record that deliveries carry.")
    pii_classes: list[str] = Field(description="Classes of personal data whose fields may be sent.")
    status: EndpointStatus
    failing_since: Moment | None = Field(description="The first of the failed attempts since the last success.")
    disabled_reason: str | None
    previous_secret_until: Moment | None = Field(
        description="Until then the secret before the last rotation signs too."
    )
    created_date: Moment
    updated_date: Moment


class EndpointWithSecretAnswer(EndpointAnswer):
    """An endpoint with its secret, which is shown this once."""

    secret: str = Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])


class DeliveryAnswer(Answer):
    """One event on its way to one endpoint."""

    id: UUID
    endpoint_id: UUID
    event_id: UUID
    event_type: str
    workflow_id: UUID | None
    status: DeliveryStatus
    attempts: int
    next_attempt_date: Moment | None = Field(
        description="Null where nothing is to be sent, and while the endpoint is paused or disabled."
    )
    created_date: Moment
    delivered_date: Moment | None


class AttemptAnswer(Answer):
    """One try and what came of it."""

    number: int
    started_date: Moment
    duration_ms: int
    response_status: int | None
    response_headers: dict[str, str] | None
    response_body: str | None = Field(description="Its first 4,096 bytes.")
    error: str | None


class DeliveryDetailAnswer(DeliveryAnswer):
    """A delivery with all its attempts."""

    log: list[AttemptAnswer]


class ReplayedAnswer(Answer):
    """How many deliveries are sent again."""

    replayed: int


def endpoint_answer(endpoint: Endpoint) -> EndpointAnswer:
    """An endpoint as the API shows it."""
    return EndpointAnswer.model_validate(_endpoint(endpoint))


def endpoint_with_secret(endpoint: Endpoint, secret: str) -> EndpointWithSecretAnswer:
    """An endpoint whose secret was just made."""
    return EndpointWithSecretAnswer.model_validate({**_endpoint(endpoint), "secret": secret})


def _endpoint(endpoint: Endpoint) -> dict[str, object]:
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "events": list(endpoint.events),
        "description": endpoint.description,
        "api_version": endpoint.api_version,
        "headers": list(endpoint.header_names),
        "contact": endpoint.contact,
        "fields": list(endpoint.fields),
        "pii_classes": list(endpoint.pii),
        "status": endpoint.status,
        "failing_since": endpoint.failing_since,
        "disabled_reason": endpoint.disabled_why,
        "previous_secret_until": endpoint.old_secret_until,
        "created_date": endpoint.created_at,
        "updated_date": endpoint.updated_at,
    }


def delivery_answer(delivery: Delivery) -> DeliveryAnswer:
    """A delivery as lists show it."""
    return DeliveryAnswer.model_validate(_delivery(delivery))


def delivery_detail(delivery: Delivery, attempts: list[Attempt]) -> DeliveryDetailAnswer:
    """A delivery with its attempts."""
    return DeliveryDetailAnswer.model_validate(
        {**_delivery(delivery), "log": [_attempt(attempt) for attempt in attempts]}
    )


def _delivery(delivery: Delivery) -> dict[str, object]:
    return {
        "id": delivery.id,
        "endpoint_id": delivery.endpoint_id,
        "event_id": delivery.event_id,
        "event_type": delivery.event_type,
        "workflow_id": delivery.execution_id,
        "status": delivery.status,
        "attempts": delivery.attempts,
        "next_attempt_date": delivery.next_attempt_at,
        "created_date": delivery.created_at,
        "delivered_date": delivery.delivered_at,
    }


def _attempt(attempt: Attempt) -> dict[str, object]:
    return {
        "number": attempt.number,
        "started_date": attempt.started_at,
        "duration_ms": attempt.duration_ms,
        "response_status": attempt.response_status,
        "response_headers": None if attempt.response_headers is None else dict(attempt.response_headers),
        "response_body": attempt.response_body,
        "error": attempt.error,
    }
