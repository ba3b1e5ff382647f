"""Whether publishing needs a second person, and what that changes for pushing and publishing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

from passerelle.kit.database import Connection
from passerelle.kit.errors import Code
from passerelle.kit.http.authentication import Principal

PUBLISHED_MEANWHILE: Final = Code(
    "PUBLISHED_MEANWHILE", 409, "Another revision is published by now than the one that this was to replace."
)
PUBLISHING_NEEDS_ANOTHER: Final = Code(
    "PUBLISHING_NEEDS_ANOTHER",
    409,
    "Here publishing needs a second person: propose the revision (`POST /definitions/{id}/proposals`), and let "
    "somebody else approve it.",
)

Approval = Callable[[Connection], Awaitable[str | None]]
"""Closes a proposal in the transaction that publishes it; the name of who approved it. Raises where it must not be."""


@dataclass(frozen=True, slots=True)
class PublishingRule:
    """`second_person`: whether publishing needs one. `own`: what the workspace says itself; None: nothing."""

    second_person: bool
    own: bool | None = None


class Proposing(Protocol):
    """What makes proposals (`passerelle.publishing.service`)."""

    async def rule(self, workspace_id: UUID) -> PublishingRule:
        """What holds in a workspace."""

    async def propose_pushed(self, by: Principal, definition_id: UUID, number: int) -> UUID:
        """Propose what was just pushed; the proposal's id."""


async def rule_of(connection: Connection, workspace_id: UUID, default: bool, *, lock: bool = False) -> PublishingRule:
    """What holds in a workspace; with `lock` until the transaction ends. `default`: what the installation says."""
    query = "SELECT second_person FROM publishing_rule WHERE workspace_id = $1"
    own: bool | None = await connection.fetchval(query + (" FOR SHARE" if lock else ""), workspace_id)
    return PublishingRule(default if own is None else own, own)
