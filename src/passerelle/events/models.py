"""What the feature works with, and how an event looks outside."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from passerelle.kit.clock import iso
from passerelle.kit.json import JsonObject

NOTHING: Final = UUID(int=0)


@dataclass(frozen=True, slots=True, order=True)
class EventPosition:
    """A place in a workspace's events: the transaction that wrote one, then the event's id."""

    transaction: int = 0
    event_id: UUID = NOTHING


@dataclass(frozen=True, slots=True)
class Event:
    """Something that has happened."""

    workspace_id: UUID
    id: UUID
    type: str
    data: JsonObject
    created_at: datetime
    position: EventPosition = EventPosition()
    execution_id: UUID | None = None
    """The execution that it concerns: its events are delivered in their order."""


def payload(event: Event, api_version: int) -> dict[str, Any]:
    """An event as others see it.

    Version 1 knows records as cases: there `caseId` stands beside `recordId` with the same value.
    """
    data = dict(event.data)
    if api_version == 1 and "recordId" in data:
        data.setdefault("caseId", data["recordId"])
    elif api_version > 1:
        data.pop("caseId", None)
    return {
        "id": str(event.id),
        "type": event.type,
        "createdDate": iso(event.created_at),
        "workspaceId": str(event.workspace_id),
        "data": data,
    }


def body_of(event: Event, api_version: int) -> bytes:
    """The bytes that a delivery sends: the same ones each time, and ASCII only, so that nothing on the way that
    decodes and encodes text again can change them."""
    return json.dumps(payload(event, api_version), ensure_ascii=True, separators=(",", ":")).encode("ascii")
