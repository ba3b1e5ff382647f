"""Every event that others may hear: when it happens, what its data holds, an example.

The OpenAPI document, the guide and the check of an endpoint's filter are made from this one list. Data holds ids and
states, never what a person typed. Fields may be added: receivers ignore those that they do not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from passerelle.kit.json import JsonObject

_ID: Final = "0198c2f4-8f5e-7c3a-9d1b-2a6f4e5d7c80"
_WORKSPACE: Final = "0198c2f4-0000-7c3a-9d1b-2a6f4e5d7c80"


@dataclass(frozen=True, slots=True)
class EventType:
    """A kind of event. `fields` are those of its data, with a JSON Schema and an example each."""

    name: str
    when: str
    fields: Mapping[str, tuple[JsonObject, Any]]

    def schema(self) -> JsonObject:
        """The JSON Schema of the whole body."""
        data = {
            "type": "object",
            "properties": {name: schema for name, (schema, _) in self.fields.items()},
            "required": [name for name, (schema, _) in self.fields.items() if "null" not in schema["type"]],
        }
        return {
            "type": "object",
            "description": self.when,
            "properties": {
                "id": {"type": "string", "format": "uuid", "description": "Names the event, however often it comes."},
                "type": {"type": "string", "const": self.name},
                "createdDate": {"type": "string", "format": "date-time"},
                "workspaceId": {"type": "string", "format": "uuid"},
                "data": data,
            },
            "required": ["id", "type", "createdDate", "workspaceId", "data"],
        }

    def example(self) -> JsonObject:
        """A whole body."""
        return {
            "id": _ID,
            "type": self.name,
            "createdDate": "2026-01-05T09:00:00.000Z",
            "workspaceId": _WORKSPACE,
            "data": {name: example for name, (_, example) in self.fields.items()},
        }


def _id(description: str, example: str | None = _ID, *, optional: bool = False) -> tuple[JsonObject, Any]:
    kind: Any = ["string", "null"] if optional else "string"
    return {"type": kind, "format": "uuid", "description": description}, example


def _text(description: str, example: str | None, *, optional: bool = False) -> tuple[JsonObject, Any]:
    kind: Any = ["string", "null"] if optional else "string"
    return {"type": kind, "description": description}, example


_EXECUTION: Final = {
    "workflowId": _id("The execution."),
    "workflowDefinitionId": _id("Its definition."),
}


_CASE: Final = {"caseId": _id("The same as `recordId`, for endpoints and keys of API version 1 only.", optional=True)}

_FIELDS: Final = {
    "fields": (
        {
            "type": ["object", "null"],
            "description": "Fields of the record as they are when this is sent. Only for endpoints that name `fields`; "
            "those with a class of personal data only where `piiClasses` names it.",
        },
        None,
    )
}


def _workflow(name: str, when: str, status: str) -> EventType:
    fields = {
        **_EXECUTION,
        "name": _text("The definition's name.", "company-onboarding"),
        "status": _text("The execution's status after the event.", status),
        "recordId": _id("The record, or your own reference.", optional=True),
        **_CASE,
        **_FIELDS,
    }
    return EventType(f"workflow.{name}", when, fields)


def _link(name: str, when: str) -> EventType:
    fields = {
        "linkId": _id("The link."),
        **_EXECUTION,
        "recordId": _id("The record, or your own reference.", optional=True),
        **_CASE,
    }
    return EventType(f"link.{name}", when, fields)


def _record(name: str, when: str, more: Mapping[str, tuple[JsonObject, Any]] | None = None) -> EventType:
    fields = {
        "tableId": _id("The table."),
        "table": _text("The table's name.", "companies"),
        "recordId": _id("The record."),
        **_CASE,
        "version": ({"type": "integer", "description": "The record's version after the event."}, 3),
        "workflowId": _id("The execution that did it, if one did.", None, optional=True),
        "changed": (
            {"type": "array", "items": {"type": "string"}, "description": "Names of the fields that have changed."},
            ["status"],
        ),
        **_FIELDS,
    }
    return EventType(f"record.{name}", when, {**fields, **(more or {})})


def _review(name: str, when: str, outcome: str | None) -> EventType:
    fields = {
        **_EXECUTION,
        "step": _text("The step that asks for the review, as the timeline names it.", "owners[0].decide"),
        "assignTo": _text("The role or the person that decides.", "compliance", optional=True),
        "takenBy": _id("The user who has taken it.", None, optional=True),
        "outcome": _text("What was decided.", outcome, optional=True),
    }
    return EventType(f"review.{name}", when, fields)


def _email(name: str, when: str, error: str | None) -> EventType:
    fields = {
        "emailId": _id("The message."),
        "workflowId": _id("The execution that it belongs to, if it does.", optional=True),
        "linkId": _id("The link that it carries, if it does.", None, optional=True),
        "error": _text("Why it was not sent.", error, optional=True),
    }
    return EventType(f"email.{name}", when, fields)


def _proposal(name: str, when: str, status: str) -> EventType:
    fields = {
        "proposalId": _id("The proposal."),
        "workflowDefinitionId": _EXECUTION["workflowDefinitionId"],
        "name": _text("The definition's name.", "company-onboarding"),
        "revision": ({"type": "integer", "description": "The revision that is to be published."}, 7),
        "sha256": _text("The hash of its text.", "9f2c…"),
        "status": _text("How the proposal stands after the event.", status),
        "byId": _id("The user or the key that did it."),
    }
    return EventType(f"proposal.{name}", when, fields)


def _draft(name: str, when: str) -> EventType:
    fields = {
        "draftId": _id("The draft."),
        "version": ({"type": "integer", "description": "The draft's version after the event."}, 7),
        "byId": _id("The user or the key that did it."),
    }
    return EventType(f"draft.{name}", when, fields)


AUDIT: Final = "audit.written"
"""The event of which nobody hears who did not ask for it by name. Webhooks get those of drafts in the same way."""

_TYPES: Final = (
    _workflow("started", "An execution was started.", "RUNNING"),
    _workflow("awaiting", "The end user is done, or there is none; the execution waits.", "AWAITING"),
    _workflow("completed", "An execution is done and its result can be read.", "COMPLETED"),
    _workflow("failed", "A step failed and its retries are spent.", "FAILED"),
    _workflow("expired", "The end user did not finish in time.", "EXPIRED"),
    _workflow("cancelled", "An execution was cancelled.", "CANCELLED"),
    _workflow("status_changed", "An execution has another status; comes after the event that names it.", "COMPLETED"),
    _link("created", "A link was made."),
    _link("sent", "A link was sent by e-mail."),
    _link("opened", "Somebody looked at a link."),
    _link("activated", "The end user started, which spends the link."),
    _link("superseded", "A newer link took the place of this one."),
    _link("expired", "A link ran out before it was used."),
    _record("created", "A record was made."),
    _record("updated", "A record was changed."),
    _record("deleted", "A record was deleted."),
    _record(
        "merged",
        "Another record was merged into this one.",
        {"mergedRecordId": _id("The other record. Its id answers with this one from now on.")},
    ),
    _review("requested", "An execution waits for a decision.", None),
    _review("reminded", "An execution still waits for a decision.", None),
    _review("voted", "Under four eyes somebody decided; another person has to decide the same.", None),
    _review("assigned", "Somebody took a review, was given it, or gave it back.", None),
    _review("returned", "The end user was asked again; the review comes back once they have answered.", None),
    _review("decided", "Somebody decided.", "approve"),
    _proposal("created", "Somebody proposes to publish a revision; a second person has to approve it.", "open"),
    _proposal("approved", "A second person approved, and the revision is published.", "approved"),
    _proposal("declined", "Somebody declined to publish the revision.", "declined"),
    _proposal("withdrawn", "Whoever proposed it took it back.", "withdrawn"),
    _draft("opened", "Somebody opened a shared draft of a definition."),
    _draft("closed", "Somebody closed a shared draft of a definition."),
    _draft("saved", "Somebody saved a shared draft that others have open; while nobody else has, none comes."),
    _email("sent", "A message was handed to the mail server.", None),
    _email("failed", "A message could not be sent.", "550 no such mailbox"),
    EventType(
        AUDIT,
        "Somebody did something, or was refused: an entry of the audit, sealed. Comes only at endpoints that name it "
        "or `audit.*`; making one needs `can_view_audit`.",
        {
            "id": _id("The entry."),
            "at": _text("When it was.", "2026-01-05T09:00:00.000Z"),
            "action": _text("What was done: an `operationId`, `signIn` or `signOut`.", "revokeKey"),
            "outcome": _text("`done`, `refused` or `failed`.", "done"),
            "number": ({"type": "integer", "description": "The entry's place in the chain."}, 42),
            "hash": _text("The hash over the entry before it and this one; `GET /audit` has all fields.", "9f2c…"),
        },
    ),
    EventType(
        "webhook.endpoint_disabled",
        "An endpoint gets no more deliveries until you activate it again. Comes at your other endpoints.",
        {
            "endpointId": _id("The endpoint."),
            "url": _text("Where it leads.", "https://example.com/hooks"),
            "reason": _text("Why it was disabled.", "no delivery has succeeded for 5 days"),
        },
    ),
    EventType(
        "webhook.test",
        "You asked for a test message. Comes only at the endpoint that you asked for.",
        {"endpointId": _id("The endpoint.")},
    ),
)

CATALOGUE: Final[Mapping[str, EventType]] = {kind.name: kind for kind in _TYPES}
"""Every event by its name."""

GROUPS: Final = tuple(sorted({f"{name.partition('.')[0]}.*" for name in CATALOGUE}))
"""What an endpoint's filter may name besides: all events that begin so, those of later releases too."""


def openapi_webhooks() -> JsonObject:
    """The catalogue as `webhooks` of an OpenAPI 3.1 document."""
    return {
        kind.name: {
            "post": {
                "summary": kind.name,
                "description": kind.when,
                "tags": ["Events"],
                "security": [],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": kind.schema(), "example": kind.example()}},
                },
                "responses": {"2XX": {"description": "Received. Anything else, or nothing within 10 s, is retried."}},
            }
        }
        for kind in _TYPES
    }
