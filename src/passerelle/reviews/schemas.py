"""Bodies and answers of the review endpoints."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import Field

from passerelle.definitions.model import Text
from passerelle.kit.http.answers import Answer, Moment
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import Body
from passerelle.links.credentials import masked
from passerelle.links.models import MadeLink
from passerelle.reviews.repository import OpenReview
from passerelle.reviews.service import may_decide


class DecisionBody(Body):
    """A decision."""

    outcome: str = Field(description="One of the review's outcomes.", examples=["approve"])
    comment: str | None = Field(default=None, max_length=4000, description="Why; kept with the decision.")


class ReviewedChange(Answer):
    """A change of the record that a decision is about, made after the decision was asked for."""

    at: Moment
    """When it was made."""
    by: str
    """Who made it."""
    fields: list[str]
    """The names of the fields that were changed."""


class AssignmentBody(Body):
    """Who has a review from now on."""

    user_id: UUID | None = Field(description="The user who has it then; null: nobody. `GET /people` lists them.")
    instead_of: UUID | None = Field(
        default=None, description="The user who has it so far; without it, it is taken only where nobody has it."
    )


class AskBody(Body):
    """What the end user is asked again."""

    step: str = Field(description="The step, which the end user has done before.", examples=["details"])
    note: str = Field(
        min_length=1, max_length=2000, description="What the end user is told, on the page and by e-mail."
    )
    email: str | None = Field(
        default=None, max_length=320, description="Where the link goes; without it, where it went before."
    )
    send: bool = Field(default=True, description="Whether the link is sent by e-mail.")
    rerun: bool = Field(
        default=True,
        description="Whether the steps between run again before the review comes back; false: it comes back at once.",
    )


class AskedAnswer(Answer):
    """The end user is asked again. `link` is shown this once."""

    link: str
    """Where the end user goes; shown this once."""
    link_id: UUID
    """The link's id."""
    expires_at: Moment
    """When the link ends."""
    sent_to: str | None = Field(description="Where the link was sent, masked; null where it was not.")


class TakenBy(Answer):
    """Who has taken a review."""

    id: UUID
    """The user's id."""
    name: str
    """The user's name."""
    at: str
    """When."""


class ReviewAnswer(Answer):
    """A review that waits for a decision."""

    workflow_id: UUID
    """The execution that waits."""
    workflow_definition_id: UUID
    """The definition that it runs."""
    name: str = Field(description="The definition's name.")
    step: str = Field(description="The step as the timeline names it; decide it under this name.")
    title: Any = Field(description="What is to be decided: a text, or one for each language.")
    outcomes: list[str]
    """What can be decided."""
    assign_to: str | None = Field(description="The role or the person that decides; null: every key may.")
    four_eyes: bool
    """Whether two have to decide the same."""
    votes: list[dict[str, Any]] = Field(description="Under four eyes, the votes so far: `{outcome, comment, by, at}`.")
    requested_at: str
    """When the decision was asked for."""
    until: str | None = Field(description="When it is too late.")
    changes: list[ReviewedChange]
    """What was changed of the execution's record since the decision was asked for, the newest first, 20 at most."""
    taken_by: TakenBy | None = Field(description="Who has taken it, so that nobody else decides it; null: nobody.")
    may_decide: bool = Field(description="Whether the credentials of this request may decide it.")


class ReviewCountAnswer(Answer):
    """How many reviews wait for a decision."""

    count: int
    """How many there are."""
    at_most: int = Field(description="Nothing is counted further: so many means that there may be more.")


def review_answer(review: OpenReview, principal: Principal) -> ReviewAnswer:
    """A review as the API shows it."""
    facts = review.facts
    title: Text = facts["title"]
    return ReviewAnswer(
        workflow_id=review.execution_id,
        workflow_definition_id=review.definition_id,
        name=review.name,
        step=review.path,
        title=title,
        outcomes=facts["outcomes"],
        assign_to=facts["assignTo"],
        four_eyes=facts["fourEyes"],
        votes=facts["votes"],
        requested_at=facts["requestedAt"],
        until=facts.get("until"),
        taken_by=TakenBy(**facts["takenBy"]) if facts.get("takenBy") else None,
        changes=[ReviewedChange.model_validate(change) for change in review.changes],
        may_decide=may_decide(principal, facts["assignTo"]) and not (facts["fourEyes"] and principal.kind == "key"),
    )


def asked_answer(made: MadeLink) -> AskedAnswer:
    """A link that was sent again."""
    return AskedAnswer(
        link=made.url,
        link_id=made.id,
        expires_at=made.expires_at,
        sent_to=masked(made.email) if made.email is not None else None,
    )
