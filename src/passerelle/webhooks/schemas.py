"""Bodies and answers of the webhook endpoints."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from passerelle.kit.http.answers import Answer, Moment
from passerelle.kit.http.bodies import Body
from passerelle.kit.http.bounds import Time
from passerelle.kit.mail.addresses import MailAddress
from passerelle.webhooks.models import (
    NOBODY,
    Delivery,
    DeliveryAttempt,
    DeliveryFilters,
    DeliveryStatus,
    Endpoint,
    EndpointChange,
    EndpointStatus,
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
    MailAddress.parse(text)
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
    """Where events are sent to."""
    events: _Events | None = None
    """The events to send, or their groups; all without."""
    description: Annotated[str, Field(max_length=500)] | None = None
    """What it is for."""
    api_version: _Version | None = None
    """The version that deliveries have."""
    headers: _Headers | None = None
    """Headers to send along, such as a token of yours."""
    paused: bool | None = None
    """Whether nothing is sent for now."""
    contact: _Contact | None = None
    """Who is told by e-mail when it fails."""
    fields: _Fields | None = None
    """Fields of the record that an event concerns, sent along as `data.fields`."""
    pii_classes: _Pii | None = None
    """Personal data of these classes is sent as it is."""

    def wanted(self, api_version: int) -> EndpointChange:
        """What the service makes of it."""
        return EndpointChange(
            self.url, self.description, self.events, self.api_version or api_version, self.headers, self.paused,
            self.contact, self.fields, self.pii_classes,
        )  # fmt: skip


class ChangeEndpointBody(Body):
    """What becomes of an endpoint. What is left out stays as it is."""

    url: _Url | None = None
    """Where events are sent to."""
    events: _Events | None = None
    """The events to send, or their groups."""
    description: Annotated[str, Field(max_length=500)] | None = None
    """What it is for."""
    api_version: _Version | None = None
    """The version that deliveries have."""
    headers: _Headers | None = None
    """Headers to send along; null takes one away."""
    paused: Annotated[bool | None, Field(description="`false` also activates an endpoint that was disabled.")] = None
    contact: Annotated[_Contact | None, Field(description="`null`: nobody hears of it any more.")] = None
    fields: _Fields | None = None
    """Fields of the record that an event concerns, sent along as `data.fields`."""
    pii_classes: _Pii | None = None
    """Personal data of these classes is sent as it is."""

    def wanted(self) -> EndpointChange:
        """What the service makes of it."""
        contact = NOBODY if "contact" in self.model_fields_set and self.contact is None else self.contact
        return EndpointChange(
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

    since: Time
    """Everything from this time on."""


class ReplayBody(Body):
    """Which deliveries to send again: those that fit all of this."""

    status: Annotated[
        DeliveryStatus,
        Field(description="FAILED stands for all whose last attempt failed: what would be tried again later as well."),
    ] = "FAILED"
    since: Time
    """Deliveries from this time on."""
    until: Time | None = None
    """Deliveries until this time; now without."""
    endpoint_id: UUID | None = None
    """Only those to this endpoint."""
    events: _Events | None = None
    """Only those of these events, or their groups."""

    def filters(self) -> DeliveryFilters:
        """What the service makes of it."""
        return DeliveryFilters(
            self.status, self.endpoint_id, types=self.events or (), since=self.since, until=self.until
        )


class EndpointAnswer(Answer):
    """Where events are sent to."""

    id: UUID
    """The endpoint's id."""
    url: str
    """Where events are sent to."""
    events: list[str] = Field(description="Empty stands for all.")
    description: str
    """What it is for."""
    api_version: int
    """The version that deliveries have."""
    headers: list[str] = Field(description="The names of the headers that every delivery carries besides.")
    contact: str | None = Field(description="Who hears by e-mail that it was disabled.")
    fields: list[str] = Field(description="Fields of the record that deliveries carry.")
    pii_classes: list[str] = Field(description="Classes of personal data whose fields may be sent.")
    status: EndpointStatus
    """Whether events are sent."""
    failing_since: Moment | None = Field(description="The first of the failed attempts since the last success.")
    disabled_reason: str | None
    """Why it was disabled; null where it was not."""
    previous_secret_until: Moment | None = Field(
        description="Until then the secret before the last rotation signs too."
    )
    created_date: Moment
    """When it was made."""
    updated_date: Moment
    """When it last changed."""


class EndpointWithSecretAnswer(EndpointAnswer):
    """An endpoint with its secret, which is shown this once."""

    secret: str = Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
    """What checks the signatures; shown this once."""


class DeliveryAnswer(Answer):
    """One event on its way to one endpoint."""

    id: UUID
    """The delivery's id."""
    endpoint_id: UUID
    """The endpoint that it goes to."""
    event_id: UUID
    """The event that it tells."""
    event_type: str
    """The event's type."""
    workflow_id: UUID | None
    """The execution that the event is about; null where it is about none."""
    status: DeliveryStatus
    """Where it stands."""
    attempts: int
    """How often it was tried."""
    next_attempt_date: Moment | None = Field(
        description="Null where nothing is to be sent, and while the endpoint is paused or disabled."
    )
    created_date: Moment
    """When it was made."""
    delivered_date: Moment | None
    """When it arrived; null until then."""


class AttemptAnswer(Answer):
    """One try and what came of it."""

    number: int
    """The attempt, from 1."""
    started_date: Moment
    """When it began."""
    duration_ms: int
    """How long it took, in milliseconds."""
    response_status: int | None
    """The status that was answered; null where nothing was."""
    response_headers: dict[str, str] | None
    """The headers that were answered; null where nothing was."""
    response_body: str | None = Field(description="Its first 4,096 bytes.")
    error: str | None
    """What went wrong; null where nothing did."""


class DeliveryDetailAnswer(DeliveryAnswer):
    """A delivery with all its attempts."""

    log: list[AttemptAnswer]
    """Every attempt."""


class ReplayedAnswer(Answer):
    """How many deliveries are sent again."""

    replayed: int
    """How many deliveries are sent again."""


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


def delivery_detail(delivery: Delivery, attempts: list[DeliveryAttempt]) -> DeliveryDetailAnswer:
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


def _attempt(attempt: DeliveryAttempt) -> dict[str, object]:
    return {
        "number": attempt.number,
        "started_date": attempt.started_at,
        "duration_ms": attempt.duration_ms,
        "response_status": attempt.response_status,
        "response_headers": None if attempt.response_headers is None else dict(attempt.response_headers),
        "response_body": attempt.response_body,
        "error": attempt.error,
    }
