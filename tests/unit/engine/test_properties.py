"""What holds for every definition and every order of signals."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passerelle.definitions.expressions import Template
from passerelle.definitions.model import Definition, OnError, Retry, Step
from passerelle.engine.kinds import StepFailure
from passerelle.engine.model import ALLOWED, ENDED, OPEN, Received, State, Status, StepRun
from passerelle.engine.positions import Phase
from passerelle.engine.signals import (
    Called,
    Cancelled,
    ChildBegan,
    ChildEnded,
    Elapsed,
    EventCame,
    Retried,
    Signal,
    Started,
)
from passerelle.engine.steps.each import EachConfig, EachKind
from passerelle.engine.steps.parallel import ParallelConfig, ParallelKind
from passerelle.engine.store import _state
from passerelle.engine.transitions import NotAllowed, advance
from passerelle.kit.database import DatabaseRow
from passerelle.kit.json import dumps, loads
from tests.unit.engine.builders import (
    ASK,
    COMPUTE,
    CONTINUE,
    NOW,
    REST,
    RETRY,
    RUN,
    define,
    end,
    fail,
    fresh,
    give,
    step,
)

PLAYED = settings(
    max_examples=int(os.environ.get("PASSERELLE_EXAMPLES", "60")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
REVISION = UUID(int=4)
PARALLEL, EACH = ParallelKind(), EachKind()
CHILD_RETRY = Retry(attempts=2, on=("failed",))
EVENTS = ("paid", "shipped")


@dataclass(frozen=True)
class Condition:
    """Stands for `when`."""

    source: str
    truth: bool

    def evaluate(self, scope: Any) -> bool:
        return self.truth


KINDS = ["give", "goto", "end", "fail", "ask", "ask", "pause", "event", "child"]


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    return define(*draw(_steps("s", st.integers(1, 6), [*KINDS, "parallel", "each"])))


@st.composite
def _steps(draw: st.DrawFn, prefix: str, sizes: st.SearchStrategy[int], kinds: list[str]) -> list[Step]:
    names = [f"{prefix}{number}" for number in range(draw(sizes))]
    return [draw(_step(name, names, kinds)) for name in names]


@st.composite
def _step(draw: st.DrawFn, name: str, names: list[str], kinds: list[str]) -> Step:
    on_error = draw(st.sampled_from([OnError(), CONTINUE, OnError("goto", draw(st.sampled_from(names)))]))
    rest: dict[str, Any] = {"on_error": on_error, "max_visits": draw(st.integers(1, 4))}
    if draw(st.booleans()):
        rest["when"] = Condition("…", draw(st.booleans()))
    inner = [*KINDS, "each"] if "each" in kinds and "parallel" in kinds else KINDS  # branches in branches, no deeper
    match draw(st.sampled_from(kinds)):
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
        case "child":
            return step(name, RUN, ("other", {}), retry=draw(st.sampled_from([None, CHILD_RETRY])), **rest)
        case "parallel":
            branches = {
                branch: tuple(draw(_steps(f"{name}{branch}", st.integers(1, 3), inner))) for branch in ("a", "b")
            }
            parallel = ParallelConfig(branches, draw(st.sampled_from(["cancel", "wait"])))
            return step(name, PARALLEL, parallel, **rest)
        case "each":
            policy: Any = draw(st.sampled_from(["fail", "continue"]))
            steps = tuple(
                draw(_steps(f"{name}i", st.integers(1, 3), [*KINDS, "parallel"] if "each" in inner else KINDS))
            )
            items = Template.compile(list(range(draw(st.integers(0, 4)))))
            return step(name, EACH, EachConfig(items, "item", steps, draw(st.integers(1, 3)), policy), **rest)
    limit = draw(st.sampled_from([None, timedelta(minutes=5)]))
    return step(name, REST, draw(st.sampled_from(EVENTS)), timeout=limit, **rest)


@dataclass
class History:
    """An execution that is played through, with everything that happened."""

    definition: Definition
    state: State = field(init=False)
    now: datetime = NOW
    runs: list[StepRun] = field(default_factory=list)
    happened: list[tuple[Signal, datetime]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state = fresh(self.definition)
        self.happen(Started())

    def happen(self, signal: Signal) -> None:
        before = self.state
        transition = advance(self.definition, before, signal, self.now)
        assert transition.state.status in ALLOWED[before.status] | {before.status}
        assert not (before.status in ENDED and transition.runs), "a step ran after the end"
        self.state = transition.state
        stopped = (Phase.FAILED, Phase.BRANCHING)
        goes_on = any(position.phase not in stopped for position in self.state.lanes.values())
        assert goes_on or self.state.status not in OPEN, "it is open, and nothing will ever happen"
        self.runs += transition.runs
        self.happened.append((signal, self.now))

    def busy(self) -> list[str]:
        """The lanes that wait for a call or for a child."""
        if self.state.status not in OPEN:
            return []
        return [
            lane
            for lane, position in self.state.lanes.items()
            if position.phase is Phase.CALLING or (position.phase is Phase.WAITING and position.child is not None)
        ]

    def outcome(self, lane: str, draw: Callable[[Any], Any]) -> Signal:
        """What the call or the child of a lane may come to."""
        position = self.state.lanes[lane]
        if position.child is not None:
            if position.phase is Phase.CALLING and draw(st.booleans()):
                return ChildBegan(position.child)
            status = draw(st.sampled_from([Status.COMPLETED, Status.COMPLETED, Status.FAILED, Status.CANCELLED]))
            return ChildEnded(position.child, status, {"child": 1} if status is Status.COMPLETED else None)
        failure = draw(st.sampled_from([None, None, StepFailure("HTTP_STATUS", "no", reason="503")]))
        output = None if failure else {"answer": len(self.runs)}
        return Called(
            lane, str(position.step), position.visit, position.attempt, self.now, output=output, failure=failure
        )

    def choose(self, draw: Callable[[Any], Any]) -> Signal | None:
        """Something that may happen now; None where nothing will by itself."""
        busy = self.busy()
        if busy:
            return self.outcome(draw(st.sampled_from(busy)), draw)
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
        signal = history.choose(data.draw)
        if signal is None:
            break
        history.happen(signal)
    return history


@PLAYED
@given(definitions(), st.data())
def test_every_execution_ends_or_waits_for_something_named(definition: Definition, data: Any) -> None:
    history = played(definition, data)
    state = history.state
    if state.status in OPEN:
        assert state.waiting_for(definition), "it rests, and nothing says for what"
        assert all(waiting["step"] in definition.by_id for waiting in state.waiting_for(definition))
    else:
        assert state.wake_at is None
    if state.status is Status.FAILED:
        assert (state.error or {})["code"]


@PLAYED
@given(definitions(), st.data())
def test_replaying_what_happened_gives_the_same_state(definition: Definition, data: Any) -> None:
    history = played(definition, data)
    replayed = fresh(definition)
    for signal, now in history.happened:
        replayed = advance(definition, replayed, signal, now).state
    assert replayed == history.state


@PLAYED
@given(definitions(), st.data())
def test_whatever_comes_twice_counts_once(definition: Definition, data: Any) -> None:
    """A crash after the commit makes the queue deliver a call's outcome or a timer again."""
    history = played(definition, data, most=20)
    once = list(history.happened)
    for signal, _ in once:
        if isinstance(signal, Called):
            again = advance(definition, history.state, signal, history.now)
            if again.state != history.state:
                position = history.state.lanes[signal.lane]
                assert (position.visit, position.attempt) == (signal.visit, signal.attempt)


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
    from passerelle.engine.positions import LanePosition

    for position in played(definition, data, most=5).state.lanes.values():
        assert LanePosition.from_json(position.to_json()) == position


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


