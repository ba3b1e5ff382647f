"""The end user's part, for every definition and every order of submissions, steps back, timers and cancellations."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passerelle.definitions.compiler import compile_definition
from passerelle.definitions.expressions import Scope
from passerelle.definitions.form_answers import FieldFinding
from passerelle.definitions.model import Definition, OnError, Step
from passerelle.engine.kinds import Done, StepFailure
from passerelle.engine.lanes import ROOT
from passerelle.engine.model import ENDED, OPEN, State, Status, StepRun
from passerelle.engine.positions import Phase
from passerelle.engine.registry import load_kinds
from passerelle.engine.signals import Called, Cancelled, Elapsed, Signal, Started, Submitted, WentBack
from passerelle.engine.store import _values
from passerelle.engine.transitions import NotAllowed, NotCurrent, NoWayBack, advance, way_back
from passerelle.engine.user_kinds import AnswerRefused, UserKind
from passerelle.kit.json import Json, JsonObject
from tests.unit.engine.builders import ASK, COMPUTE, NOW, REST, define, end, fresh, give, step

PLAYED = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
EXPIRES = NOW + timedelta(hours=1)


class Question(UserKind):
    """Takes any answer but "wrong"."""

    name = "question"
    schema: ClassVar[Any] = {}

    def compile(self, value: Json, path: Any, compiling: Any) -> Any:
        return value

    def show(self, config: Any, scope: Scope) -> JsonObject:
        return {}

    def submit(self, config: Any, scope: Scope, answer: Json, evidence: JsonObject | None, now: datetime) -> Done:
        if answer == "wrong":
            raise AnswerRefused([FieldFinding((), "wrong", "is wrong")])
        return Done({"said": answer})


class Saying(Question):
    """Says something; the last one is an end page."""

    name = "saying"
    may_end = True


QUESTION, SAYING = Question(), Saying()


def begun(definition: Definition) -> State:
    state = fresh(definition)
    return replace(state, identity=replace(state.identity, expires_at=EXPIRES))


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    names = [f"s{number}" for number in range(draw(st.integers(1, 8)))]
    steps = [draw(_step(name, names)) for name in names]
    if not any(one.kind.user_facing for one in steps):
        steps.append(step("last", QUESTION))
    return define(*steps)


@st.composite
def _step(draw: st.DrawFn, name: str, names: list[str]) -> Step:
    rest: dict[str, Any] = {"max_visits": draw(st.integers(1, 4))}
    match draw(st.sampled_from(["question", "question", "question", "saying", "give", "goto", "end", "ask", "pause"])):
        case "question":
            return step(name, QUESTION, **rest)
        case "saying":
            return step(name, SAYING, **rest)
        case "give":
            return step(name, COMPUTE, give(name), **rest)
        case "goto":
            target = draw(st.sampled_from(names))
            return replace(step(name, COMPUTE, give(name, goto=target), **rest), on_error=OnError("goto", target))
        case "end":
            return step(name, COMPUTE, end, **rest)
        case "ask":
            return step(name, ASK, "…", **rest)
    return step(name, REST, timedelta(minutes=draw(st.integers(0, 9))), **rest)


@dataclass
class Visit:
    """One execution, with everything that happened."""

    definition: Definition
    state: State = field(init=False)
    now: datetime = NOW
    runs: list[StepRun] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    accepted: list[tuple[str, int, Json]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state = begun(self.definition)
        self.happen(Started())

    def happen(self, signal: Signal) -> None:
        transition = advance(self.definition, self.state, signal, self.now)
        self.state = transition.state
        self.runs += transition.runs
        self.events += [event.type for event in transition.events]

    @property
    def asked(self) -> tuple[str, int] | None:
        position = self.state.lanes.get(ROOT)
        if position is None or position.phase is not Phase.WAITING or position.step is None:
            return None
        return (position.step, position.visit) if self.definition.by_id[position.step].kind.user_facing else None

    def act(self, draw: Any) -> bool:
        """Something that may happen now. False where nothing more will."""
        position = self.state.lanes.get(ROOT)
        if self.state.status not in OPEN or position is None:
            return False
        if position.phase is Phase.CALLING:
            failure = draw(st.sampled_from([None, None, None, StepFailure("BROKEN", "no")]))
            self.happen(
                Called(
                    ROOT,
                    str(position.step),
                    position.visit,
                    position.attempt,
                    self.now,
                    output={"a": 1},
                    failure=failure,
                )
            )
            return True
        deed = draw(st.sampled_from(["submit", "submit", "submit", "wrong", "stale", "back", "back", "time", "cancel"]))
        if deed == "cancel":
            if draw(st.integers(0, 5)) == 0:
                self.happen(Cancelled())
        elif deed == "time" or self.asked is None:
            self.now += timedelta(minutes=draw(st.integers(1, 25)))
            self.happen(Elapsed())
        else:
            self._user(deed, *self.asked, draw)
        return True

    def _user(self, deed: str, step_id: str, visit: int, draw: Any) -> None:
        before = self.state
        if deed == "submit":
            answer = draw(st.integers(0, 1_000))
            self.happen(Submitted(step_id, visit, answer))
            if self.state.status is not Status.EXPIRED:
                self.accepted.append((step_id, visit, {"said": answer}))
            return
        signal: Signal = WentBack(step_id, visit)
        if deed != "back":
            signal = Submitted(step_id, visit if deed == "wrong" else visit + draw(st.sampled_from([-1, 1])), "wrong")
        try:
            self.happen(signal)
        except (AnswerRefused, NotCurrent, NoWayBack):
            assert self.state is before


def played(definition: Definition, data: Any, most: int = 40) -> Visit:
    visit = Visit(definition)
    for _ in range(most):
        if not visit.act(data.draw):
            break
    return visit


@PLAYED
@given(definitions(), st.data())
def test_every_execution_ends_or_waits_for_something_named(definition: Definition, data: Any) -> None:
    visit = played(definition, data)
    state = visit.state
    if state.status in OPEN:
        assert state.runnable or state.waiting_for(definition)
        assert visit.asked is None or state.waiting_for(definition)[0]["step"] == visit.asked[0]
    else:
        assert state.wake_at is None
        assert state.status is Status.FAILED or not state.lanes


@PLAYED
@given(definitions(), st.data())
def test_whatever_was_accepted_is_recorded_once_and_nothing_else(definition: Definition, data: Any) -> None:
    visit = played(definition, data)
    ends = definition.user_part.end_pages
    recorded = [
        (run.step, run.visit, run.output)
        for run in visit.runs
        if definition.by_id[run.step].kind.user_facing and run.status == "COMPLETED" and run.step not in ends
    ]
    assert recorded == visit.accepted


@PLAYED
@given(definitions(), st.data())
def test_the_end_user_is_needed_until_done_and_only_then_can_time_run_out(definition: Definition, data: Any) -> None:
    visit = Visit(definition)
    for _ in range(40):
        awaiting = visit.state.status is Status.AWAITING
        if awaiting:
            assert visit.asked is None
            assert visit.state.expires_at is None
        if not visit.act(data.draw):
            break
        assert not awaiting or visit.state.status not in (Status.RUNNING, Status.EXPIRED)
        if visit.state.status is Status.RUNNING and not visit.state.runnable:
            assert visit.state.wake_at is not None
            assert visit.state.wake_at <= EXPIRES
    assert visit.events.count("workflow.awaiting") <= 1


@PLAYED
@given(definitions(), st.data())
def test_the_state_that_the_database_gives_back_is_the_same(definition: Definition, data: Any) -> None:
    """Outputs are read from the attempts; what was gone back over counts neither here nor there."""
    visit = played(definition, data)
    rows = [
        {"step": run.step, "ordinal": run.ordinal, "output": run.output} for run in visit.runs if run.output is not None
    ]
    cursor = visit.state.cursor()
    assert _values(rows, cursor.get("undone", {})).get(ROOT, {}) == visit.state.outputs
    assert tuple(cursor.get("trail", ())) == visit.state.trail


@PLAYED
@given(definitions(), st.data())
def test_going_back_leads_to_an_earlier_answer_with_nothing_but_harmless_steps_between(
    definition: Definition, data: Any
) -> None:
    visit = played(definition, data, most=15)
    if visit.asked is None:
        return
    target = way_back(definition, visit.state)
    if target is None:
        with pytest.raises(NoWayBack):
            visit.happen(WentBack(*visit.asked))
        return
    if visit.now >= EXPIRES:
        return
    last = max(index for index, run in enumerate(visit.runs) if run.step == target and run.status == "COMPLETED")
    undone = {run.step for run in visit.runs[last:]}
    assert all(definition.by_id[name].kind.name in ("question", "saying", "compute") for name in undone)
    visit.happen(WentBack(*visit.asked))
    assert visit.asked is not None
    assert visit.asked[0] == target
    assert not undone & visit.state.outputs.keys()
    with pytest.raises(NotAllowed):
        visit.happen(WentBack(target, visit.asked[1] + 1))


def test_ended_executions_take_nothing_from_end_users() -> None:
    for status in ENDED | {Status.FAILED}:
        state = replace(begun(define(step("a", QUESTION))), status=status)
        for signal in (Submitted("a", 1, 1), WentBack("a", 1)):
            with pytest.raises(NotCurrent):
                advance(define(step("a", QUESTION)), state, signal, NOW)


def test_the_last_saying_is_passed_by_also_where_work_goes_on_after_it() -> None:
    definition = define(step("ask", QUESTION), step("bye", SAYING), step("call", ASK, 1), step("end", COMPUTE, end))
    assert definition.user_part.asked == ("ask",)
    visit = Visit(definition)
    visit.happen(Submitted("ask", 1, 1))
    assert (visit.state.status, visit.state.lanes[ROOT].step) == (Status.AWAITING, "call")


def test_a_saying_that_may_be_followed_by_a_question_waits_for_its_button() -> None:
    definition = define(step("hello", SAYING), step("again", on_error=OnError("goto", "hello")))
    assert definition.user_part.asked == ("hello",)
    assert define(step("one", SAYING), step("two", SAYING)).user_part.end_pages == {"two"}


def test_expressions_read_the_language_that_the_end_user_answered_in() -> None:
    definition = compile_definition(
        """
name: spoken
steps:
  - id: ask
    consent: {title: Terms, text: Be kind., version: "1"}
  - id: after
    set: {language: "${execution.language}", locale: "${execution.locale}"}
""",
        load_kinds(),
    ).definition
    assert definition is not None
    state = begun(definition)
    state = advance(definition, replace(state, identity=replace(state.identity, locale="pl")), Started(), NOW).state
    answer = Submitted("ask", state.lanes[ROOT].visit, {"accepted": True}, language="pt-BR")
    after = advance(definition, state, answer, NOW)
    assert after.state.values[ROOT]["after"] == {"language": "pt-BR", "locale": "pl"}
    assert after.state.cursor()["language"] == "pt-BR"
    consent = next(run for run in after.runs if run.step == "ask")
    assert isinstance(consent.input, dict)
    assert consent.input["language"] == "pt-BR"
