"""`parallel` and `each`: lanes that run side by side and join."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.definitions.expressions import Template
from passerelle.definitions.model import Definition, OnError, Step
from passerelle.engine.kinds import Done, StepFailure
from passerelle.engine.lanes import inner_lane, place_of_lane
from passerelle.engine.model import Received, State, Status, StepRun, Transition
from passerelle.engine.positions import Phase
from passerelle.engine.signals import Called, Cancelled, Elapsed, EventCame, Retried, Started
from passerelle.engine.steps.each import EachConfig, EachKind
from passerelle.engine.steps.parallel import ParallelConfig, ParallelKind
from passerelle.engine.transitions import PURE_STEPS_AT_ONCE, advance
from tests.unit.engine.builders import ASK, CONTINUE, NOW, REST, RETRY, define, end, fresh, step

PARALLEL, EACH = ParallelKind(), EachKind()


def parallel(name: str, on_error: Any = "cancel", /, *, branches: dict[str, list[Step]], **rest: Any) -> Step:
    config = ParallelConfig({key: tuple(steps) for key, steps in branches.items()}, on_error)
    return step(name, PARALLEL, config, **rest)


def each(name: str, items: Any, *steps: Step, at_once: int = 10, on_error: Any = "fail", **rest: Any) -> Step:
    return step(name, EACH, EachConfig(Template.compile(items), "item", tuple(steps), at_once, on_error), **rest)


def start(definition: Definition, **parameters: Any) -> Transition:
    return advance(definition, fresh(definition, **parameters), Started(), NOW)


def answer(definition: Definition, state: State, lane: str, output: Any) -> Transition:
    position = state.lanes[lane]
    failed = isinstance(output, Exception)
    signal = Called(
        lane,
        str(position.step),
        position.visit,
        position.attempt,
        NOW,
        output=None if failed else output,
        failure=output if failed else None,
    )
    return advance(definition, state, signal, NOW)


def calling(state: State) -> list[str]:
    return [lane for lane, position in state.lanes.items() if position.phase is Phase.CALLING]


BROKEN = StepFailure("HTTP_STATUS", "it said no", reason="404")


def test_branches_join_into_one_output_by_name() -> None:
    both = parallel("both", branches={"left": [step("a"), step("b")], "right": [step("c")]})
    transition = start(define(both, step("after", config=lambda scope: Done(scope["steps"]["both"]))))
    assert transition.state.status is Status.COMPLETED
    assert transition.state.outputs["both"] == {"left": {"a": "a", "b": "b"}, "right": {"c": "c"}}
    assert [run.step for run in transition.runs][-2:] == ["both", "after"]
    assert {run.step for run in transition.runs} >= {"both.left.a", "both.right.c"}


def test_every_branch_calls_at_the_same_time() -> None:
    definition = define(parallel("both", branches={"left": [step("a", ASK)], "right": [step("b", ASK)]}))
    state = start(definition).state
    assert calling(state) == ["both.left", "both.right"]
    state = answer(definition, state, "both.right", 2).state
    assert state.status is Status.RUNNING
    done = answer(definition, state, "both.left", 1).state
    assert done.outputs["both"] == {"left": {"a": 1}, "right": {"b": 2}}


def test_steps_see_their_own_branch_and_what_ran_before_but_not_their_neighbour() -> None:
    def look(scope: Any) -> Done:
        return Done(sorted(scope["steps"]))

    both = parallel("both", branches={"left": [step("a"), step("see", config=look)], "right": [step("c"), step("d")]})
    outputs = start(define(step("first"), both)).state.outputs
    assert outputs["both"]["left"]["see"] == ["a", "first"]


def test_a_failing_branch_stops_the_others_and_the_execution_and_a_retry_goes_on_inside() -> None:
    definition = define(parallel("both", branches={"left": [step("a", ASK)], "right": [step("b", ASK)]}))
    state = start(definition).state
    failed = answer(definition, state, "both.left", BROKEN).state
    assert failed.status is Status.FAILED
    assert (failed.error or {})["step"] == "a"
    assert answer(definition, failed, "both.right", "late").runs == ()
    again = advance(definition, failed, Retried(UUID(int=4)), NOW).state
    assert sorted(calling(again)) == ["both.left", "both.right"]
    assert again.lanes["both.left"].attempt == 2
    again = answer(definition, again, "both.left", 1).state
    assert answer(definition, again, "both.right", 2).state.status is Status.COMPLETED


def test_with_wait_the_others_finish_before_the_step_fails() -> None:
    both = parallel("both", "wait", branches={"left": [step("a", ASK)], "right": [step("b", ASK)]})
    definition = define(both)
    waiting = answer(definition, start(definition).state, "both.left", BROKEN).state
    assert waiting.status is Status.RUNNING
    done = answer(definition, waiting, "both.right", 2)
    assert done.state.status is Status.FAILED
    assert any(run.step == "both.right.b" and run.status == "COMPLETED" for run in done.runs)


@pytest.mark.parametrize("inner_policy", ["cancel", "wait"])
def test_with_wait_what_failed_deeper_inside_is_waited_for_and_goes_no_further(inner_policy: str) -> None:
    inner = parallel("inner", inner_policy, branches={"x": [step("a", ASK)], "y": [step("b", ASK), step("c")]})
    outer = parallel("outer", "wait", branches={"left": [inner, step("never")], "right": [step("d", ASK)]})
    definition = define(outer)
    state = answer(definition, start(definition).state, "outer.left.inner.x", BROKEN).state
    assert sorted(calling(state)) == ["outer.left.inner.y", "outer.right"]
    transition = answer(definition, state, "outer.left.inner.y", 1)
    assert [run.step for run in transition.runs] == ["outer.left.inner.y.b", "outer.left.inner.y.c"]
    failed = answer(definition, transition.state, "outer.right", 2).state
    assert (failed.status, (failed.error or {})["code"]) == (Status.FAILED, "HTTP_STATUS")
    again = advance(definition, failed, Retried(UUID(int=4)), NOW).state
    assert calling(again) == ["outer.left.inner.x"], "what is done is done"
    done = answer(definition, again, "outer.left.inner.x", 3).state
    assert done.status is Status.COMPLETED
    assert done.outputs["outer"]["left"]["inner"] == {"x": {"a": 3}, "y": {"b": 1, "c": "c"}}
    assert done.outputs["outer"]["left"]["never"] == "never"


def test_with_wait_an_each_that_failed_inside_opens_no_more_items() -> None:
    outer = parallel("outer", "wait", branches={"left": [each("all", [1, 2, 3], step("a", ASK), at_once=2)]})
    definition = define(outer)
    state = answer(definition, start(definition).state, "outer.left.all[0]", BROKEN).state
    failed = answer(definition, state, "outer.left.all[1]", 1).state
    assert failed.status is Status.FAILED
    again = advance(definition, failed, Retried(UUID(int=4)), NOW).state
    assert "outer.left.all[0]" in calling(again)
    again = answer(definition, again, "outer.left.all[0]", 0).state
    done = answer(definition, again, "outer.left.all[2]", 2).state
    assert done.outputs["outer"]["left"]["all"] == {"items": [{"a": 0}, {"a": 1}, {"a": 2}]}


def test_with_wait_a_branching_step_inside_that_ran_out_of_time_is_not_joined() -> None:
    inner = parallel("inner", branches={"x": [step("a", ASK)]}, timeout=timedelta(minutes=1))
    outer = parallel("outer", "wait", branches={"left": [inner, step("never")], "right": [step("d", ASK)]})
    definition = define(outer)
    late = advance(definition, start(definition).state, Elapsed(), NOW + timedelta(minutes=2)).state
    assert late.status is Status.RUNNING
    late = answer(definition, late, "outer.left.inner.x", 1).state
    failed = answer(definition, late, "outer.right", 2).state
    assert (failed.status, (failed.error or {})["code"]) == (Status.FAILED, "STEP_TIMEOUT")
    again = advance(definition, failed, Retried(UUID(int=4)), NOW).state
    assert again.status is Status.COMPLETED, "all that was late has come meanwhile"
    assert again.outputs["outer"]["left"] == {"inner": {"x": {"a": 1}}, "never": "never"}


def test_a_handled_failure_drops_the_other_branches() -> None:
    both = parallel("both", branches={"left": [step("a", ASK)], "right": [step("b", ASK)]}, on_error=CONTINUE)
    definition = define(both, step("after"))
    state = answer(definition, start(definition).state, "both.left", BROKEN).state
    assert state.status is Status.COMPLETED
    assert state.outputs["both"]["error"]["code"] == "HTTP_STATUS"
    assert "after" in state.outputs


def test_each_keeps_the_order_of_the_list_and_no_more_than_at_once_run() -> None:
    definition = define(each("all", "${parameters.list}", step("ask", ASK), at_once=2))
    state = start(definition, list=["x", "y", "z"]).state
    assert calling(state) == ["all[0]", "all[1]"]
    state = answer(definition, state, "all[1]", "second").state
    assert calling(state) == ["all[0]", "all[2]"]
    state = answer(definition, state, "all[2]", "third").state
    done = answer(definition, state, "all[0]", "first").state
    assert done.outputs["all"] == {"items": [{"ask": "first"}, {"ask": "second"}, {"ask": "third"}]}


def test_items_are_read_by_name_and_jumps_stay_inside() -> None:
    skip = step("skip", config=lambda scope: Done(scope["item"], goto="last"))
    definition = define(each("all", [1, 2], skip, step("never"), step("last")))
    state = start(definition).state
    assert state.outputs["all"]["items"] == [{"skip": 1, "last": "last"}, {"skip": 2, "last": "last"}]


def test_a_failed_item_may_be_counted_as_done() -> None:
    definition = define(each("all", [1, 2], step("ask", ASK), on_error="continue"))
    state = answer(definition, start(definition).state, "all[0]", BROKEN).state
    done = answer(definition, state, "all[1]", "fine").state
    assert done.status is Status.COMPLETED
    first, second = done.outputs["all"]["items"]
    assert (first["error"]["code"], second) == ("HTTP_STATUS", {"ask": "fine"})


def test_a_retry_of_one_item_rests_while_the_others_go_on() -> None:
    definition = define(each("all", [1, 2], step("ask", ASK, retry=RETRY)))
    busy = StepFailure("HTTP_STATUS", "busy", reason="503")
    state = answer(definition, start(definition).state, "all[0]", busy).state
    assert state.runnable
    state = answer(definition, state, "all[1]", "fine").state
    assert not state.runnable
    assert state.wake_at == NOW + timedelta(seconds=1)
    state = advance(definition, state, Elapsed(), NOW + timedelta(seconds=1)).state
    assert answer(definition, state, "all[0]", "fine").state.status is Status.COMPLETED


@pytest.mark.parametrize(
    ("value", "code", "message"),
    [
        ({"a": 1}, "EACH_NOT_A_LIST", "`in` must give a list: it gives an object"),
        ("text", "EACH_NOT_A_LIST", "`in` must give a list: it gives a text"),
        ([0] * 100_001, "EACH_TOO_LONG", "the list has 100,001 items, 100,000 are the most: start several executions"),
        (
            [0] * 1_000_000,
            "EACH_TOO_LONG",
            "the list has 1,000,000 items, 100,000 are the most: start several executions",
        ),
    ],
)
def test_what_is_no_list_or_too_long_fails_clearly(value: Any, code: str, message: str) -> None:
    state = start(define(each("all", "${parameters.list}", step("a"))), list=value).state
    assert (state.status, state.error) == (Status.FAILED, {"code": code, "message": message, "step": "all"})


def test_an_empty_list_is_over_at_once() -> None:
    assert start(define(each("all", [], step("a")))).state.outputs["all"] == {"items": []}


def test_ten_thousand_pure_items_take_a_commit_for_every_few_hundred_steps() -> None:
    double = step("double", config=lambda scope: Done(scope["item"] * 2))
    definition = define(each("all", "${parameters.list}", double, at_once=100))
    transition = start(definition, list=list(range(2_000)))
    commits = 1
    while transition.state.runnable:
        assert len(transition.runs) <= PURE_STEPS_AT_ONCE + 101
        transition = advance(definition, transition.state, Elapsed(), NOW)
        commits += 1
    assert transition.state.status is Status.COMPLETED
    assert [item["double"] for item in transition.state.outputs["all"]["items"]] == [2 * n for n in range(2_000)]
    assert commits <= 8


def test_lanes_nest_and_a_loop_opens_new_ones() -> None:
    inner = each("inner", [1, 2], step("leaf"))
    both = parallel("both", branches={"left": [inner], "right": [step("r")]})
    visits = iter(["both", None])
    transition = start(define(both, step("back", config=lambda scope: Done(None, goto=next(visits)))))
    assert transition.state.outputs["both"]["left"]["inner"] == {"items": [{"leaf": "leaf"}, {"leaf": "leaf"}]}
    assert {run.step for run in transition.runs} >= {"both.left.inner[1].leaf", "both#2-1.left.inner[1].leaf"}
    assert inner_lane("", "both", 2, 1, "left") == "both#2-1.left"
    assert place_of_lane("both#2-1.left.inner[3]") == ("both#2-1.left", "inner", 3)


def test_end_inside_of_a_branch_ends_everything() -> None:
    definition = define(parallel("both", branches={"left": [step("stop", config=end)], "right": [step("b", ASK)]}))
    assert start(definition).state.status is Status.COMPLETED


def test_cancel_and_events_reach_into_lanes() -> None:
    definition = define(each("all", [1], step("paid", REST, "paid")))
    waiting = start(definition).state
    assert waiting.waiting_for(definition) == [{"step": "paid", "kind": "rest", "path": "all[0].paid", "event": "paid"}]
    came = advance(definition, waiting, EventCame(Received(UUID(int=9), "paid", 5)), NOW).state
    assert came.outputs["all"] == {"items": [{"paid": 5}]}
    assert advance(definition, waiting, Cancelled(), NOW).state.lanes == {}


def test_a_time_limit_on_the_whole_step() -> None:
    both = parallel("both", branches={"l": [step("a", ASK)], "r": [step("b")]}, timeout=timedelta(minutes=1))
    definition = define(replace(both, on_error=OnError("goto", "late")), step("skipped"), step("late"))
    late = advance(definition, start(definition).state, Elapsed(), NOW + timedelta(minutes=1)).state
    assert late.status is Status.COMPLETED
    assert late.outputs["both"]["error"]["code"] == "STEP_TIMEOUT"
    assert "skipped" not in late.outputs


@given(st.randoms(use_true_random=False), st.integers(1, 6), st.integers(1, 4))
def test_the_result_is_the_same_in_every_order(chance: random.Random, items: int, at_once: int) -> None:
    branch = {"l": [step("a", ASK), step("b")], "r": [step("c", ASK)]}
    definition = define(
        each("all", list(range(items)), step("ask", ASK), step("then"), at_once=at_once),
        parallel("both", branches=branch),
    )
    transition = start(definition)
    runs: list[StepRun] = list(transition.runs)
    while transition.state.status is Status.RUNNING:
        lanes = calling(transition.state)
        lane = chance.choice(lanes)
        transition = answer(definition, transition.state, lane, {"lane": lane})
        runs += transition.runs
    assert transition.state.result == {
        "all": {"items": [{"ask": {"lane": f"all[{n}]"}, "then": "then"} for n in range(items)]},
        "both": {"l": {"a": {"lane": "both.l"}, "b": "b"}, "r": {"c": {"lane": "both.r"}}},
    }
    assert [run.ordinal for run in runs] == list(range(len(runs)))
