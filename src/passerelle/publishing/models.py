"""What the feature works with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

ProposalStatus = Literal["open", "stale", "approved", "declined", "withdrawn", "replaced"]


@dataclass(frozen=True, slots=True)
class Proposal:
    """Somebody wants a revision published.

    sha256           of the revision's text: what is approved is what was proposed
    status           `stale`: it is open, but another revision was pushed or published since
    published        the revision that was published when it was proposed, by number; None: none was
    proposer_person  the user who counts on this side; None: a key of which nobody knows who made it
    """

    id: UUID
    definition_id: UUID
    name: str
    revision: int
    sha256: str
    status: ProposalStatus
    published: int | None
    note: str | None
    proposed_at: datetime
    proposed_by: str
    proposer_id: UUID
    proposer_person: UUID | None
    decided_at: datetime | None
    decided_by: str | None
    comment: str | None


@dataclass(frozen=True, slots=True)
class NewProposal:
    """What a proposal is made from."""

    id: UUID
    definition_id: UUID
    revision: int
    note: str | None
    by: str
    by_id: UUID
    person: UUID | None
    at: datetime
