"""What may happen to an execution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from passerelle.engine.model import Received, Status
from passerelle.kit.json import Json, JsonObject, KnownJson


@dataclass(frozen=True, slots=True)
class Started:
    """It begins."""


@dataclass(frozen=True, slots=True)
class Called:
    """An outside call came back, or work on records is done, with an output or with a failure."""

    lane: str
    step: str
    visit: int
    attempt: int
    started_at: datetime
    input: KnownJson = None
    output: KnownJson = None
    failure: Exception | None = None
    """A `StepFailure` or an `ExpressionError`."""
    bound: UUID | None = None
    """The record that the step made, which is the execution's own from now on."""
    sealed: Mapping[str, str] = field(default_factory=dict)
    """Headers of the answer that only later calls may read, encrypted, by their names."""


@dataclass(frozen=True, slots=True)
class TakenOver:
    """Another process goes on with it: of the calls under way nobody will ever know what came of them."""


@dataclass(frozen=True, slots=True)
class Elapsed:
    """Time has passed: whatever is due is due."""


@dataclass(frozen=True, slots=True)
class EventCame:
    """Somebody sent an event; it lies in the inbox."""

    event: Received


@dataclass(frozen=True, slots=True)
class Answered:
    """Somebody answered a waiting step. What the answer is, the step's kind knows."""

    lane: str
    step: str
    visit: int
    attempt: int
    answer: Any


@dataclass(frozen=True, slots=True)
class Submitted:
    """The end user is done with a step. What an answer is, the step's kind knows."""

    step: str
    visit: int
    answer: Json = None
    evidence: JsonObject | None = None
    """What was read and by whom, as far as that was proved; a consent keeps it."""
    language: str | None = None
    """The language that the step's texts were read in, as the definition names it."""


@dataclass(frozen=True, slots=True)
class WentBack:
    """The end user wants to see the step before the one that is named here."""

    step: str
    visit: int


@dataclass(frozen=True, slots=True)
class AskedAgain:
    """Somebody who reviews wants the end user to do a step once more; `step`, `visit` and `attempt` name the review.

    target  the step that the end user is asked
    told    what they are told: `{step, note, by, at}`
    until   the end user has time until then, at least
    rerun   whether the steps between run again afterwards; otherwise the review follows at once
    """

    step: str
    visit: int
    attempt: int
    target: str
    told: JsonObject
    until: datetime
    rerun: bool = True


@dataclass(frozen=True, slots=True)
class ChildBegan:
    """The execution that a step starts is there, and not over."""

    child: UUID


@dataclass(frozen=True, slots=True)
class ChildEnded:
    """The execution that a step started is over, or has failed."""

    child: UUID
    status: Status
    result: KnownJson = None
    error: JsonObject | None = None


@dataclass(frozen=True, slots=True)
class Cancelled:
    """An operator or the API ends it; `code` says why to programs, where it is something else than their will."""

    reason: str | None = None
    code: str = "CANCELLED"


@dataclass(frozen=True, slots=True)
class Retried:
    """Go on from where it failed, or from an earlier step of the root lane; on another revision, if one is named."""

    revision_id: UUID
    step: str | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """It stands on another revision now (`passerelle.engine.moving`); nothing has run."""


Signal = (
    Started
    | Called
    | TakenOver
    | Elapsed
    | EventCame
    | Answered
    | Submitted
    | WentBack
    | AskedAgain
    | ChildBegan
    | ChildEnded
    | Cancelled
    | Retried
    | Moved
)
