"""Plays a scenario: the engine's own transitions, with a clock that stands still until something is due."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

from passerelle.definitions.expressions import ExpressionError
from passerelle.definitions.model import Definition, Step
from passerelle.engine.calling import call_step
from passerelle.engine.kinds import ChildKind, RecordingKind, Refusal, StepFailure, WaitingKind
from passerelle.engine.lanes import path_of
from passerelle.engine.model import OPEN, Identity, Received, State, Status, StepRun
from passerelle.engine.positions import LanePosition, Phase
from passerelle.engine.recording import perform_step, refreshed
from passerelle.engine.signals import Answered, Called, ChildEnded, Elapsed, EventCame, Signal, Started, Submitted
from passerelle.engine.steps.review import Vote
from passerelle.engine.transitions import advance, failure_of, scope_of
from passerelle.engine.user_kinds import AnswerRefused, UserKind
from passerelle.kit.json import Json, JsonObject
from passerelle.kit.outgoing.fake import SentRequest
from passerelle.scenarios.models import Decision, Scenario, Sent
from passerelle.scenarios.outside import ScriptedOutside
from passerelle.scenarios.records import GivenRecords

if TYPE_CHECKING:
    from passerelle.kit.database import Connection

AT_MOST: Final = 200_000
"""Signals of one scenario; a loop's `maxVisits` ends it long before."""
_NO_CONNECTION: Final = cast("Connection", None)
"""A scenario's records are in memory."""
EXPIRY: Final = 3
"""The rank of the moment at which the end user's part is over."""


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a scenario."""

    state: State
    runs: tuple[StepRun, ...]
    requests: Sequence[tuple[str, SentRequest]]
    """Every request over HTTP, with the place of the step that made it."""
    records: Mapping[str, Sequence[JsonObject]]
    elapsed: timedelta
    problems: tuple[str, ...]
    """What is wrong with the scenario itself: an answer too few, or one too many."""

    @property
    def path(self) -> tuple[str, ...]:
        """The steps that ran, in order; every visit once, however many attempts it took."""
        visits = ((run.step, run.visit) for run in self.runs if run.status != "SKIPPED")
        return tuple(step for step, _ in dict.fromkeys(visits))

    @property
    def outputs(self) -> Mapping[str, Json]:
        """The last output of every step that has one, by its place."""
        return {run.step: run.output for run in self.runs if run.output is not None}


async def play(definition: Definition, scenario: Scenario) -> Played:
    """Run the scenario until its execution ends, or nothing more happens by itself. Raises nothing about it."""
    return await _Play(definition, scenario).run()


@dataclass(frozen=True, slots=True)
class _Due:
    """Something that will happen. At the same moment: answers, events, timers, expiry."""

    moment: datetime
    rank: int
    name: str = ""
    body: Json = None
    lane: str | None = None
    """Where the step is that is answered."""
    decision: Decision | None = None


class _Play:
    def __init__(self, definition: Definition, scenario: Scenario) -> None:
        self._definition = definition
        self._scenario = scenario
        self._steps = {step.id: step for step in definition.all_steps}
        self._outside = ScriptedOutside(scenario.answers)
        self._events = sorted(scenario.events, key=lambda event: event.after)
        self._now = scenario.now
        self._happened = 0
        self._answered: set[tuple[Any, ...]] = set()
        self._runs: list[StepRun] = []
        self._records = GivenRecords(definition, scenario.records, scenario.record, self._clock)
        self._state = State(_identity(definition, scenario, self._records.own), UUID(int=4))

    async def run(self) -> Played:
        signal: Signal | None = Started()
        self._state = await refreshed(self._records, self._definition, self._state)
        while signal is not None and self._happened < AT_MOST:
            self._happened += 1
            try:
                transition = advance(self._definition, self._state, signal, self._now)
            except (Refusal, AnswerRefused) as refusal:
                self._outside.problems.append(f"`{_answered_step(signal)}` refuses what it is sent: {refusal}")
                break
            self._state = await refreshed(self._records, self._definition, transition.state)
            self._runs += transition.runs
            signal = await self._next()
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

    async def _next(self) -> Signal | None:
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

    async def _call(self, lane: str, position: LanePosition) -> Called | ChildEnded | None:
        step = self._steps[str(position.step)]
        if isinstance(step.kind, RecordingKind) and self._outside.next(path_of(lane, step.id)) is None:
            return await self._record(lane, position)
        path = path_of(lane, step.id)
        try:
            instead = self._outside.instead(step, path, self._clock)
        except LookupError:
            return None
        if isinstance(step.kind, ChildKind):
            return self._child(step, step.kind, lane, position, instead)
        if isinstance(step.kind, RecordingKind):
            return self._instead_of_record(lane, position, instead)
        return await call_step(
            self._definition,
            self._state,
            lane,
            position,
            secrets=self._scenario.secrets,
            outgoing=self._outside.outgoing(path),
            clock=self._clock,
            instead=instead,
        )

    def _child(
        self, step: Step, kind: ChildKind, lane: str, position: LanePosition, instead: Callable[[], Json] | None
    ) -> Called | ChildEnded:
        try:
            kind.child(step.config, scope_of(self._definition, self._state, self._now, lane))
        except (StepFailure, ExpressionError) as failure:
            return Called(lane, step.id, position.visit, position.attempt, self._now, failure=failure)
        return _child_ended(position, instead)

    async def _record(self, lane: str, position: LanePosition) -> Called:
        """Do what a record step says, to the scenario's records."""
        try:
            self._state, called = await perform_step(
                self._records, _NO_CONNECTION, self._definition, self._state, lane, position, self._now
            )
        except (StepFailure, ExpressionError) as error:
            failure = failure_of(self._definition, position.step, error)
            return Called(lane, str(position.step), position.visit, position.attempt, self._now, failure=failure)
        return called

    def _instead_of_record(self, lane: str, position: LanePosition, instead: Callable[[], Json] | None) -> Called:
        called = Called(lane, str(position.step), position.visit, position.attempt, self._now)
        try:
            return replace(called, output=instead() if instead is not None else None)
        except StepFailure as failure:
            return replace(called, failure=failure)

    def _clock(self) -> datetime:
        return self._now

    def _due(self) -> Iterator[_Due]:
        for lane, position in self._state.lanes.items():
            if position.ends is not None:  # nobody has to be reminded here
                yield _Due(position.ends, 2)
            if (answer := self._answer(lane, position)) is not None:
                yield answer
        if self._events:
            event = self._events[0]
            yield _Due(self._scenario.now + event.after, 1, event.name, event.body)
        if self._state.expires_at is not None:
            yield _Due(self._state.expires_at, EXPIRY)

    def _answer(self, lane: str, position: LanePosition) -> _Due | None:
        """What somebody sends to the step of a lane next."""
        path = path_of(lane, str(position.step))
        answer = self._outside.next(path) if position.phase is Phase.WAITING else None
        if not isinstance(answer, Sent | Decision):
            return None
        if self._outside.serves_every_call(path) and _wait_of(path, position) in self._answered:
            return None
        moment = max(self._now, (position.since or self._now) + answer.after)
        if isinstance(answer, Decision):
            return _Due(moment, 0, path, None, lane, answer)
        return _Due(moment, 0, position.event or path, answer.body, lane)

    def _happen(self, due: _Due) -> Signal | None:
        if due.rank == EXPIRY:
            self._come_too_late()
        if due.rank >= 2:
            return Elapsed()
        if (refused := self._refused(due)) is not None:
            self._outside.problems.append(refused)
            return None
        if due.lane is None:
            self._events.pop(0)
            return EventCame(Received(UUID(int=self._happened), due.name, due.body))
        position = self._state.lanes[due.lane]
        path = path_of(due.lane, str(position.step))
        self._outside.took(path)
        self._answered.add(_wait_of(path, position))
        return self._sent(due, due.lane, position)

    def _come_too_late(self) -> None:
        """What the end user would still have sent counts as sent: that it is not heard is what the scenario shows."""
        for lane, position in self._state.lanes.items():
            if self._answer(lane, position) is not None:
                self._outside.took(path_of(lane, str(position.step)))

    def _sent(self, due: _Due, lane: str, position: LanePosition) -> Signal:
        step = self._steps[str(position.step)]
        if due.decision is not None:
            vote = _vote(due.decision, len(position.note["votes"]))
            return Answered(lane, step.id, position.visit, position.attempt, vote)
        if isinstance(step.kind, UserKind):
            return Submitted(step.id, position.visit, due.body)
        return EventCame(Received(UUID(int=self._happened), due.name, due.body))

    def _refused(self, due: _Due) -> str | None:
        """Why the API would refuse what is sent: it would answer 400, and the execution would not hear of it."""
        if due.decision is not None:
            return None
        there = None if due.lane is None else self._steps[str(self._state.lanes[due.lane].step)]
        takers = [there] if there is not None else [step for step in self._steps.values() if _takes(step, due.name)]
        refusals = [said for step in takers if (said := _refusal(step.of(WaitingKind), due.body)) is not None]
        return refusals[0] if takers and len(refusals) == len(takers) else None


