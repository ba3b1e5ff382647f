"""The rules of flow, one by one. Each test says which promise it protects."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from passerelle.definitions.expressions import ExpressionError, Template
from passerelle.definitions.model import Definition, OnError
from passerelle.engine.calling import call_step
from passerelle.engine.kinds import Done, StepFailure
from passerelle.engine.lanes import ROOT
from passerelle.engine.model import Received, State, Status, Transition
from passerelle.engine.positions import Phase
from passerelle.engine.signals import Called, Cancelled, Elapsed, EventCame, Retried, Signal, Started, TakenOver
from passerelle.engine.transitions import PURE_STEPS_AT_ONCE, NotAllowed, advance
from passerelle.kit.clock import iso
from tests.unit.engine.builders import (
    ASK,
    COMPUTE,
    CONTINUE,
    FORM,
    NOW,
    REST,
    RETRY,
    Ask,
    define,
    end,
    fail,
    fresh,
    give,
    step,
)

REVISION = UUID(int=4)


def start(definition: Definition, **parameters: Any) -> Transition:
    return advance(definition, fresh(definition, **parameters), Started(), NOW)


def come_back(definition: Definition, state: State, answer: Any = None, later: timedelta = timedelta(0)) -> Transition:
    position = state.lanes[ROOT]
    failed = isinstance(answer, Exception)
    signal = Called(
        ROOT,
        str(position.step),
        position.visit,
        position.attempt,
        NOW,
        output=None if failed else answer,
        failure=answer if failed else None,
    )
    return advance(definition, state, signal, NOW + later)


def test_pure_steps_run_to_the_end_in_one_transition() -> None:
    transition = start(define(step("a"), step("b"), step("c")))
    assert transition.state.status is Status.COMPLETED
    assert [(run.step, run.status, run.ordinal) for run in transition.runs] == [
        ("a", "COMPLETED", 0),
        ("b", "COMPLETED", 1),
        ("c", "COMPLETED", 2),
    ]
    assert transition.state.result == {"a": "a", "b": "b", "c": "c"}
    assert [event.type for event in transition.events] == [
        "workflow.started",
        "workflow.completed",
        "workflow.status_changed",
    ]
    assert transition.state.wake_at is None


def test_a_later_step_reads_the_output_of_an_earlier_one() -> None:
    definition = define(step("a"), step("b", config=lambda scope: Done(scope["steps"]["a"] + "!")))
    assert start(definition).state.outputs["b"] == "a!"


def test_a_jump_goes_where_it_says_and_steps_between_do_not_run() -> None:
    transition = start(define(step("a", config=give("a", goto="c")), step("b"), step("c")))
    assert [run.step for run in transition.runs] == ["a", "c"]


def test_end_completes_early() -> None:
    transition = start(define(step("a"), step("stop", config=end), step("never")))
    assert transition.state.status is Status.COMPLETED
    assert "never" not in transition.state.outputs


def test_an_outside_step_is_committed_before_it_is_called() -> None:
    transition = start(define(step("a"), step("call", ASK), step("b")))
    assert transition.state.status is Status.RUNNING
    assert transition.state.lanes[ROOT].phase is Phase.CALLING
    assert transition.state.runnable
    assert [run.step for run in transition.runs] == ["a"]


def test_a_call_that_comes_back_is_recorded_once() -> None:
    definition = define(step("call", ASK), step("b"))
    calling = start(definition).state
    done = come_back(definition, calling, {"status": 200})
    assert done.state.status is Status.COMPLETED
    assert done.state.outputs["call"] == {"status": 200}
    again = come_back(definition, replace(done.state, lanes=calling.lanes), {"status": 500})
    assert again.runs == ()
    assert again.state.outputs["call"] == {"status": 200}


def test_an_answer_to_an_earlier_attempt_is_ignored() -> None:
    definition = define(step("call", ASK, retry=RETRY))
    calling = start(definition).state
    stale = Called(ROOT, "call", visit=1, attempt=7, started_at=NOW, output="late")
    assert advance(definition, calling, stale, NOW).state == calling


def test_a_late_answer_to_one_step_is_not_taken_for_that_of_the_next() -> None:
    """Two processes called the first step; the slower one comes when the second step is being called."""
    definition = define(step("first", ASK), step("second", ASK))
    calling = come_back(definition, start(definition).state, "one").state
    late = Called(ROOT, "first", 1, 1, NOW, output="one")
    assert advance(definition, calling, late, NOW).state == calling


def test_failed_attempts_are_repeated_with_growing_waits_and_then_fail_the_execution() -> None:
    definition = define(step("call", ASK, retry=RETRY))
    state = start(definition).state
    broken = StepFailure("HTTP_STATUS", "503", reason="503")
    for attempt, seconds in ((1, 1), (2, 2)):
        transition = come_back(definition, state, broken)
        position = transition.state.lanes[ROOT]
        assert (position.phase, position.attempt) == (Phase.RETRYING, attempt + 1)
        assert transition.state.wake_at == NOW + timedelta(seconds=seconds)
        assert transition.runs[0].status == "FAILED"
        state = advance(definition, transition.state, Elapsed(), NOW + timedelta(seconds=seconds)).state
        assert state.lanes[ROOT].phase is Phase.CALLING
    last = come_back(definition, state, broken)
    assert last.state.status is Status.FAILED
    assert last.state.error == {"code": "HTTP_STATUS", "message": "503", "step": "call"}
    assert last.state.wake_at is None


def test_the_other_side_may_ask_for_a_longer_wait_but_not_beyond_the_most_that_the_step_allows() -> None:
    definition = define(step("call", ASK, retry=RETRY))
    calling = start(definition).state
    polite = come_back(definition, calling, StepFailure("HTTP_STATUS", "429", reason="429", after=30))
    assert polite.state.wake_at == NOW + timedelta(seconds=30)
    absurd = come_back(definition, calling, StepFailure("HTTP_STATUS", "429", reason="429", after=1e9))
    assert absurd.state.wake_at == NOW + RETRY.max


def test_what_retry_does_not_cover_fails_at_once() -> None:
    definition = define(step("call", ASK, retry=RETRY))
    transition = come_back(definition, start(definition).state, StepFailure("HTTP_STATUS", "404", reason="404"))
    assert transition.state.status is Status.FAILED


def test_on_error_continue_goes_on_and_later_steps_can_see_the_error() -> None:
    transition = start(define(step("a", config=fail(), on_error=CONTINUE), step("b")))
    assert transition.state.status is Status.COMPLETED
    assert transition.state.outputs["a"]["error"]["code"] == "BROKEN"


def test_on_error_goto_goes_there() -> None:
    transition = start(define(step("a", config=fail(), on_error=OnError("goto", "c")), step("b"), step("c")))
    assert [run.step for run in transition.runs] == ["a", "c"]


def test_a_loop_is_bounded() -> None:
    transition = start(
        define(
            step("a"),
            step("back", config=give(None, goto="a")),
            step("z"),
        )
    )
    assert transition.state.status is Status.FAILED
    assert (transition.state.error or {})["code"] == "TOO_MANY_VISITS"
    assert transition.state.visits[""]["a"] == 101


def test_a_very_long_pure_run_commits_on_the_way() -> None:
    steps = [step(f"s{number}") for number in range(PURE_STEPS_AT_ONCE + 10)]
    definition = define(*steps)
    first = start(definition)
    assert first.state.lanes[ROOT].phase is Phase.READY
    assert first.state.runnable
    second = advance(definition, first.state, Elapsed(), NOW)
    assert second.state.status is Status.COMPLETED
    assert len(first.runs) + len(second.runs) == len(steps)


def test_a_wait_rests_until_its_time_and_not_before() -> None:
    definition = define(step("pause", REST, timedelta(hours=1)), step("b"))
    resting = start(definition).state
    assert resting.status is Status.AWAITING
    assert resting.wake_at == NOW + timedelta(hours=1)
    early = advance(definition, resting, Elapsed(), NOW + timedelta(minutes=59))
    assert early.state == resting
    assert advance(definition, resting, Elapsed(), NOW + timedelta(hours=1)).state.status is Status.COMPLETED


def test_an_event_wakes_the_step_that_waits_for_it() -> None:
    definition = define(step("paid", REST, "paid"), step("b"))
    resting = start(definition).state
    assert resting.waiting_for(definition) == [{"step": "paid", "kind": "rest", "event": "paid"}]
    other = advance(definition, resting, EventCame(Received(UUID(int=9), "shipped", 1)), NOW)
    assert other.state.status is Status.AWAITING
    assert other.consumed == ()
    came = advance(definition, other.state, EventCame(Received(UUID(int=10), "paid", {"amount": 5})), NOW)
    assert came.state.status is Status.COMPLETED
    assert came.state.outputs["paid"] == {"amount": 5}
    assert came.consumed == (UUID(int=10),)


def test_an_event_that_comes_early_waits_for_its_step() -> None:
    definition = define(step("call", ASK), step("paid", REST, "paid"))
    calling = start(definition).state
    early = advance(definition, calling, EventCame(Received(UUID(int=9), "paid", 5)), NOW)
    assert early.state.lanes == calling.lanes
    done = come_back(definition, early.state, "ok")
    assert done.state.status is Status.COMPLETED
    assert done.state.outputs["paid"] == 5
    assert done.consumed == (UUID(int=9),)


def test_a_call_under_way_is_seen_and_stays_seen_when_nobody_waits_for_it() -> None:
    definition = define(step("call", ASK), step("b"))
    calling = start(definition).state
    since = iso(NOW)
    assert calling.waiting_for(definition) == [{"step": "call", "kind": "call", "attempt": 1, "since": since}]
    cancelled = advance(definition, calling, Cancelled(), NOW)
    [run] = cancelled.runs
    assert (run.step, run.status, (run.error or {})["code"]) == ("call", "FAILED", "OUTCOME_UNKNOWN")
    assert run.input == ASK.describe(None, {})
    assert come_back(definition, replace(cancelled.state, lanes=calling.lanes), "late").runs == ()


def test_a_call_that_is_taken_over_is_another_attempt_and_the_first_stays_seen() -> None:
    definition = define(step("call", ASK, retry=RETRY), step("b"))
    calling = start(definition).state
    again = advance(definition, calling, TakenOver(), NOW)
    [run] = again.runs
    assert (run.attempt, run.status, (run.error or {})["code"]) == (1, "FAILED", "OUTCOME_UNKNOWN")
    [waits] = again.state.waiting_for(definition)
    assert (waits["kind"], waits["attempt"], waits["outcomeUnknown"]) == ("call", 2, 1)
    assert advance(definition, again.state, Called(ROOT, "call", 1, 1, NOW, output="late"), NOW).runs == ()
    assert again.state.lanes[ROOT].tries == calling.lanes[ROOT].tries, "it is no attempt of the definition's"
    done = come_back(definition, again.state, "ok")
    assert (done.state.status, done.state.outputs["call"]) == (Status.COMPLETED, "ok")


def test_a_call_that_is_left_to_others_was_not_begun() -> None:
    definition = define(step("call", ASK), step("b"))
    left = start(definition).state.for_others(definition)
    taken = advance(definition, left, TakenOver(), NOW)
    assert (taken.runs, taken.state.lanes[""].attempt) == ((), 1)
    assert [run.attempt for run in advance(definition, taken.state, TakenOver(), NOW).runs] == [1]


def test_an_event_that_does_not_fit_waits_for_a_step_that_it_fits() -> None:
    """Whether it came early or while a step rests: it never fails the execution that has accepted it."""
    definition = define(step("call", ASK), step("paid", REST, "paid!"), step("any", REST, "paid"))
    calling = start(definition).state
    early = advance(definition, calling, EventCame(Received(UUID(int=9), "paid", "odd")), NOW)
    resting = come_back(definition, early.state, "ok")
    assert (resting.state.status, resting.state.lanes[""].step, resting.consumed) == (Status.AWAITING, "paid", ())
    odd = advance(definition, resting.state, EventCame(Received(UUID(int=10), "paid", "odd too")), NOW)
    assert (odd.state.lanes[""].step, len(odd.state.inbox)) == ("paid", 2)
    fits = advance(definition, odd.state, EventCame(Received(UUID(int=11), "paid", 5)), NOW)
    assert fits.state.status is Status.COMPLETED
    assert (fits.state.outputs["paid"], fits.state.outputs["any"]) == (5, "odd")


def test_a_wait_with_a_timeout_fails_when_it_is_over() -> None:
    definition = define(step("paid", REST, "paid", timeout=timedelta(minutes=5)))
    resting = start(definition).state
    assert resting.wake_at == NOW + timedelta(minutes=5)
    late = advance(definition, resting, Elapsed(), NOW + timedelta(minutes=5))
    assert late.state.status is Status.FAILED
    assert (late.state.error or {})["code"] == "STEP_TIMEOUT"


def test_cancel_ends_whatever_was_under_way_and_nothing_follows() -> None:
    definition = define(step("call", ASK), step("b"))
    calling = start(definition).state
    cancelled = advance(definition, calling, Cancelled("wrong company"), NOW).state
    assert cancelled.status is Status.CANCELLED
    late = come_back(definition, replace(cancelled, lanes=calling.lanes), "late")
    assert late.runs == ()
    assert late.state.status is Status.CANCELLED


@pytest.mark.parametrize("signal", [Cancelled(), Retried(REVISION), EventCame(Received(UUID(int=9), "x", 1))])
def test_an_ended_execution_refuses_everything(signal: Signal) -> None:
    definition = define(step("a"))
    with pytest.raises(NotAllowed):
        advance(definition, start(definition).state, signal, NOW)


def test_retry_goes_on_from_the_failed_step_with_a_new_attempt_and_a_fresh_budget() -> None:
    definition = define(step("a"), step("call", ASK, retry=RETRY), step("b"))
    state = start(definition).state
    failed = come_back(definition, state, StepFailure("HTTP_STATUS", "400", reason="400")).state
    assert failed.status is Status.FAILED
    retried = advance(definition, failed, Retried(REVISION), NOW)
    position = retried.state.lanes[ROOT]
    assert (position.phase, position.attempt, position.tries) == (Phase.CALLING, 2, 1)
    assert retried.state.error is None
    assert come_back(definition, retried.state, "ok").state.status is Status.COMPLETED


def test_a_retry_from_an_earlier_step_runs_that_and_what_follows_again() -> None:
    definition = define(step("first"), step("call", ASK), step("broken", config=fail()), step("after", ASK))
    state = come_back(definition, start(definition).state, "once").state
    assert (state.error or {})["step"] == "broken"
    again = advance(definition, state, Retried(REVISION, "call"), NOW)
    position = again.state.lanes[ROOT]
    assert (position.step, position.phase, position.visit) == ("call", Phase.CALLING, 2)
    assert again.state.outputs == {"first": "first"}
    for unreached in ("after", "nothing"):
        with pytest.raises(NotAllowed, match="has not come by"):
            advance(definition, state, Retried(REVISION, unreached), NOW)


def test_a_result_that_cannot_be_worked_out_fails_and_can_be_retried() -> None:
    class Result(Template):
        def render(self, scope: Any, **_: Any) -> Any:
            raise ExpressionError("steps.x", "no such step")

    definition = define(step("a"))
    broken = replace(definition, result=Result.compile(None))
    failed = start(broken).state
    assert (failed.status, (failed.error or {})["code"]) == (Status.FAILED, "EXPRESSION_FAILED")
    assert advance(definition, failed, Retried(REVISION), NOW).state.status is Status.COMPLETED


def test_an_interactive_execution_is_running_while_the_end_user_is_needed_and_awaiting_after() -> None:
    definition = define(step("ask", FORM), step("call", ASK), step("b"))
    waiting = start(definition).state
    assert waiting.status is Status.RUNNING
    submitted = advance(definition, waiting, EventCame(Received(UUID(int=9), "form", {})), NOW)
    assert submitted.state.status is Status.AWAITING
    assert "workflow.awaiting" in [event.type for event in submitted.events]


def test_a_plug_in_that_crashes_fails_its_step_and_not_the_engine() -> None:
    def crash(scope: Any) -> Done:
        raise ZeroDivisionError

    failed = start(define(step("a", COMPUTE, crash))).state
    assert (failed.status, (failed.error or {})["code"]) == (Status.FAILED, "STEP_CRASHED")


async def test_a_plug_in_that_cannot_say_what_it_asks_for_fails_its_step_and_not_the_engine() -> None:
    class Speechless(Ask):
        def describe(self, config: Any, scope: Any) -> Any:
            raise RecursionError

    definition = define(step("a", Speechless()))
    state = start(definition).state
    outgoing: Any = None
    called = await call_step(
        definition, state, ROOT, state.lanes[ROOT], secrets={}, outgoing=outgoing, clock=lambda: NOW
    )
    assert isinstance(called.failure, StepFailure)
    assert called.failure.code == "STEP_CRASHED"