def read_again(history: History) -> State:
    """The state as another process reads it from the database after the last commit."""
    state, identity = history.state, history.state.identity
    taken = {event for signal, _ in history.happened for event in _came(signal)}
    left = {received.id for received in state.inbox}
    row = {
        **{name: getattr(identity, name) for name in ("id", "workspace_id", "definition_id", "execution_type")},
        **{name: getattr(identity, name) for name in ("parameters", "created_at", "origin", "record_id", "locale")},
        "expires_at": identity.expires_at,
        "started_by": identity.started_by,
        "parent_id": None,
        "revision_id": state.revision_id,
        "status": state.status.value,
        "state": state.cursor(),
        "outputs": [
            {"step": run.step, "ordinal": run.ordinal, "output": run.output, "error": run.error}
            for run in history.runs
            if run.output is not None or "." in run.step
        ],
        "inbox": [{"id": str(id), "name": name, "body": body} for id, name, body in taken if id in left],
        "result": state.result,
        "error": state.error,
    }
    kept = ("id", "workspace_id", "definition_id", "revision_id", "created_at", "expires_at", "execution_type")
    written = loads(dumps({name: row[name] for name in row if name not in kept}))
    return _state(cast("DatabaseRow", {**written, **{name: row[name] for name in kept}}))


def _came(signal: Signal) -> list[tuple[UUID, str, None]]:
    return [(signal.event.id, signal.event.name, None)] if isinstance(signal, EventCame) else []


@PLAYED
@given(definitions(), st.data())
def test_a_crash_after_any_commit_gives_the_same_as_none(definition: Definition, data: Any) -> None:
    """Whoever goes on after a crash knows only what was written: nothing else may decide what follows."""
    history = played(definition, data, most=60)
    crashed = History(definition)
    for signal, now in history.happened[1:]:
        if data.draw(st.booleans()):
            crashed.state = read_again(crashed)
        crashed.now = now
        crashed.happen(signal)
    assert crashed.runs == history.runs
    ended = (history.state.status, history.state.result, history.state.error, history.state.lanes)
    assert (crashed.state.status, crashed.state.result, crashed.state.error, crashed.state.lanes) == ended


