"""Bodies and answers of this feature."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import Field

from passerelle.definitions.revisions.rule import PublishingRule
from passerelle.kit.http.answers import Answer, Moment
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import Body
from passerelle.kit.http.bounds import Number32
from passerelle.publishing.models import Proposal
from passerelle.publishing.service import is_own, may_decide

Status = Literal["open", "stale", "approved", "declined", "withdrawn", "replaced"]
LONGEST = 500


class PublishingBody(Body):
    """Whether publishing needs a second person."""

    second_person: bool | None = Field(description="null: as the installation says")


class PublishingAnswer(Answer):
    """Whether publishing needs a second person in the workspace."""

    second_person: bool
    """Whether it does."""
    own: bool | None
    """What the workspace says itself; null: nothing, so that the installation's setting counts."""


class ProposalBody(Body):
    """A revision that should be published."""

    revision: Number32
    """The revision, an older one too."""
    note: str | None = Field(default=None, max_length=LONGEST, description="Why; stands beside the revision later.")


class ProposalDecisionBody(Body):
    """A decision on a proposal."""

    comment: str | None = Field(default=None, max_length=LONGEST, description="Why.")


class ProposalAnswer(Answer):
    """A revision that somebody wants published."""

    id: UUID
    """The proposal's id."""
    definition_id: UUID
    """The definition."""
    name: str
    """The definition's name."""
    revision: int
    """The revision that is to be published."""
    sha256: str
    """The SHA-256 of the revision's text (UTF-8), in hexadecimal digits: exactly this is published."""
    status: Status
    """`stale`: open, but another revision was pushed or published since. `replaced`: by another proposal."""
    published: int | None
    """The revision that was published when this was proposed, to compare with; null: none was."""
    note: str | None
    """What was said when it was proposed."""
    proposed_at: Moment
    """When it was proposed."""
    proposed_by: str
    """Who proposed it: a person's or a key's name."""
    decided_at: Moment | None
    """When it was approved, declined, withdrawn or replaced."""
    decided_by: str | None
    """Who did that."""
    comment: str | None
    """What was said then."""
    may_decide: bool
    """Whether the caller may approve or decline it: who may publish, and is another person than who proposed it."""
    may_withdraw: bool
    """Whether the caller may withdraw it."""


def publishing_answer(rule: PublishingRule) -> PublishingAnswer:
    """A rule as the API shows it."""
    return PublishingAnswer(second_person=rule.second_person, own=rule.own)


def proposal_answer(proposal: Proposal, caller: Principal) -> ProposalAnswer:
    """A proposal as its caller sees it."""
    return ProposalAnswer.made_from(
        proposal, may_decide=may_decide(caller, proposal), may_withdraw=is_own(caller, proposal)
    )
