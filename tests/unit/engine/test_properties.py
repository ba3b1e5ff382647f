"""What holds for every definition and every order of happenings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from builders import ASK, COMPUTE, CONTINUE, NOW, REST, RETRY, define, end, fail, fresh, give, step
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passerelle.definitions.model import Definition, OnError, Step
from passerelle.engine.kinds import StepFailure
from passerelle.engine.model import (
    ENDED,
    MOVES,
    OPEN,
    Called,
    Cancelled,
    Elapsed,
    EventCame,
    Happening,
    Phase,
    Received,
    Retried,
    Started,
    State,
    Status,
    StepRun,
)
from passerelle.engine.transitions import NotAllowed, advance

PLAYED = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
REVISION = UUID(int=4)
EVENTS = ("paid", "shipped")


@dataclass(frozen=True)
class Condition:
    """Stands for `when`."""

    source: str
    truth: bool

    def evaluate(self, scope: Any) -> bool:
        return self.truth


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    names = [f"s{number}" for number in range(draw(st.integers(1, 7)))]
    return define(*[draw(_step(name, names)) for name in names])


@st.composite
def _step(draw: st.DrawFn, name: str, names: list[str]) -> Step:
    on_error = draw(st.sampled_from([OnError(), CONTINUE, OnError("goto", draw(st.sampled_from(names)))]))
    rest: dict[str, Any] = {"on_error": on_error, "max_visits": draw(st.integers(1, 4))}
    if draw(st.booleans()):
        rest["when"] = Condition("…", draw(st.booleans()))
    match draw(st.sampled_from(["give", "goto", "end", "fail", "ask", "ask", "pause", "event"])):
        case "give":
            return step(name, COMPUTE, give(name), **rest)
        case "goto":
            return step(name, COMPUTE, give(name, goto=draw(st.sampled_from(names))), **rest)
        case "end":
            return step(name, COMPUTE, end, **rest)
        case "fail":
            return step(name, COMPUTE, fail(), **rest)
        case "ask":
            return step(name, ASK, "…", retry=draw(st.sampled_from([None, RETRY])), **rest)
        case "pause":
            return step(name, REST, timedelta(minutes=draw(st.integers(0, 9))), **rest)
    limit = draw(st.sampled_from([None, timedelta(minutes=5)]))
    return step(name, REST, draw(st.sampled_from(EVENTS)), timeout=limit, **rest)


@dataclass
class History:
    """An execution that is played through, with everything that happened."""

    definition: Definition
    state: State = field(init=False)
    now: datetime = NOW
    runs: list[StepRun] = field(default_factory=list)
    happened: list[tuple[Happening, datetime]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state = fresh(self.definition)
        self.happen(Started())

    def happen(self, happening: Happening) -> None:
        before = self.state
        transition = advance(self.definition, before, happening, self.now)
        assert transition.state.status in MOVES[before.status] | {before.status}
        assert not (before.status in ENDED and transition.runs), "a step ran after the end"
        self.state = transition.state
        self.runs += transition.runs
        self.happened.append((happening, self.now))

    def choose(self, draw: Callable[[Any], Any]) -> Happening | None:
        """Something that may happen now; None where nothing will by itself."""
        for lane, position in self.state.lanes.items():
            if self.state.status in OPEN and position.phase is Phase.CALLING:
                failure = draw(st.sampled_from([None, None, StepFailure("HTTP_STATUS", "no", reason="503")]))
                output = None if failure else {"answer": len(self.runs)}
                return Called(
                    lane, str(position.step), position.visit, position.attempt, self.now, output=output, failure=failure
                )
        if self.state.wake_at is None:
            return None
        self.now = max(self.now, self.state.wake_at)
        return Elapsed()


def played(definition: Definition, data: Any, most: int = 200) -> History:
    history = History(definition)
    for _ in range(most):
        if data.draw(st.integers(0, 9)) == 0 and history.state.status in OPEN:
            name = data.draw(st.sampled_from(EVENTS))
            history.happen(EventCame(Received(UUID(int=len(history.happened)), name, None)))
        happening = history.choose(data.draw)
        if happening is None:
            break
        history.happen(happening)
    return history


@PLAYED
@given(definitions(), st.data())
def test_every_execution_ends_or_waits_for_something_named(definition: Definition, data: Any) -> None:
    history = played(definition, data)
    state = history.state
    if state.status in OPEN:
        assert state.waiting_for(definition), "it rests, and nothing says for what"
        assert all(waiting["step"] in definition.positions for waiting in state.waiting_for(definition))
    else:
        assert state.wake_at is None
    if state.status is Status.FAILED:
        assert state.error["code"]


@PLAYED
@given(definitions(), st.data())
def test_replaying_what_happened_gives_the_same_state(definition: Definition, data: Any) -> None:
    history = played(definition, data)
    replayed = fresh(definition)
    for happening, now in history.happened:
        replayed = advance(definition, replayed, happening, now).state
    assert replayed == history.state


@PLAYED
@given(definitions(), st.data())
def test_whatever_comes_twice_counts_once(definition: Definition, data: Any) -> None:
    """A crash after the commit makes the queue deliver a call's outcome or a timer again."""
    history = played(definition, data, most=20)
    once = list(history.happened)
    for happening, _ in once:
        if isinstance(happening, Called):
            again = advance(definition, history.state, happening, history.now)
            if again.state != history.state:
                position = history.state.lanes[happening.lane]
                assert (position.visit, position.attempt) == (happening.visit, happening.attempt)


@PLAYED
@given(definitions(), st.data())
def test_every_attempt_is_recorded_once_and_in_order(definition: Definition, data: Any) -> None:
    history = played(definition, data)
    assert [run.ordinal for run in history.runs] == list(range(len(history.runs)))
    attempts = [(run.step, run.visit, run.attempt) for run in history.runs]
    assert len(set(attempts)) == len(attempts)


@PLAYED
@given(definitions(), st.data())
def test_a_state_survives_its_way_through_the_database(definition: Definition, data: Any) -> None:
    from passerelle.engine.model import Position

    for position in played(definition, data, most=5).state.lanes.values():
        assert Position.from_json(position.to_json()) == position


@PLAYED
@given(definitions(), st.data())
def test_a_failed_execution_can_always_be_retried_and_an_open_one_cancelled(definition: Definition, data: Any) -> None:
    history = played(definition, data, most=30)
    if history.state.status is Status.FAILED:
        history.happen(Retried(REVISION))
    if history.state.status in OPEN:
        history.happen(Cancelled())
        assert history.state.status is Status.CANCELLED
    try:
        history.happen(Retried(REVISION))
    except NotAllowed:
        assert history.state.status in ENDED