@st.composite
def _orderly(draw: st.DrawFn) -> Definition:
    """Branches and items whose steps know nothing of one another and none of which fails the whole."""
    kinds = ["give", "ask", "pause", "child"]
    branches = {name: tuple(_sure(draw, f"{name}{n}", kinds) for n in range(draw(st.integers(1, 3)))) for name in "abc"}
    steps = tuple(_sure(draw, f"i{number}", kinds) for number in range(draw(st.integers(1, 3))))
    items = Template.compile(list(range(draw(st.integers(0, 5)))))
    each = EachConfig(items, "item", steps, draw(st.integers(1, 3)), "continue")
    return define(
        step("both", PARALLEL, ParallelConfig(branches, draw(st.sampled_from(["cancel", "wait"])))),
        step("all", EACH, each),
        step("last"),
    )


def _sure(draw: st.DrawFn, name: str, kinds: list[str]) -> Step:
    match draw(st.sampled_from(kinds)):
        case "ask":
            return step(name, ASK, "…")
        case "pause":
            return step(name, REST, timedelta(minutes=draw(st.integers(0, 9))))
        case "child":
            return step(name, RUN, ("other", {}))
    return step(name)


def _in_order(definition: Definition, data: Any, fails: frozenset[str]) -> State:
    """Play to the end; which lane goes on next is drawn, what its call comes to is not."""
    history = History(definition)
    while history.state.status in OPEN:
        if busy := history.busy():
            lane = data.draw(st.sampled_from(busy))
            position = history.state.lanes[lane]
            path = f"{lane}.{position.step}"
            if position.child is not None:
                history.happen(ChildEnded(position.child, Status.COMPLETED, {"of": path}))
                continue
            failure = StepFailure("HTTP_STATUS", "no", reason="404") if path in fails else None
            facts = (lane, str(position.step), position.visit, position.attempt, NOW)
            history.happen(Called(*facts, output=None if failure else {"of": path}, failure=failure))
            continue
        assert history.state.wake_at is not None
        history.now = max(history.now, history.state.wake_at)
        history.happen(Elapsed())
    return history.state


def _without_ids(value: Any) -> Any:
    """Ids of children are made when they are started, so they are others in every run."""
    if isinstance(value, dict):
        return {name: _without_ids(item) for name, item in value.items() if name != "workflowId"}
    return [_without_ids(item) for item in value] if isinstance(value, list) else value


@PLAYED
@given(_orderly(), st.frozensets(st.sampled_from([f"all[{n}].i{m}" for n in range(5) for m in range(3)])), st.data())
def test_branches_and_items_give_the_same_in_every_order(
    definition: Definition, fails: frozenset[str], data: Any
) -> None:
    one, other = (_in_order(definition, data, fails) for _ in range(2))
    assert one.status is other.status is Status.COMPLETED
    assert _without_ids(one.result) == _without_ids(other.result)
    assert list(one.result["both"]) == ["a", "b", "c"]


@PLAYED
@given(definitions(), st.data())
def test_no_step_runs_and_nothing_waits_after_the_end(definition: Definition, data: Any) -> None:
    history = played(definition, data, most=60)
    if history.state.status not in ENDED:
        history.happen(Cancelled())
    assert (history.state.wake_at, history.state.waiting_for(definition)) == (None, [])
    for signal, now in list(history.happened):
        try:
            transition = advance(definition, history.state, signal, now)
        except NotAllowed:
            continue
        if not isinstance(signal, Started):
            assert transition.runs == ()
            assert transition.state == history.state


def test_an_item_that_failed_is_known_after_a_crash() -> None:
    """What it failed with is read from its last run: nothing else is written of it."""
    items = EachConfig(Template.compile([0, 1]), "item", (step("i0", ASK, "…"),), 1, "continue")
    history = History(define(step("all", EACH, items), step("last")))
    for failure in (StepFailure("HTTP_STATUS", "no", reason="404"), None):
        (lane,) = history.busy()
        history.happen(Called(lane, "i0", 1, 1, NOW, output=None if failure else {"a": 1}, failure=failure))
        if history.state.status in OPEN:
            history.state = read_again(history)
    error = {"code": "HTTP_STATUS", "message": "no", "step": "i0"}
    assert history.state.result["all"] == {"items": [{"error": error}, {"i0": {"a": 1}}]}


def test_what_hangs_below_an_item_that_failed_is_over_with_it() -> None:
    branches = {"a": (step("x", ASK, "…"),), "b": (step("y", ASK, "…"),)}
    inner = (step("both", PARALLEL, ParallelConfig(branches, "cancel")),)
    items = EachConfig(Template.compile([0, 1]), "item", inner, 1, "continue")
    history = History(define(step("all", EACH, items), step("last")))
    lane = next(lane for lane in history.busy() if lane.endswith(".a"))
    failure = StepFailure("HTTP_STATUS", "no", reason="404")
    history.happen(Called(lane, "x", 1, 1, NOW, failure=failure))
    assert all(lane == "" or lane.startswith("all[1]") for lane in history.state.lanes)
    assert read_again(history).values["all[0]"] == history.state.values["all[0]"]
