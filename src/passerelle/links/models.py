"""What the feature works with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from passerelle.definitions.model import StartTexts, Text
from passerelle.engine.model import OPEN, Status
from passerelle.kit.json import JsonObject

VisitKind = Literal["link", "code", "token", "handover"]
"""What the browser had when the execution was bound to it: a link, a code that was sent to an address, a token, or a
handover from another device."""


class LinkState(StrEnum):
    """What somebody who opens a link is shown."""

    FRESH = "FRESH"
    """It can be activated."""
    SPENT = "SPENT"
    """It was activated; the execution is bound to that browser."""
    EXPIRED = "EXPIRED"
    SUPERSEDED = "SUPERSEDED"
    """A newer link for the same definition and record took its place."""
    DELETED = "DELETED"
    CANCELLED = "CANCELLED"
    FINISHED = "FINISHED"
    """The execution is over: completed or failed."""
    UNKNOWN = "UNKNOWN"


LIVE = frozenset({LinkState.FRESH, LinkState.SPENT})
"""The states in which a link still leads somewhere."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link with what its execution says about it."""

    workspace_id: UUID
    id: UUID
    execution_id: UUID
    definition_id: UUID
    record_id: UUID | None
    email: str | None
    locale: str | None
    status: Status
    created_at: datetime
    expires_at: datetime
    opened_at: datetime | None = None
    activated_at: datetime | None = None
    superseded_at: datetime | None = None
    deleted_at: datetime | None = None
    revision_id: UUID | None = None
    """Of the execution; None for a link that is just being made."""

    def state(self, now: datetime) -> LinkState:
        """Where it stands. What its execution came to says more than that a newer link exists."""
        if self.deleted_at is not None:
            return LinkState.DELETED
        if self.superseded_at is not None and self.activated_at is None and self.status is Status.CANCELLED:
            # Nobody had begun it: it ended with its link, or was cancelled before, and the newer one is what helps.
            return LinkState.SUPERSEDED
        if self.status not in OPEN:
            return _OF_ENDED[self.status]
        if self.superseded_at is not None:
            return LinkState.SUPERSEDED
        if self.expires_at <= now:
            return LinkState.EXPIRED
        return LinkState.FRESH if self.activated_at is None else LinkState.SPENT

    def event_data(self) -> JsonObject:
        """The data of its events."""
        return {
            "linkId": str(self.id),
            "workflowId": str(self.execution_id),
            "workflowDefinitionId": str(self.definition_id),
            "recordId": str(self.record_id) if self.record_id is not None else None,
        }


_OF_ENDED = {
    Status.COMPLETED: LinkState.FINISHED,
    Status.FAILED: LinkState.FINISHED,
    Status.CANCELLED: LinkState.CANCELLED,
    Status.EXPIRED: LinkState.EXPIRED,
}


@dataclass(frozen=True, slots=True)
class LinkView:
    """What the page at a link needs. Of an unknown link there is nothing but its state."""

    state: LinkState
    workspace_id: UUID | None = None
    execution_id: UUID | None = None
    link_id: UUID | None = None
    title: Text | None = None
    """The definition's title: a text, or one by language."""
    start: StartTexts | None = None
    """What the page says before anything is asked."""
    languages: tuple[str, ...] = ()
    """The languages of the definition's texts; none where no text says one."""
    locale: str | None = None
    """The language that was chosen for the execution, if one was."""
    masked_email: str | None = None
    """Where a code would go, such as `a•••@example.com`; None where no address is known or none would be sent."""


@dataclass(frozen=True, slots=True)
class EndUserSession:
    """A browser that an execution is bound to. `secret` is what it keeps: a cookie, or the frame's own credential."""

    secret: str = field(repr=False)
    workspace_id: UUID
    execution_id: UUID
    expires_at: datetime
    kind: VisitKind
    step: str | None = None
    """The only step that it is for, where it was lent one."""
    step_visit: int | None = None


@dataclass(frozen=True, slots=True)
class LinkRequest:
    """What a caller wants a link or a token for."""

    id: UUID
    """Of the execution; the same each time the request is sent with the same key."""
    definition_id: UUID
    parameters: JsonObject | None = None
    parameters_id: UUID | None = None
    record_id: UUID | None = None
    locale: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Renewal:
    """What becomes of an execution's link when it is sent again, or made good for another while.

    email   where it goes from now on; None: where it went before
    send    whether it is sent; otherwise somebody passes it on
    until   it is good until then, at least
    anew    whether one that was not used yet is replaced, too: whoever has it is to be let in no more
    """

    email: str | None = None
    send: bool = True
    until: datetime | None = None
    anew: bool = False


@dataclass(frozen=True, slots=True)
class MadeLink:
    """A new link. `url` is shown this once."""

    id: UUID
    execution_id: UUID
    expires_at: datetime
    url: str = field(repr=False)
    email: str | None = None
    """Where it was sent to, if it was."""


@dataclass(frozen=True, slots=True)
class MadeToken:
    """A new token. `token` is shown this once."""

    execution_id: UUID
    expires_at: datetime
    token: str = field(repr=False)
