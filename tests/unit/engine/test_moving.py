"""Executions that are moved to another revision: what is said of them, what comes along, and how they go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from passerelle.definitions.compiler import compile_definition
from passerelle.definitions.model import Definition
from passerelle.engine.kinds import StepFailure
from passerelle.engine.model import Identity, Received, State, Status
from passerelle.engine.moving import inverse, moved
from passerelle.engine.positions import LanePosition, Phase
from passerelle.engine.registry import load_kinds
from passerelle.engine.signals import (
    Answered,
    Called,
    ChildBegan,
    ChildEnded,
    Elapsed,
    EventCame,
    Moved,
    Retried,
    Signal,
    Started,
    Submitted,
)
from passerelle.engine.steps.review import Vote
from passerelle.engine.store import _values
from passerelle.engine.transitions import advance, call_key
from passerelle.engine.verdicts import MigrationVerdict, RevisionChange, VerdictReason, verdict_of
from tests.unit.engine.builders import NOW

FIRST, SECOND = UUID(int=41), UUID(int=42)
KINDS = load_kinds()
RENAMED = {"here": "there"}


def compiled(steps: str, head: str = "") -> Definition:
    made = compile_definition(f"name: test\n{head}\nsteps:\n{steps}", KINDS)
    assert made.definition is not None, made.problems
    assert not made.problems, [str(problem) for problem in made.problems]
    return made.definition


def started(definition: Definition, **more: Any) -> State:
    facts = {"parameters": {}, "record_id": None, "expires_at": None} | more
    identity = Identity(
        UUID(int=1), UUID(int=2), UUID(int=3), definition.execution_type, facts["parameters"], NOW, "API",
        record_id=facts["record_id"], expires_at=facts["expires_at"],
    )  # fmt: skip
    return advance(definition, State(identity, FIRST), Started(), NOW).state


@dataclass
class Rest:
    """A step of one kind at which an execution rests, and what lets it go on from there."""

    step: str
    go_on: Callable[[Definition, State], State]
    before: Callable[[Definition, State], State] = lambda definition, state: state
    """What happens between the start and the rest."""


def happen(definition: Definition, state: State, *signals: Signal, at: datetime = NOW) -> State:
    for signal in signals:
        state = advance(definition, state, signal, at).state
    return state


def later(definition: Definition, state: State) -> State:
    assert state.wake_at is not None
    return happen(definition, state, Elapsed(), at=state.wake_at)


def here(state: State, lane: str = "") -> LanePosition:
    return state.lanes[lane]


def called(failure: Exception | None = None, output: Any = None, lane: str = "") -> Callable[..., State]:
    def call(definition: Definition, state: State) -> State:
        at = here(state, lane)
        return happen(
            definition, state, Called(lane, str(at.step), at.visit, at.attempt, NOW, output=output, failure=failure)
        )

    return call


def submitted(answer: Any) -> Callable[[Definition, State], State]:
    def submit(definition: Definition, state: State) -> State:
        return happen(definition, state, Submitted(str(here(state).step), here(state).visit, answer))

    return submit


def decided(lane: str = "") -> Callable[[Definition, State], State]:
    def decide(definition: Definition, state: State) -> State:
        at = here(state, lane)
        vote = Vote("approve", None, {"type": "user", "id": "anna", "name": "Anna"})
        return happen(definition, state, Answered(lane, str(at.step), at.visit, at.attempt, vote))

    return decide


def event(definition: Definition, state: State) -> State:
    return happen(definition, state, EventCame(Received(UUID(int=9), "paid", {"amount": 3})))


def child_ends(definition: Definition, state: State) -> State:
    child = here(state).child
    assert child is not None
    return happen(definition, state, ChildEnded(child, Status.COMPLETED, {"answer": 42}))


def child_begins(definition: Definition, state: State) -> State:
    child = here(state).child
    assert child is not None
    return happen(definition, state, ChildBegan(child))


def retried(definition: Definition, state: State) -> State:
    return called(output={"status": 200, "body": 1})(definition, later(definition, state))


def branches_end(definition: Definition, state: State) -> State:
    for lane in [lane for lane in state.lanes if lane]:
        state = decided(lane)(definition, state)
    return state


BUSY = called(StepFailure("HTTP_STATUS", "no", reason="503"))
REVIEW = "review: {title: Check, outcomes: [approve, reject]}"
RESTS = {
    "wait": Rest("wait: {for: 2d}", later),
    "wait until": Rest("wait: {until: '2026-02-01'}", later),
    "event": Rest("event: {name: paid, within: 5d}", event),
    "review": Rest(REVIEW, decided()),
    "http in retry": Rest("http: {url: 'https://example.com'}", retried, BUSY),
    "email in retry": Rest("email: {to: a@example.com, subject: Hi, body: Hi}", retried, called(
        StepFailure("EMAIL_NOT_TAKEN", "no", reason="connection")
    )),
    "check in retry": Rest("check: {name: vat-vies, with: {value: PL5260001246}}", retried, called(
        StepFailure("CHECK_UNAVAILABLE", "no", reason="connection")
    )),
    "record in retry": Rest("record: {create: {name: Acme}, table: companies}", retried, called(
        StepFailure("RECORD_CONFLICT", "no", reason="conflict")
    )),
    "workflow": Rest("workflow: {definition: other}", child_ends, child_begins),
    "parallel": Rest(
        f"parallel: {{branches: {{a: [{{id: one, {REVIEW}}}], b: [{{id: two, {REVIEW}}}]}}}}", branches_end
    ),
    "each": Rest(f"each: {{in: '${{[1, 2, 3]}}', steps: [{{id: one, {REVIEW}}}]}}", branches_end),
    "form": Rest(
        "form: {title: Who, schema: {type: object, properties: {name: {type: string, title: Name}}}}",
        submitted({"name": "Acme"}),
    ),
    "upload": Rest("upload: {title: Extract, min: 0}", submitted({"files": []})),
    "consent": Rest("consent: {title: Terms, text: All of it, version: '1'}", submitted({"accepted": True})),
    "message": Rest(
        "message: {title: Hello, text: Go on}\n  - id: goodbye\n    message: {title: Bye, text: Bye}", submitted(None)
    ),
}  # fmt: skip


def revision(step: str, name: str, extra: str = "") -> Definition:
    tail = f"  - id: last\n    set: {{saw: '${{has(steps.{name})}}'}}\n"
    return compiled(f"  - id: first\n    set: {{x: 1}}\n  - id: {name}\n    {step}\n{extra}{tail}")


@pytest.mark.parametrize("kind", RESTS)
def test_an_execution_goes_on_from_each_kind_of_step_under_its_new_name(kind: str) -> None:
    """It rests at a step that the other revision calls otherwise; the output is read under the new name there."""
    rest = RESTS[kind]
    before, after = revision(rest.step, "here"), revision(rest.step, "there", "  - id: new\n    set: {y: 2}\n")
    state = rest.before(before, started(before))
    (missing,) = RevisionChange(before, after, 2, {}).judge(state, NOW)
    assert (missing.code, missing.step) == ("STEP_MISSING", "here")
    assert "map it onto `there`" in missing.message
    assert verdict_of([missing]) is MigrationVerdict.NEEDS_MAPPING
    way = RevisionChange(before, after, 2, RENAMED)
    assert list(way.mapping_problems()) == []
    assert way.judge(state, NOW) == []
    transition = advance(after, moved(state, after, SECOND, RENAMED), Moved(), NOW)
    assert transition.runs == ()
    assert transition.state.wake_at == state.wake_at, "what it waits for has not changed"
    assert transition.state.waiting_for(after)[0]["step"] in ("there", "one")
    end = rest.go_on(after, transition.state)
    assert end.status in (Status.COMPLETED, Status.AWAITING), end.error
    assert end.outputs["last"] == {"saw": end.outputs.get("there") is not None}
    assert end.outputs["new"] == {"y": 2}


@pytest.mark.parametrize("kind", RESTS)
def test_moving_there_and_back_changes_nothing(kind: str) -> None:
    rest = RESTS[kind]
    before, after = revision(rest.step, "here"), revision(rest.step, "there")
    state = rest.before(before, started(before))
    there = moved(state, after, SECOND, RENAMED)
    assert moved(there, before, FIRST, inverse(RENAMED)) == state
    assert moved(moved(state, before, SECOND, {}), before, FIRST, {}) == state


@pytest.mark.parametrize("kind", ["http in retry", "email in retry", "check in retry"])
def test_a_call_keeps_its_key_when_its_step_gets_another_name(kind: str) -> None:
    """The first attempt may have reached the other side: the next one must be known as the same."""
    rest = RESTS[kind]
    before, after = revision(rest.step, "here"), revision(rest.step, "there")
    state = rest.before(before, started(before))
    key = call_key(state.identity.id, "", here(state))
    there = later(after, moved(state, after, SECOND, RENAMED))
    assert here(there).phase is Phase.CALLING
    assert call_key(there.identity.id, "", here(there)) == key
    assert LanePosition.from_json(here(there).to_json()) == here(there)


def test_a_step_that_is_being_called_keeps_its_name() -> None:
    step = RESTS["http in retry"].step
    before, after = revision(step, "here"), revision(step, "there")
    (reason,) = RevisionChange(before, after, 2, RENAMED).judge(started(before), NOW)
    assert (reason.code, verdict_of([reason])) == ("STEP_CALLING", MigrationVerdict.REFUSED)
    same = revision(step, "here", "  - id: new\n    set: {y: 2}\n")
    assert RevisionChange(before, same, 2, {}).judge(started(before), NOW) == []


def codes(before: Definition, after: Definition, state: State, at: datetime = NOW, **names: str) -> list[str]:
    return [reason.code for reason in RevisionChange(before, after, 2, names).judge(state, at)]


def test_a_step_that_is_gone_for_good_refuses() -> None:
    before, after = revision("wait: {for: 2d}", "here"), compiled("  - id: first\n    set: {x: 1}\n")
    assert codes(before, after, started(before)) == ["STEP_REMOVED"]


def test_a_step_under_way_that_becomes_another_kind_refuses() -> None:
    before, after = revision("wait: {for: 2d}", "here"), revision(REVIEW, "here")
    assert codes(before, after, started(before)) == ["KIND_CHANGED"]


def test_a_failed_step_may_become_another_kind_and_is_retried_as_that() -> None:
    """This is how a broken definition is mended under executions that failed by it."""
    before, after = revision(RESTS["http in retry"].step, "here"), revision("set: {mended: 1}", "here")
    state = called(StepFailure("HTTP_STATUS", "no", reason="404"))(before, started(before))
    assert state.status is Status.FAILED
    assert codes(before, after, state) == []
    end = happen(after, moved(state, after, SECOND, {}), Retried(SECOND))
    assert (end.status, end.outputs["here"]) == (Status.COMPLETED, {"mended": 1})


def test_a_step_that_stands_in_another_list_refuses() -> None:
    before = compiled(f"  - id: here\n    {REVIEW}\n")
    after = compiled(
        f"  - id: both\n    parallel: {{branches: {{a: [{{id: here, {REVIEW}}}], b: [{{id: x, {REVIEW}}}]}}}}\n"
    )
    assert codes(before, after, started(before)) == ["STEP_ELSEWHERE"]


def test_a_wait_for_an_event_of_another_name_refuses() -> None:
    before, after = revision("event: {name: paid}", "here"), revision("event: {name: payment}", "here")
    (reason,) = RevisionChange(before, after, 2, {}).judge(started(before), NOW)
    assert reason.code == "WAIT_CHANGED"
    assert "`paid`, and there for `payment`" in reason.message


def test_an_event_that_came_early_must_find_its_step_there() -> None:
    before = revision("wait: {for: 1d}", "here", "  - id: pay\n    event: {name: paid}\n")
    state = happen(before, started(before), EventCame(Received(UUID(int=9), "paid", None)))
    assert codes(before, revision("wait: {for: 1d}", "here"), state) == ["EVENT_NOT_TAKEN"]
    kept = revision("wait: {for: 1d}", "here", "  - id: pays\n    event: {name: paid}\n")
    assert codes(before, kept, state) == []


def test_a_vote_for_an_outcome_that_is_gone_refuses() -> None:
    four = "review: {title: Check, outcomes: [approve, reject], fourEyes: true}"
    before, after = revision(four, "here"), revision(four.replace("approve", "accept"), "here")
    assert codes(before, after, started(before)) == ["REVIEW_LOOSENED"]
    assert codes(before, after, decided()(before, started(before))) == ["WAIT_CHANGED"]


def test_an_open_review_keeps_its_rules_and_looser_ones_are_a_verdict_of_their_own() -> None:
    strict = "review: {title: Check, outcomes: [approve, reject], assignTo: boss, fourEyes: true}"
    before = revision(strict, "here")
    state = started(before)
    looser = {
        strict.replace("fourEyes: true", "fourEyes: false"),
        strict.replace("boss", "anybody"),
        strict.replace("assignTo: boss, ", ""),
        strict.replace("reject]", "reject, later]"),
    }
    for text in looser:
        after = revision(text, "here")
        assert codes(before, after, state) == ["REVIEW_LOOSENED"], text
        change = RevisionChange(before, after, 2, {})
        kept = next(one for one in moved(state, after, UUID(int=9), {}).waiting_for(after))
        assert (kept["fourEyes"], kept["assignTo"], kept["outcomes"]) == (True, "boss", ["approve", "reject"])
        asked = change.under_rules(moved(state, after, UUID(int=9), {}), after, NOW).waiting_for(after)[0]
        assert (asked["fourEyes"], asked["assignTo"]) != (True, "boss") or "later" in asked["outcomes"]
    assert codes(before, revision(strict.replace("title: Check", "title: Look"), "here"), state) == []
    loose = revision(strict.replace("fourEyes: true", "fourEyes: false"), "here")
    assert codes(loose, before, started(loose)) == [], "stricter rules are for the next review"


def test_branches_and_items_that_are_under_way_must_be_the_same() -> None:
    more = "parallel: {branches: {a: [{id: one, %s}], b: [{id: two, %s}], c: [{id: three, %s}]}}" % ((REVIEW,) * 3)
    before = revision(RESTS["parallel"].step, "here")
    assert codes(before, revision(more, "here"), started(before)) == ["BRANCHES_CHANGED"]
    each = revision(RESTS["each"].step, "here")
    other = revision(RESTS["each"].step.replace("1, 2, 3", "1, 2, 4"), "here")
    assert codes(each, other, started(each)) == ["BRANCHES_CHANGED"]


def test_inner_steps_get_their_new_names_in_every_lane() -> None:
    step = RESTS["each"].step
    before, after = revision(step, "here"), revision(step.replace("id: one", "id: uno"), "there")
    state = decided("here[1]")(before, started(before))
    names = {"here": "there", "one": "uno"}
    assert codes(before, after, state, NOW, **names) == []
    there = moved(state, after, SECOND, names)
    assert set(there.lanes) == {"", "there[0]", "there[2]"}
    assert {there.lanes[lane].step for lane in there.lanes} == {"there", "uno"}
    end = branches_end(after, there)
    assert [sorted(item) for item in end.outputs["there"]["items"]] == [["uno"]] * 3


STEP = "  - id: {}\n    {}\n"
WAIT = STEP.format("here", "wait: {for: 1d}")
LAST = STEP.format("last", "set: {{score: '${{{}}}'}}")


def test_an_output_that_nothing_gives_any_more_refuses() -> None:
    """The other revision has a new step before the place where the execution rests, and reads it after."""
    before = compiled(WAIT + STEP.format("last", "set: {score: 1}"))
    after = compiled(STEP.format("risk", "set: {score: 2}") + WAIT + LAST.format("steps.risk.score"))
    (reason,) = RevisionChange(before, after, 2, {}).judge(started(before), NOW)
    assert (reason.code, reason.step) == ("OUTPUT_MISSING", "risk")
    assert "has(steps.risk)" in reason.message
    asking = compiled(
        STEP.format("risk", "set: {score: 2}") + WAIT + LAST.format("has(steps.risk) ? steps.risk.score : 0")
    )
    assert codes(before, asking, started(before)) == []


def test_a_condition_that_asks_covers_its_whole_step() -> None:
    before = compiled(WAIT)
    after = compiled(
        STEP.format("risk", "set: {score: 2}")
        + WAIT
        + "  - id: last\n    when: has(steps.risk)\n    set: {score: '${steps.risk.score}'}\n"
    )
    assert codes(before, after, started(before)) == []


def test_an_output_under_another_name_needs_a_mapping() -> None:
    old, new = "set: {score: 1}", "set: {score: 2}"
    before = compiled(STEP.format("danger", old) + WAIT + LAST.format("steps.danger.score"))
    after = compiled(STEP.format("risk", new) + WAIT + LAST.format("steps.risk.score"))
    (reason,) = RevisionChange(before, after, 2, {}).judge(started(before), NOW)
    assert (reason.code, reason.verdict) == ("OUTPUT_MISSING", MigrationVerdict.NEEDS_MAPPING)
    assert "map `danger` onto it" in reason.message
    assert codes(before, after, started(before), danger="risk") == []
    end = later(after, moved(started(before), after, SECOND, {"danger": "risk"}))
    assert end.outputs["last"] == {"score": 1}, "it ran before, so it is not run again"


def test_an_output_that_still_comes_is_no_reason() -> None:
    before = compiled(WAIT)
    after = compiled(WAIT + STEP.format("risk", "set: {score: 2}") + LAST.format("steps.risk.score"))
    assert codes(before, after, started(before)) == []


def test_a_step_that_was_passed_by_in_both_revisions_is_no_reason() -> None:
    """A skipped step has no output on either revision: that is for the definition to know."""
    skipped = "  - id: risk\n    when: 1 > 2\n    set: {score: 2}\n"
    before = compiled(skipped + WAIT + LAST.format("steps.risk.score"))
    assert codes(before, before, started(before)) == []


def test_a_step_that_moves_up_before_the_execution_refuses() -> None:
    risk = STEP.format("risk", "set: {score: 2}")
    before, after = (
        compiled(WAIT + risk + LAST.format("steps.risk.score")),
        compiled(risk + WAIT + LAST.format("steps.risk.score")),
    )
    assert codes(before, after, started(before)) == ["OUTPUT_MISSING"]


def test_an_output_of_another_kind_refuses_where_it_is_read() -> None:
    before = compiled(STEP.format("risk", "set: {score: 2}") + WAIT)
    check = STEP.format("risk", "check: {name: iban, with: {value: x}}")
    assert codes(before, compiled(check + WAIT + LAST.format("steps.risk.passed")), started(before)) == [
        "OUTPUT_CHANGED"
    ]
    assert codes(before, compiled(check + WAIT), started(before)) == []


def test_the_result_is_ahead_of_every_execution() -> None:
    before = compiled(WAIT)
    after = compiled(STEP.format("risk", "set: {score: 2}") + WAIT, head="result: {score: '${steps.risk.score}'}")
    assert codes(before, after, started(before)) == ["OUTPUT_MISSING"]


def test_a_new_inner_step_that_a_lane_has_passed_refuses() -> None:
    def each(steps: str, read: str) -> Definition:
        tail = f"{{id: one, {REVIEW}}}, {{id: end, set: {{x: '${{{read}}}'}}}}"
        return compiled(STEP.format("here", f"each: {{in: '${{[1]}}', steps: [{steps}{tail}]}}"))

    before, after = each("", "1"), each("{id: risk, set: {score: 2}}, ", "steps.risk.score")
    assert codes(before, after, started(before)) == ["OUTPUT_MISSING"]


def test_parameters_must_fit_and_defaults_are_filled_in() -> None:
    def head(text: str) -> Definition:
        return compiled(WAIT, head=f"parameters: {{{text}}}")

    before = head("a: {type: string}")
    state = started(before, parameters={"a": "x"})
    assert codes(before, head("a: {type: number}"), state) == ["PARAMETER_TYPE"]
    assert codes(before, head("b: {type: string, required: true}"), state) == ["PARAMETER_MISSING"]
    after = head("b: {type: string, default: y}")
    assert codes(before, after, state) == []
    assert RevisionChange(before, after, 2, {}).parameters(state) == {"a": "x", "b": "y"}


def test_a_record_of_another_table_refuses() -> None:
    before, after = compiled(WAIT, "record: {table: a}"), compiled(WAIT, "record: {table: b}")
    assert codes(before, after, started(before)) == []
    assert codes(before, after, started(before, record_id=UUID(int=7))) == ["RECORD_TABLE_CHANGED"]


FORM = RESTS["form"].step


def test_an_end_user_where_there_was_none_refuses() -> None:
    before = compiled(WAIT)
    after = compiled(WAIT + STEP.format("ask", FORM))
    assert "EXECUTION_TYPE_CHANGED" in codes(before, after, started(before))


def test_an_end_user_may_be_asked_again_only_in_time() -> None:
    before, after = (
        compiled(STEP.format("ask", FORM) + WAIT),
        compiled(STEP.format("ask", FORM) + WAIT + STEP.format("more", FORM)),
    )
    state = submitted({"name": "x"})(before, started(before, expires_at=NOW + timedelta(days=7)))
    assert state.status is Status.AWAITING
    assert codes(before, after, state) == []
    assert codes(before, after, state, NOW + timedelta(days=8)) == ["END_USER_IS_DONE"]
    transition = advance(after, moved(state, after, SECOND, {}), Moved(), NOW)
    assert transition.state.status is Status.RUNNING
    assert [told.type for told in transition.events] == ["workflow.status_changed"]


def test_the_end_user_can_go_back_as_far_as_the_steps_are_there() -> None:
    forms = [STEP.format(name, FORM) for name in ("one", "two", "three")]
    before, after = compiled("".join(forms)), compiled(forms[0] + forms[2])
    state = started(before)
    for _ in range(2):
        state = submitted({"name": "x"})(before, state)
    assert state.trail == ("one", "two")
    assert moved(state, after, SECOND, {}).trail == ()


def test_a_name_that_another_step_has_used_refuses() -> None:
    """A visit of a name is recorded once, so two steps that have both run cannot change their names."""
    before = compiled(STEP.format("one", "wait: {until: '2020-01-01'}") + STEP.format("two", "wait: {for: 1d}"))
    after = compiled(STEP.format("two", "wait: {until: '2020-01-01'}") + STEP.format("one", "wait: {for: 1d}"))
    assert codes(before, after, started(before), one="two", two="one") == ["NAME_USED"]


def test_a_new_step_under_an_old_name_counts_on() -> None:
    step = "wait: {until: '2020-01-01'}"
    before = compiled(STEP.format("one", step) + WAIT)
    after = compiled(STEP.format("uno", step) + WAIT + STEP.format("one", step))
    there = moved(started(before), after, SECOND, {"one": "uno"})
    assert there.visits[""]["one"] == there.visits[""]["uno"] == 1
    ended = advance(after, there, Elapsed(), NOW + timedelta(days=2))
    assert ("one", 2) in [(run.step, run.visit) for run in ended.runs]


def test_outputs_are_read_back_under_the_names_that_they_have_now() -> None:
    """The database keeps them as they were recorded, each with its ordinal."""
    before = revision("set: {x: 1}", "here", WAIT.replace("here", "rest"))
    after = revision("set: {x: 1}", "there", WAIT.replace("here", "rest"))
    there = moved(started(before), after, SECOND, RENAMED)
    recorded = [
        {"step": "first", "ordinal": 0, "output": {"x": 1}},
        {"step": "here", "ordinal": 1, "output": {"x": 1}},
        {"step": "here", "ordinal": 7, "output": "another step"},
    ]
    read = _values(recorded, {}, there.renamings)
    assert read == {"": {"first": {"x": 1}, "there": {"x": 1}, "here": "another step"}}
    assert {**read[""], "here": None} == {**there.outputs, "here": None}


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ({"nowhere": "there"}, "there is no step `nowhere` to map"),
        ({"here": "nowhere"}, "revision 2 has no step `nowhere`"),
        ({"here": "last"}, "`last` and `here` would both become `last`"),
        ({"here": "there", "other": "there"}, "would both become `there`"),
        ({"here": "pick"}, "`here` is a `wait` step and `pick` a `set`"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused(names: dict[str, str], said: str) -> None:
    wait = "wait: {for: 1d}"
    before = revision(wait, "here", STEP.format("other", wait))
    after = revision(wait, "there", STEP.format("pick", "set: {x: 1}"))
    found = [message for _, message in RevisionChange(before, after, 2, names).mapping_problems()]
    assert len(found) == 1
    assert said in found[0]


def test_every_reason_is_said_at_once_and_once() -> None:
    before = compiled(STEP.format("here", RESTS["each"].step))
    after = compiled(WAIT.replace("here", "other"), "parameters: {b: {type: string, required: true}}")
    assert sorted(codes(before, after, started(before))) == ["PARAMETER_MISSING", "STEP_REMOVED"]


def test_a_safe_execution_has_no_reason() -> None:
    assert verdict_of([]) is MigrationVerdict.SAFE
    assert (
        verdict_of([VerdictReason("A", "", verdict=MigrationVerdict.NEEDS_MAPPING), VerdictReason("B", "")])
        is MigrationVerdict.REFUSED
    )


def test_a_lane_that_has_failed_within_another_moves_along() -> None:
    each = "each: {{in: '${{[1]}}', steps: [{{id: one, {}}}]}}"
    before = compiled(STEP.format("here", each.format("fail: {code: NO, message: No}")))
    after = compiled(STEP.format("there", each.format("set: {x: 1}")))
    state = started(before)
    assert state.status is Status.FAILED
    assert codes(before, after, state, here="there") == []
    end = happen(after, moved(state, after, SECOND, RENAMED), Retried(SECOND))
    assert (end.status, end.outputs["there"]) == (Status.COMPLETED, {"items": [{"one": {"x": 1}}]})


def test_what_is_moved_stands_on_the_other_revision_with_its_parameters() -> None:
    before = compiled(WAIT)
    there = moved(started(before), before, SECOND, {}, {"a": 1})
    assert (there.revision_id, there.identity.parameters) == (SECOND, {"a": 1})
    assert replace(there, revision_id=FIRST, identity=started(before).identity) == started(before)
