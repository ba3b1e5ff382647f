"""Where a lane is, and what it waits for there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from passerelle.definitions.model import Definition
from passerelle.engine.kinds import OutsideKind, WaitingKind
from passerelle.engine.lanes import ROOT, path_of
from passerelle.kit.clock import iso
from passerelle.kit.json import JsonObject, KnownJson


class Phase(StrEnum):
    """What a lane does at its step."""

    READY = "ready"
    """The step has not begun; the engine stopped only to commit."""
    CALLING = "calling"
    """The outside is to be called, or records are to be worked on."""
    RETRYING = "retrying"
    """The next attempt is due at `due`."""
    WAITING = "waiting"
    """It rests for a time, an event or a person."""
    BRANCHING = "branching"
    """It waits for the lanes of its inner steps."""
    FAILED = "failed"
    """The step failed for good; a retry goes on from here."""


@dataclass(frozen=True, slots=True)
class LanePosition:
    """Where a lane is. `step` is None once every step is through and only the result is left."""

    step: str | None
    phase: Phase = Phase.READY
    visit: int = 0
    attempt: int = 1
    tries: int = 1
    """Attempts since the step began or was retried by hand; the budget of `retry` counts these."""
    since: datetime | None = None
    until: datetime | None = None
    """When the wait is over."""
    limit: datetime | None = None
    """When the step's `timeout` is over."""
    due: datetime | None = None
    """When the next attempt is made."""
    remind: datetime | None = None
    """When those that it waits for are reminded."""
    event: str | None = None
    note: KnownJson = None
    """What the step's kind keeps while it rests."""
    opened: int = 0
    """How many of its lanes a branching step has opened."""
    failure: JsonObject | None = None
    """Why one of its lanes failed, while the others are waited for."""
    child: UUID | None = None
    """The execution that the step has started, or is about to start."""
    revive: bool = False
    """Whether the child, which has failed, is to be retried."""
    unsent: bool = False
    """Whether nobody has begun its call: it was written for whoever takes the job."""
    lost: int = 0
    """How often a process went away during this call, so that nobody knows what came of it."""
    known_as: str | None = None
    """The path under which its call is known outside, where the step has been renamed since the first attempt."""

    @property
    def wakes(self) -> datetime | None:
        """The next moment at which something happens by itself."""
        return _first(self.ends, self.remind)

    @property
    def ends(self) -> datetime | None:
        """When it rests no longer, whatever happens."""
        return _first(self.until, self.limit, self.due)

    def to_json(self) -> JsonObject:
        """Only what differs from the defaults: most positions are two words."""
        facts: dict[str, Any] = {"step": self.step, "phase": self.phase.value, "visit": self.visit}
        facts |= {name: value for name in ("attempt", "tries") if (value := getattr(self, name)) != 1}
        for name in _TIMES:
            if (moment := getattr(self, name)) is not None:
                facts[name] = moment.isoformat()
        names = ("event", "note", "opened", "failure", "revive", "unsent", "lost", "known_as")
        facts |= {name: value for name in names if (value := getattr(self, name))}
        if self.child is not None:
            facts["child"] = str(self.child)
        return facts

    @classmethod
    def from_json(cls, facts: JsonObject) -> LanePosition:
        """The reverse of `to_json`."""
        times = {name: datetime.fromisoformat(facts[name]) for name in _TIMES if name in facts}
        child = {"child": UUID(facts["child"])} if "child" in facts else {}
        return cls(**{**facts, "phase": Phase(facts["phase"]), **times, **child})


_TIMES: Final = ("since", "until", "limit", "due", "remind")


def _first(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)


def calls_out(position: LanePosition, definition: Definition) -> bool:
    """Whether a call of the lane is under way."""
    step = definition.by_id.get(str(position.step))
    return position.phase is Phase.CALLING and step is not None and isinstance(step.kind, OutsideKind)


def waiting_for(lane: str, position: LanePosition, definition: Definition) -> JsonObject:
    step = definition.by_id[str(position.step)]
    facts: dict[str, Any] = {"step": step.id, "kind": step.kind.name}
    if lane != ROOT:
        facts["path"] = path_of(lane, step.id)
    if position.phase is Phase.RETRYING:
        facts |= {"kind": "retry", "attempt": position.attempt}
    if position.phase is Phase.CALLING:
        since = {} if position.since is None else {"since": iso(position.since)}
        facts |= {"kind": "call", "attempt": position.attempt, **since}
        facts |= {"outcomeUnknown": position.lost} if position.lost else {}
    if position.event is not None:
        facts["event"] = position.event
    if position.child is not None:
        facts["workflowId"] = str(position.child)
    if (moment := position.ends) is not None:
        facts["until"] = iso(moment)
    if position.phase is Phase.WAITING and isinstance(step.kind, WaitingKind):
        facts |= step.kind.waiting(step.config, position.note)
    return facts