def _takes(step: Step, event: str) -> bool:
    return isinstance(step.kind, WaitingKind) and step.kind.event_name(step.config) == event


def _wait_of(path: str, position: LanePosition) -> tuple[Any, ...]:
    """Names one wait. Under four eyes each vote is waited for anew."""
    votes = len(position.note["votes"]) if isinstance(position.note, dict) and "votes" in position.note else 0
    return path, position.visit, position.attempt, votes


def _vote(decision: Decision, before: int) -> Vote:
    name = decision.by or f"reviewer {before + 1}"
    return Vote(decision.outcome, decision.comment, {"type": "user", "id": name, "name": name})


def _answered_step(signal: Signal) -> str:
    if isinstance(signal, Answered):
        return path_of(signal.lane, signal.step)
    return signal.step if isinstance(signal, Submitted) else ""


def _child_ended(position: LanePosition, instead: Callable[[], Json] | None) -> ChildEnded:
    """The execution of another definition is over, as the scenario says."""
    assert position.child is not None
    try:
        given = instead() if instead is not None else None
    except StepFailure as failure:
        error = {"code": failure.code, "message": failure.message}
        return ChildEnded(position.child, Status.FAILED, error=error)
    said = given if isinstance(given, dict) else {}
    return ChildEnded(position.child, Status(said.get("status", "COMPLETED")), said.get("result"))


def _refusal(step: Step[WaitingKind], body: Json) -> str | None:
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
        expires_at=definition.expiry(scenario.now),
    )
