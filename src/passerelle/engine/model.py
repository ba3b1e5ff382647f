"""What the engine keeps of an execution, and what follows from a signal.

A *lane* is a sequence of steps under way. Every execution has the root lane (named ""); steps that hold inner
sequences open one lane for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from passerelle.definitions.model import Definition, ExecutionType
from passerelle.engine.kinds import Announcement
from passerelle.engine.lanes import ROOT, renamed_path
from passerelle.engine.positions import LanePosition, Phase, calls_out, waiting_for
from passerelle.kit.json import Json, JsonObject, KnownJson


class Status(StrEnum):
    """Where an execution stands, as the API shows it."""

    RUNNING = "RUNNING"
    AWAITING = "AWAITING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"


OPEN: Final = frozenset({Status.RUNNING, Status.AWAITING})
ENDED: Final = frozenset({Status.COMPLETED, Status.EXPIRED, Status.CANCELLED})

ALLOWED: Final[Mapping[Status, frozenset[Status]]] = {
    Status.RUNNING: frozenset(Status),
    Status.AWAITING: frozenset(Status),
    Status.FAILED: OPEN | {Status.FAILED, Status.COMPLETED, Status.CANCELLED},
    Status.COMPLETED: frozenset(),
    Status.EXPIRED: frozenset(),
    Status.CANCELLED: frozenset(),
}
"""Every allowed change of status. The database repeats the guard for ended executions."""


NEARLY_NOTHING: Final = 5_000
"""Steps of work that need not be remembered: most executions never cost more."""


@dataclass(frozen=True, slots=True)
class Renaming:
    """Steps that have other names since the execution was moved to another revision."""

    before: int
    """The ordinal from which on runs are recorded under the new names."""
    names: Mapping[str, str]
    """The new names by the old ones."""


def path_now(path: str, ordinal: int, renamings: Iterable[Renaming]) -> str:
    """What the step is called now that was recorded under `path` and `ordinal`."""
    for renaming in renamings:
        if ordinal < renaming.before:
            path = renamed_path(path, renaming.names)
    return path


@dataclass(frozen=True, slots=True)
class Received:
    """An event from outside that no step has taken yet."""

    id: UUID
    name: str
    body: Json


@dataclass(frozen=True, slots=True)
class StepRun:
    """One attempt of one step that is over. Written once, never changed."""

    step: str
    visit: int
    attempt: int
    ordinal: int
    kind: str
    status: str
    started_at: datetime
    ended_at: datetime
    input: KnownJson = None
    output: KnownJson = None
    error: JsonObject | None = None

    def to_json(self) -> JsonObject:
        """As the store writes it."""
        return {
            "step": self.step,
            "visit": self.visit,
            "attempt": self.attempt,
            "ordinal": self.ordinal,
            "kind": self.kind,
            "status": self.status,
            "input": self.input,
            "output": self.output,
            "error": self.error,
            "started_at": self.started_at.isoformat(),
            "ended_at": self.ended_at.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class Parent:
    """The execution that started this one. `step` is the path of its step; `depth` counts the executions above."""

    id: UUID
    step: str
    depth: int


@dataclass(frozen=True, slots=True)
class Identity:
    """What never changes about an execution, except that one without a record may make its own, and that the end user
    has more time once they are asked again."""

    id: UUID
    workspace_id: UUID
    definition_id: UUID
    execution_type: ExecutionType
    parameters: JsonObject
    created_at: datetime
    origin: str
    record_id: UUID | None = None
    locale: str | None = None
    expires_at: datetime | None = None
    parent: Parent | None = None
    started_by: JsonObject | None = None
    """The key or user who asked for it: `type`, `id` and `name`; None where nobody did, but another execution."""


@dataclass(frozen=True, slots=True)
class State:
    """An execution at one moment: enough to decide what follows from anything that may happen."""

    identity: Identity
    revision_id: UUID
    status: Status = Status.RUNNING
    lanes: Mapping[str, LanePosition] = field(default_factory=dict)
    visits: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """How often each step was reached, by lane."""
    values: Mapping[str, JsonObject] = field(default_factory=dict)
    """The outputs of the steps that have run, by lane."""
    inbox: tuple[Received, ...] = ()
    read: JsonObject = field(default_factory=dict)
    """What expressions read as `record` and `case`, as it was at the last boundary."""
    trail: tuple[str, ...] = ()
    """The steps that an end user may go back over: those that ran since the last one that had an effect."""
    undone: Mapping[str, int] = field(default_factory=dict)
    """Steps that the end user went back over, with the ordinal from which on their outputs count again."""
    renamings: tuple[Renaming, ...] = ()
    """What steps that have run are called now, oldest first."""
    language: str | None = None
    """The language that the end user last answered in; None where no page has told one."""
    sealed: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    """Headers of answers that only calls may read, encrypted: by lane, step and name. Gone once it has ended."""
    ordinal: int = 0
    spent: int = 0
    """Steps of work (`passerelle.kit.work`) that it has cost since it began, or was retried by hand."""
    kept: int = 0
    """Bytes of the outputs of all its steps, each time they ran, as JSON."""
    result: KnownJson = None
    error: JsonObject | None = None

    @property
    def outputs(self) -> JsonObject:
        """The outputs of the root lane's steps."""
        return self.values.get(ROOT, {})

    def names_of(self, step: str) -> tuple[str, ...]:
        """What a step of the root lane is called, and was called before it was renamed."""
        names = [step]
        for renaming in reversed(self.renamings):
            names += [old for old, new in renaming.names.items() if new == names[-1]]
        return tuple(names)

    def lane(self, name: str, position: LanePosition) -> State:
        """The same with one lane elsewhere."""
        return replace(self, lanes={**self.lanes, name: position})

    @property
    def wake_at(self) -> datetime | None:
        """When it goes on by itself; a moment in the past means: now. None: it rests or has ended."""
        if self.status not in OPEN:
            return None
        moments = [self.expires_at, *(self._wakes(position) for position in self.lanes.values())]
        return min((moment for moment in moments if moment is not None), default=None)

    @property
    def expires_at(self) -> datetime | None:
        """When the end user's part is over; None where there is none, or it is over already."""
        waits_for_user = self.identity.execution_type == "INTERACTIVE" and self.status is Status.RUNNING
        return self.identity.expires_at if waits_for_user else None

    def _wakes(self, position: LanePosition) -> datetime | None:
        if position.phase in (Phase.READY, Phase.CALLING):
            return self.identity.created_at
        return position.wakes

    @property
    def runnable(self) -> bool:
        """Whether there is something to do at once, without waiting for anything."""
        return self.status in OPEN and any(
            position.phase in (Phase.READY, Phase.CALLING) for position in self.lanes.values()
        )

    @property
    def children(self) -> frozenset[UUID]:
        """The executions that its steps have started and hold on to."""
        return frozenset(position.child for position in self.lanes.values() if position.child is not None)

    @property
    def under_way(self) -> bool:
        """Whether it, or an execution that it waits for, goes on without anybody's help."""
        return self.runnable or (self.status in OPEN and bool(self.children))

    def for_others(self, definition: Definition) -> State:
        """The same, where another process is to make the calls that it stands at."""
        return replace(
            self,
            lanes={
                name: replace(position, unsent=True) if calls_out(position, definition) else position
                for name, position in self.lanes.items()
            },
        )

    @property
    def taken_over(self) -> int:
        """How often it was taken over at this place."""
        return max((position.lost for position in self.lanes.values()), default=0)

    def cursor(self) -> JsonObject:
        """What the `state` column holds."""
        return {
            "lanes": {name: position.to_json() for name, position in self.lanes.items()},
            "visits": self.visits,
            "ordinal": self.ordinal,
            # A call that another process repeats sees what the first one saw. Nothing is read once it has ended.
            **({"read": self.read} if self.read and self.status in OPEN else {}),
            **({"trail": self.trail} if self.trail else {}),
            **({"undone": self.undone} if self.undone else {}),
            **({"language": self.language} if self.language is not None else {}),
            **({"sealed": self.sealed} if self.sealed and self.status not in ENDED else {}),
            **({"spent": self.spent} if self.spent > NEARLY_NOTHING else {}),
            **({"kept": self.kept} if self.kept > NEARLY_NOTHING else {}),
            **({"renamings": [[each.before, each.names] for each in self.renamings]} if self.renamings else {}),
        }

    def waiting_for(self, definition: Definition) -> list[JsonObject]:
        """What it rests for, in the words of the API."""
        if self.status not in OPEN:
            return []
        return [
            waiting_for(lane, position, definition)
            for lane, position in self.lanes.items()
            if position.phase in (Phase.WAITING, Phase.RETRYING) or calls_out(position, definition)
        ]


@dataclass(frozen=True, slots=True)
class Notice:
    """A message to those that a step waits for: the first one, or a reminder."""

    lane: str
    step: str
    visit: int
    attempt: int
    at: datetime
    reminder: bool


@dataclass(frozen=True, slots=True)
class Transition:
    """What follows from a signal: the new state, and what is written with it."""

    state: State
    runs: tuple[StepRun, ...] = ()
    consumed: tuple[UUID, ...] = ()
    """Events of the inbox that were taken."""
    events: tuple[Announcement, ...] = ()
    """The events that others must hear, in order."""
    notices: tuple[Notice, ...] = ()
    """The messages that are to be sent to those that a step waits for."""
    abandoned: tuple[UUID, ...] = ()
    """Executions that its steps started and nobody waits for any more: they are to be cancelled."""
