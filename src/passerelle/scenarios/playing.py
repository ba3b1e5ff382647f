"""Plays a scenario: the engine's own transitions, with a clock that stands still until something is due."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from passerelle.definitions.expressions import ExpressionError
from passerelle.definitions.model import Definition, Step
from passerelle.engine.calling import call_step
from passerelle.engine.kinds import RecordingKind, StepFailure, WaitingKind
from passerelle.engine.lanes import ROOT
from passerelle.engine.model import (
    OPEN,
    Called,
    Elapsed,
    EventCame,
    Happening,
    Identity,
    Phase,
    Position,
    Received,
    Started,
    State,
    StepRun,
)
from passerelle.engine.recording import perform_step, refreshed
from passerelle.engine.transitions import advance, failure_of
from passerelle.kit.json import Json, JsonObject
from passerelle.kit.outgoing.fake import SentRequest
from passerelle.scenarios.models import Scenario
from passerelle.scenarios.outside import Outside
from passerelle.scenarios.records import GivenRecords

AT_MOST: Final = 200_000
"""Happenings of one scenario; a loop's `maxVisits` ends it long before."""


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a scenario."""

    state: State
    runs: tuple[StepRun, ...]
    requests: Mapping[str, list[SentRequest]]
    records: Mapping[str, Sequence[JsonObject]]
    elapsed: timedelta
    problems: tuple[str, ...]
    """What is wrong with the scenario itself: an answer too few, or one too many."""

    @property
    def path(self) -> tuple[str, ...]:
        """The steps that ran, in order; every visit once, however many attempts it took."""
        visits = ((run.step, run.visit) for run in self.runs if run.status != "SKIPPED")
        return tuple(step for step, _ in dict.fromkeys(visits))


async def play(definition: Definition, scenario: Scenario) -> Played:
    """Run the scenario until its execution ends, or nothing more happens by itself. Raises nothing about it."""
    return await _Play(definition, scenario).run()


@dataclass(frozen=True, slots=True)
class _Due:
    """Something that will happen. At the same moment an answer comes before an event, and both before a timer."""

    moment: datetime
    rank: int
    name: str = ""
    step: str | None = None
    body: Json = None


class _Play:
    def __init__(self, definition: Definition, scenario: Scenario) -> None:
        self._definition = definition
        self._scenario = scenario
        self._steps = {step.id: step for step in definition.all_steps}
        self._outside = Outside(scenario.answers)
        self._events = sorted(scenario.events, key=lambda event: event.after)
        self._now = scenario.now
        self._happened = 0
        self._answered: set[tuple[str, int]] = set()
        self._runs: list[StepRun] = []
        self._records = GivenRecords(definition, scenario.records, scenario.record, self._clock)
        self._state = State(_identity(definition, scenario, self._records.own), UUID(int=4))

    async def run(self) -> Played:
        happening: Happening | None = Started()
        self._state = await refreshed(self._records, self._definition, self._state)
        while happening is not None and self._happened < AT_MOST:
            self._happened += 1
            transition = advance(self._definition, self._state, happening, self._now)
            self._state = await refreshed(self._records, self._definition, transition.state)
            self._runs += transition.runs
            happening = await self._next()
        return self._played()

    def _played(self) -> Played:
        problems = self._outside.problems or [*self._outside.unused(), *self._late_events()]
        elapsed = self._now - self._scenario.now
        return Played(
            self._state, tuple(self._runs), self._outside.requests, self._records.tables, elapsed, tuple(problems)
        )

    def _late_events(self) -> Iterator[str]:
        if self._state.status not in OPEN:
            yield from (f"the event `{event.name}` comes after the end: send it sooner" for event in self._events)

    async def _next(self) -> Happening | None:
        """What happens now or, if nothing does, next; None where that is nothing."""
        if self._state.status not in OPEN or self._outside.problems:
            return None
        for lane, position in self._state.lanes.items():
            if position.phase is Phase.CALLING:
                return await self._call(lane, position)
        if self._state.runnable:
            return Elapsed()
        due = min(self._due(), key=lambda due: (due.moment, due.rank), default=None)
        end = self._end()
        if due is None or (end is not None and due.moment > end):
            self._now = end or self._now
            return None
        self._now = max(self._now, due.moment)
        return self._happen(due)

    def _end(self) -> datetime | None:
        length = self._scenario.stop_after
        return None if length is None else self._scenario.now + length

    async def _call(self, lane: str, position: Position) -> Called | None:
        step = self._steps[str(position.step)]
        if isinstance(step.kind, RecordingKind) and step.id not in self._scenario.answers:
            return await self._record(lane, position)
        try:
            instead = self._outside.instead(step, self._clock)
        except LookupError:
            return None
        if isinstance(step.kind, RecordingKind):
            return self._instead_of_record(lane, position, instead)
        return await call_step(
            self._definition,
            self._state,
            lane,
            position,
            secrets=self._scenario.secrets,
            outgoing=self._outside.outgoing(step.id),
            clock=self._clock,
            instead=instead,
        )

    async def _record(self, lane: str, position: Position) -> Called:
        """Do what a record step says, to the scenario's records."""
        try:
            self._state, called = await perform_step(
                self._records, None, self._definition, self._state, lane, position, self._now
            )
        except (StepFailure, ExpressionError) as error:
            failure = failure_of(self._definition, position.step, error)
            return Called(lane, str(position.step), position.visit, position.attempt, self._now, failure=failure)
        return called

    def _instead_of_record(self, lane: str, position: Position, instead: Callable[[], Json] | None) -> Called:
        called = Called(lane, str(position.step), position.visit, position.attempt, self._now)
        try:
            return replace(called, output=instead() if instead is not None else None)
        except StepFailure as failure:
            return replace(called, failure=failure)

    def _clock(self) -> datetime:
        return self._now

    def _due(self) -> Iterator[_Due]:
        for position in self._state.lanes.values():
            if position.wakes is not None:
                yield _Due(position.wakes, 2)
            if (answer := self._answer(position)) is not None:
                yield answer
        if self._events:
            event = self._events[0]
            yield _Due(self._scenario.now + event.after, 1, event.name, None, event.body)

    def _answer(self, position: Position) -> _Due | None:
        if position.phase is not Phase.WAITING or position.event is None:
            return None
        step = str(position.step)
        sent = self._outside.sent(step)
        if sent is None or (self._scenario.answers[step].alone and (step, position.visit) in self._answered):
            return None
        moment = max(self._now, (position.since or self._now) + sent.after)
        return _Due(moment, 0, position.event, step, sent.body)

    def _happen(self, due: _Due) -> Happening | None:
        if due.rank == 2:
            return Elapsed()
        if (refused := self._refused(due)) is not None:
            self._outside.problems.append(refused)
            return None
        if due.step is None:
            self._events.pop(0)
        else:
            self._outside.took(due.step)
            self._answered |= {(due.step, visit) for visit in [self._state.visits.get(ROOT, {}).get(due.step, 0)]}
        return EventCame(Received(UUID(int=self._happened), due.name, due.body))

    def _refused(self, due: _Due) -> str | None:
        """Why the API would refuse what is sent: it would answer 400, and the execution would not hear of it."""
        takers = [step for step in self._steps.values() if _takes(step, due)]
        refusals = [refusal for step in takers if (refusal := _refusal(step, due.body)) is not None]
        return refusals[0] if takers and len(refusals) == len(takers) else None


def _takes(step: Step, due: _Due) -> bool:
    if not isinstance(step.kind, WaitingKind):
        return False
    return step.id == due.step if due.step is not None else step.kind.event_name(step.config) == due.name


def _refusal(step: Step, body: Json) -> str | None:
    assert isinstance(step.kind, WaitingKind)
    try:
        step.kind.accept(step.config, body)
    except StepFailure as failure:
        return f"`{step.id}` refuses what it is sent: {failure.message}"
    return None


def _identity(definition: Definition, scenario: Scenario, record_id: UUID | None) -> Identity:
    return Identity(
        id=UUID(int=1),
        workspace_id=UUID(int=2),
        definition_id=UUID(int=3),
        execution_type=definition.execution_type,
        parameters=scenario.parameters,
        created_at=scenario.now,
        origin="SCENARIO",
        record_id=record_id,
        locale=scenario.locale,
    )
