"""Bodies and answers of the feature's endpoints."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import Field

from passerelle.kit.http.answers import Answer, Moment
from passerelle.kit.http.bodies import Body
from passerelle.v1.deprecations.models import Counted, Policy

ModeName = Literal["on", "warn", "brownout", "off"]


class ModeBody(Body):
    """How version 1 is to be treated in this workspace. What is null, or left out, follows the installation."""

    mode: ModeName | None = None
    """How requests to version 1 are treated; null for what the installation says."""
    brownouts: str | None = Field(
        default=None,
        max_length=2_000,
        description="The times at which version 1 is refused in the mode `brownout`",
        examples=["tue 09:00-10:00, 2026-12-01T09:00Z/2026-12-01T12:00Z"],
    )


class BrownoutAnswer(Answer):
    """A time at which version 1 is refused."""

    begins: Moment
    """When version 1 begins to be refused."""
    ends: Moment
    """When it answers again."""


class ModeAnswer(Answer):
    """How version 1 is treated in this workspace."""

    mode: ModeName
    """How requests to version 1 are treated."""
    installation: ModeName = Field(description="The mode of workspaces that have none of their own")
    own: bool = Field(description="Whether the mode was set for this workspace")
    brownouts: str
    """When they are refused under `brownout`, as a timetable."""
    next_brownout: BrownoutAnswer | None = Field(description="In the mode `brownout`: the present one, else the next")
    guide: str = Field(description="What to do")


class UseAnswer(Answer):
    """How often a key used a version of an endpoint that is going away, on one day (UTC)."""

    key_id: UUID
    """The key that was used."""
    key: str = Field(description="The key's name")
    endpoint: str = Field(examples=["POST /workflows/run"])
    """Method and path."""
    version: int
    """The version that answered."""
    day: str = Field(examples=["2026-01-05"])
    """The day, in UTC."""
    uses: int
    """How many requests there were on that day."""
    refused: int = Field(description="Those of them that were refused because version 1 was off")
    last_used: Moment
    """When the last one came."""
    user_agent: str | None = Field(description="Of the last use")


def use_answer(counted: Counted) -> UseAnswer:
    """One line of the list."""
    place, tally = counted.place, counted.tally
    return UseAnswer.made_from(
        tally,
        key_id=place.key_id,
        key=tally.key_name,
        endpoint=place.endpoint,
        version=place.version,
        day=place.day.isoformat(),
    )


def mode_answer(policy: Policy, brownout: BrownoutAnswer | None, guide: str) -> ModeAnswer:
    """A workspace's mode as the API shows it."""
    return ModeAnswer(
        mode=policy.mode.value,
        installation=policy.default.value,
        own=policy.own,
        brownouts=policy.brownouts,
        next_brownout=brownout,
        guide=guide,
    )
