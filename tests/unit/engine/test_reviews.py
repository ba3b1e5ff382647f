"""A person's decision: who counts, what is refused, limits, reminders, and what others hear of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.definitions.expressions import Template
from passerelle.definitions.model import Definition, OnError
from passerelle.engine.kinds import Refusal
from passerelle.engine.model import State, Status, Transition
from passerelle.engine.positions import LanePosition
from passerelle.engine.signals import Answered, AskedAgain, Elapsed, Retried, Started, Submitted
from passerelle.engine.steps.each import EachConfig, EachKind
from passerelle.engine.steps.review import ReviewConfig, ReviewKind, Taking, Vote
from passerelle.engine.transitions import advance
from passerelle.kit.clock import iso
from tests.unit.engine.builders import COMPUTE, NOW, define, fresh, give, step
from tests.unit.engine.test_user_part import QUESTION, begun

REVIEW = ReviewKind()
DAY = timedelta(days=1)


def config(**given: Any) -> ReviewConfig:
    values = dict.fromkeys(("assign_to", "notify", "within", "remind_every"))
    return ReviewConfig(
        **{"title": Template.compile("Check"), "outcomes": ("approve", "reject"), "four_eyes": False, **values, **given}
    )


def review(**given: Any) -> Definition:
    rest = {key: given.pop(key) for key in ("on_error", "timeout") if key in given}
    return define(step("review", REVIEW, config(**given), **rest), step("after"))


def started(definition: Definition, **parameters: Any) -> State:
    return advance(definition, fresh(definition, **parameters), Started(), NOW).state


def vote(
    definition: Definition, state: State, outcome: str, who: str = "anna", at: datetime = NOW, lane: str = ""
) -> Transition:
    position = state.lanes.get(lane, LanePosition("review", visit=1))
    by = {"type": "user", "id": who, "name": who.title()}
    answered = Answered(lane, str(position.step), position.visit, position.attempt, Vote(outcome, f"{who} says so", by))
    return advance(definition, state, answered, at)


def refused(definition: Definition, state: State, *args: Any, **more: Any) -> str:
    with pytest.raises(Refusal) as refusal:
        vote(definition, state, *args, **more)
    return refusal.value.code


def types(transition: Transition) -> list[str]:
    return [event.type for event in transition.events]


def test_one_decision_is_the_output_and_the_next_step_follows() -> None:
    definition = review(assign_to=Template.compile("${parameters.role}", names=frozenset({"parameters"})))
    requested = advance(definition, fresh(definition, role="compliance"), Started(), NOW)
    assert requested.state.waiting_for(definition) == [
        {
            "step": "review",
            "kind": "review",
            "title": "Check",
            "outcomes": ["approve", "reject"],
            "assignTo": "compliance",
            "fourEyes": False,
            "requestedAt": iso(NOW),
            "votes": [],
            "takenBy": None,
        }
    ]
    (told,) = [event for event in requested.events if event.type == "review.requested"]
    assert told.data == {
        "workflowId": str(UUID(int=1)),
        "workflowDefinitionId": str(UUID(int=3)),
        "step": "review",
        "assignTo": "compliance",
        "takenBy": None,
        "outcome": None,
    }
    decided = vote(definition, requested.state, "approve", at=NOW + DAY)
    by = {"type": "user", "id": "anna", "name": "Anna"}
    assert decided.state.outputs["review"] == {
        "outcome": "approve",
        "comment": "anna says so",
        "by": by,
        "at": "2026-01-06T09:00:00.000Z",
    }
    assert decided.state.status is Status.COMPLETED
    assert types(decided) == ["review.decided", "workflow.completed", "workflow.status_changed"]
    assert decided.events[0].data is not None
    assert decided.events[0].data["outcome"] == "approve"
    assert decided.runs[0].input["title"] == "Check"


def test_an_unknown_outcome_is_refused_with_those_that_there_are() -> None:
    definition = review()
    with pytest.raises(Refusal, match="`maybe` cannot be decided here; send one of `approve`, `reject`"):
        vote(definition, started(definition), "maybe")


def test_a_second_decision_and_one_after_the_limit_are_refused() -> None:
    definition = review(within=DAY)
    state = started(definition)
    assert refused(definition, state, "approve", at=NOW + DAY) == "STEP_TOO_LATE"
    decided = vote(definition, state, "approve").state
    assert refused(definition, decided, "reject", "ben") == "STEP_NOT_WAITING"


def test_an_answer_for_an_earlier_visit_is_refused() -> None:
    definition = review()
    state = started(definition)
    answered = Answered("", "review", 2, 1, Vote("approve", None, {"type": "key", "id": "a", "name": "A"}))
    with pytest.raises(Refusal):
        advance(definition, state, answered, NOW)


def test_nobody_in_time_fails_the_step_and_its_on_error_decides() -> None:
    definition = review(within=DAY)
    late = advance(definition, started(definition), Elapsed(), NOW + DAY).state
    assert (late.status, (late.error or {})["code"]) == (Status.FAILED, "REVIEW_TIMEOUT")
    handled = review(within=DAY, on_error=OnError("continue"))
    state = advance(handled, started(handled), Elapsed(), NOW + DAY).state
    assert state.status is Status.COMPLETED
    assert state.outputs["review"]["error"]["code"] == "REVIEW_TIMEOUT"


def test_a_retry_asks_anew_and_forgets_the_votes() -> None:
    definition = review(within=DAY, four_eyes=True)
    voted = vote(definition, started(definition), "approve").state
    late = advance(definition, voted, Elapsed(), NOW + DAY).state
    again = advance(definition, late, Retried(UUID(int=4)), NOW + 2 * DAY)
    assert "review.requested" in types(again)
    assert again.state.waiting_for(definition)[0]["votes"] == []
    assert again.state.waiting_for(definition)[0]["until"] == "2026-01-08T09:00:00.000Z"


def test_reminders_come_until_the_decision_and_overdue_ones_count_once() -> None:
    addresses = Template.compile(["a@example.com", "a@example.com", "b@example.com"], names=frozenset())
    definition = review(remind_every=DAY, within=7 * DAY, notify=addresses)
    requested = advance(definition, fresh(definition), Started(), NOW)
    assert [notice.reminder for notice in requested.notices] == [False]
    assert requested.state.lanes[""].note["notify"] == ["a@example.com", "b@example.com"]
    assert requested.state.wake_at == NOW + DAY
    assert requested.state.waiting_for(definition)[0]["until"] == "2026-01-12T09:00:00.000Z", "its end, no reminder"
    late = advance(definition, requested.state, Elapsed(), NOW + 3 * DAY)
    assert types(late) == ["review.reminded"]
    assert [notice.reminder for notice in late.notices] == [True]
    assert late.state.wake_at == NOW + 4 * DAY
    assert vote(definition, late.state, "approve").state.wake_at is None


def test_without_addresses_nobody_gets_a_message_but_the_event_is_told() -> None:
    definition = review(remind_every=DAY)
    reminded = advance(definition, started(definition), Elapsed(), NOW + DAY)
    assert types(reminded) == ["review.reminded"]
    assert reminded.notices == ()


@pytest.mark.parametrize(
    ("given", "value"), [("notify", "nobody"), ("assign_to", "anna@@example.com"), ("assign_to", 5)]
)
def test_a_computed_receiver_that_is_none_fails_the_step(given: str, value: Any) -> None:
    definition = review(**{given: Template.compile("${parameters.x}", names=frozenset({"parameters"}))})
    state = advance(definition, fresh(definition, x=value), Started(), NOW).state
    assert (state.status, (state.error or {})["code"]) == (Status.FAILED, "REVIEW_INVALID")


def test_under_four_eyes_a_second_person_has_to_confirm() -> None:
    definition = review(four_eyes=True)
    first = vote(definition, started(definition), "approve", "anna")
    assert types(first) == ["review.voted"]
    assert first.events[0].data is not None
    assert first.events[0].data["outcome"] is None
    assert first.runs == ()
    for outcome in ("approve", "reject"):
        assert refused(definition, first.state, outcome, "anna") == "REVIEW_NEEDS_ANOTHER"
    both = vote(definition, first.state, "approve", "ben").state
    output = both.outputs["review"]
    assert (output["outcome"], output["by"]["id"]) == ("approve", "ben")
    assert [vote["by"]["id"] for vote in output["votes"]] == ["anna", "ben"]


def test_those_who_disagree_may_change_their_minds_and_a_third_may_decide() -> None:
    definition = review(four_eyes=True)
    state = vote(definition, started(definition), "approve", "anna").state
    state = vote(definition, state, "reject", "ben").state
    assert state.status is Status.AWAITING
    assert refused(definition, state, "reject", "ben") == "REVIEW_NEEDS_ANOTHER"
    assert vote(definition, state, "reject", "cleo").state.outputs["review"]["outcome"] == "reject"
    assert vote(definition, state, "approve", "ben").state.outputs["review"]["outcome"] == "approve"


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(("approve", "reject"))), max_size=12))
def test_four_eyes_end_with_two_different_people_of_one_mind(votes: list[tuple[str, str]]) -> None:
    definition = review(four_eyes=True)
    state = started(definition)
    last: dict[str, str] = {}
    for who, outcome in votes:
        if state.status is Status.COMPLETED:
            assert refused(definition, state, outcome, who) == "STEP_NOT_WAITING"
            continue
        try:
            state = vote(definition, state, outcome, who).state
        except Refusal:
            assert who in last
        else:
            last[who] = outcome
        assert (state.status is Status.COMPLETED) == (len(set(last.values())) < len(last))
        for position in state.lanes.values():
            assert LanePosition.from_json(position.to_json()) == position


def test_each_item_has_its_own_review() -> None:
    inner = (step("review", REVIEW, config()),)
    config_of_each = EachConfig(Template.compile([1, 2], names=frozenset()), "item", inner, 10, "fail")
    definition = define(step("owners", EachKind(), config_of_each), step("after", config=give(1)))
    state = started(definition)
    assert [waiting["path"] for waiting in state.waiting_for(definition)] == ["owners[0].review", "owners[1].review"]
    state = vote(definition, state, "reject", lane="owners[1]").state
    state = vote(definition, state, "approve", lane="owners[0]").state
    assert [item["review"]["outcome"] for item in state.outputs["owners"]["items"]] == ["approve", "reject"]


def taken(definition: Definition, state: State, who: str | None, instead_of: str | None = None) -> Transition:
    position = state.lanes[""]
    to = None if who is None else {"id": who, "name": who.title()}
    answered = Answered("", str(position.step), position.visit, position.attempt, Taking(to, instead_of))
    return advance(definition, state, answered, NOW)


def test_whoever_has_taken_a_review_decides_it_and_others_are_told_who_that_is() -> None:
    definition = review()
    first = taken(definition, started(definition), "anna")
    assert types(first) == ["review.assigned"]
    assert first.state.waiting_for(definition)[0]["takenBy"] == {"id": "anna", "name": "Anna", "at": iso(NOW)}
    assert refused(definition, first.state, "approve", "ben") == "REVIEW_TAKEN"
    with pytest.raises(Refusal, match="Anna has taken this review"):
        taken(definition, first.state, "ben")
    over = taken(definition, first.state, "ben", instead_of="anna").state
    assert refused(definition, over, "approve", "anna") == "REVIEW_TAKEN"
    assert vote(definition, over, "approve", "ben").state.status is Status.COMPLETED


def test_a_review_that_was_given_back_and_one_half_decided_belong_to_nobody() -> None:
    definition = review(four_eyes=True)
    back = taken(definition, taken(definition, started(definition), "anna").state, None, instead_of="anna").state
    assert back.waiting_for(definition)[0]["takenBy"] is None
    voted = vote(definition, taken(definition, back, "anna").state, "approve").state
    assert voted.waiting_for(definition)[0]["takenBy"] is None
    assert vote(definition, voted, "approve", "ben").state.status is Status.COMPLETED


ASKED = {"step": "ask", "note": "The number is missing", "by": {"type": "user", "id": "1", "name": "Anna"}, "at": "now"}


def returned(definition: Definition, state: State, *, rerun: bool = True) -> State:
    """The end user is asked again, and answers."""
    position = state.lanes[""]
    asked = AskedAgain(str(position.step), position.visit, position.attempt, "ask", ASKED, NOW + DAY, rerun)
    back = advance(definition, state, asked, NOW)
    assert types(back)[0] == "review.returned"
    assert back.state.status is Status.RUNNING
    assert back.state.lanes[""].step == "ask"
    assert back.state.waiting_for(definition)[0]["asked"] == ASKED
    assert "ask" not in back.state.outputs
    return advance(definition, back.state, Submitted("ask", 2, "more"), NOW).state


@pytest.mark.parametrize("rerun", [True, False])
def test_the_end_user_is_asked_again_and_the_review_comes_back(rerun: bool) -> None:
    definition = define(step("ask", QUESTION), step("count", COMPUTE), step("review", REVIEW, config()), step("after"))
    first = advance(definition, begun(definition), Started(), NOW).state
    waiting = advance(definition, first, Submitted("ask", 1, "little"), NOW).state
    again = returned(definition, waiting, rerun=rerun)
    assert again.lanes[""].step == "review"
    assert again.outputs["ask"] == {"said": "more"}
    assert again.visits[""]["count"] == (2 if rerun else 1)
    assert again.identity.expires_at == NOW + DAY
    assert vote(definition, again, "approve").state.status is Status.COMPLETED


def test_a_step_that_may_be_reached_no_more_is_not_asked_again() -> None:
    once = step("ask", QUESTION, max_visits=1)
    definition = define(once, step("review", REVIEW, config()))
    first = advance(definition, begun(definition), Started(), NOW).state
    waiting = advance(definition, first, Submitted("ask", 1, "little"), NOW).state
    with pytest.raises(Refusal, match="maxVisits"):
        returned(definition, waiting)
