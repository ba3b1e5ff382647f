"""Bodies and answers of the review endpoints."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import Field

from passerelle.definitions.model import Text
from passerelle.kit.http.answers import Answer
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import Body
from passerelle.reviews.repository import OpenReview
from passerelle.reviews.service import may_decide


class DecisionBody(Body):
    """A decision."""

    outcome: str = Field(description="One of the review's outcomes.", examples=["approve"])
    comment: str | None = Field(default=None, max_length=4000, description="Why; kept with the decision.")


class ReviewAnswer(Answer):
    """A review that waits for a decision."""

    workflow_id: UUID
    workflow_definition_id: UUID
    name: str = Field(description="The definition's name.")
    step: str = Field(description="The step as the timeline names it; decide it under this name.")
    title: Any = Field(description="What is to be decided: a text, or one for each language.")
    outcomes: list[str]
    assign_to: str | None = Field(description="The role or the person that decides; null: every key may.")
    four_eyes: bool
    votes: list[dict[str, Any]] = Field(description="Under four eyes, the votes so far: `{outcome, comment, by, at}`.")
    requested_at: str
    until: str | None = Field(description="When it is too late.")
    may_decide: bool = Field(description="Whether the credentials of this request may decide it.")


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
        may_decide=may_decide(principal, facts["assignTo"]),
    )
