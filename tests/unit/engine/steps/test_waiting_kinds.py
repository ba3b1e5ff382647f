"""`wait` and `event`: what they rest for, and what wakes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.definitions.compiler import compile_definition
from passerelle.engine.kinds import Done, StepFailure, Wait, WaitingKind
from passerelle.engine.steps.wait import parse_moment
from passerelle.kit.clock import iso
from passerelle.kit.json import dumps
from tests.unit.engine.steps.compiling import KINDS, compile_step

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def waits(kind: str, value: Any, **parameters: Any) -> Wait:
    step = compile_step(kind, value)
    return cast("WaitingKind", step.kind).wait(step.config, {"parameters": parameters, "steps": {}}, NOW)


def accepted(value: Any, body: Any) -> Any:
    step = compile_step("event", value)
    return cast("WaitingKind", step.kind).accept(step.config, body)


# wait


def test_wait_for_a_length_of_time() -> None:
    assert waits("wait", {"for": "2d"}) == Wait(until=NOW + timedelta(days=2))


@pytest.mark.parametrize(
    ("until", "moment"),
    [
        ("2026-02-01T10:00:00Z", datetime(2026, 2, 1, 10, tzinfo=UTC)),
        ("2026-02-01T10:00:00.250+02:00", datetime(2026, 2, 1, 8, 0, 0, 250_000, UTC)),
        ("2026-02-01", datetime(2026, 2, 1, tzinfo=UTC)),
        ("1999-01-01", datetime(1999, 1, 1, tzinfo=UTC)),
    ],
)
def test_wait_until_a_moment(until: str, moment: datetime) -> None:
    assert waits("wait", {"until": until}) == Wait(until=moment)
    assert waits("wait", {"until": "${parameters.p.at}"}, p={"at": until}) == Wait(until=moment)


@pytest.mark.parametrize(
    "until", ["tomorrow", "2026-02-01T10:00:00", "2026-02-30", 1767600000, None, "", "9999-12-31T23:59:59-14:00"]
)
def test_wait_until_no_moment_fails(until: Any) -> None:
    with pytest.raises(StepFailure) as raised:
        waits("wait", {"until": "${parameters.p.at}"}, p={"at": until})
    assert raised.value.code == "WAIT_UNTIL_INVALID"
    assert str(until or "~") not in raised.value.message, "the value may be personal"


def test_a_wait_that_is_over_has_no_output() -> None:
    step = compile_step("wait", {"for": "1s"})
    assert cast("WaitingKind", step.kind).elapsed(step.config) == Done()


@given(st.datetimes(datetime(1970, 1, 1), datetime(9000, 1, 1)))
def test_every_time_that_an_answer_writes_is_a_moment(moment: datetime) -> None:
    written = iso(moment.replace(tzinfo=UTC))
    parsed = parse_moment(written)
    assert parsed is not None
    assert iso(parsed) == written


@given(st.text(max_size=30) | st.none() | st.integers() | st.lists(st.none()))
def test_no_value_makes_parsing_raise(value: Any) -> None:
    moment = parse_moment(value)
    assert moment is None or moment.tzinfo is UTC


# event


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        (None, Wait(event="one")),
        ({}, Wait(event="one")),
        ({"name": "paid"}, Wait(event="paid")),
        ({"name": "paid", "within": "1h"}, Wait(event="paid", until=NOW + timedelta(hours=1))),
    ],
)
def test_event_waits_for_its_name(value: Any, wait: Wait) -> None:
    assert waits("event", value) == wait
    step = compile_step("event", value)
    assert cast("WaitingKind", step.kind).event_name(step.config) == wait.event


SCHEMA = {
    "type": "object",
    "required": ["amount"],
    "properties": {
        "amount": {"type": "number"},
        "payer": {"type": "object", "properties": {"email": {"format": "email"}}},
    },
    "additionalProperties": False,
}


def test_the_body_of_an_event_is_its_output() -> None:
    assert accepted({}, [1, None]) == [1, None]
    assert accepted({"schema": SCHEMA}, {"amount": 5}) == {"amount": 5}


def test_a_body_that_does_not_fit_lists_all_that_is_wrong_and_shows_no_value() -> None:
    with pytest.raises(StepFailure) as raised:
        accepted(
            {"schema": SCHEMA, "name": "paid"}, {"amount": "Nowak", "payer": {"email": "Kowalska"}, "iban": "PL61"}
        )
    failure = raised.value
    assert failure.code == "EVENT_BODY_INVALID"
    assert failure.message == (
        "the body of the event `paid` does not fit its schema: amount: must be a number, is a text;"
        " payer.email: is not a valid email; iban: unknown key; possible here: `amount`, `payer`"
    )
    assert failure.details == {
        "problems": [
            {"path": "amount", "message": "must be a number, is a text"},
            {"path": "payer.email", "message": "is not a valid email"},
            {"path": "iban", "message": "unknown key; possible here: `amount`, `payer`"},
        ]
    }


def test_a_body_that_is_wrong_as_a_whole_says_so() -> None:
    with pytest.raises(StepFailure) as raised:
        accepted({"schema": SCHEMA}, None)
    assert (
        raised.value.message == "the body of the event `one` does not fit its schema: body: must be an object, is null"
    )


def test_an_event_that_does_not_come_fails_the_step() -> None:
    step = compile_step("event", {"within": "1h"})
    with pytest.raises(StepFailure) as raised:
        cast("WaitingKind", step.kind).elapsed(step.config)
    assert (raised.value.code, raised.value.message) == (
        "EVENT_TIMEOUT",
        "the event `one` did not come in time: see `within`",
    )


# review


def test_review_keeps_what_is_to_be_decided() -> None:
    value = {"title": {"en": "Check"}, "outcomes": ["approve", "reject"], "within": "2d", "fourEyes": True}
    config = compile_step("review", value).config
    assert (config.outcomes, config.within, config.four_eyes) == (("approve", "reject"), timedelta(days=2), True)
    assert waits("review", value) == Wait(
        until=NOW + timedelta(days=2),
        note={
            "title": {"en": "Check"},
            "assignTo": None,
            "notify": [],
            "requestedAt": iso(NOW),
            "votes": [],
            "outcomes": ["approve", "reject"],
            "fourEyes": True,
        },
    )


def test_review_asks_with_the_values_of_the_moment() -> None:
    """A title may hold what is to be decided; `kind.waiting` shows it to whoever decides."""
    value = {"title": {"en": "Pay ${parameters.p.amount}?", "pl": "Płacimy?"}, "outcomes": ["yes", "no"]}
    wait = waits("review", value, p={"amount": 120})
    assert wait.note["title"] == {"en": "Pay 120?", "pl": "Płacimy?"}


def test_review_computes_to_whom_it_is_assigned_and_who_gets_a_message() -> None:
    value = {
        "title": "Check",
        "outcomes": ["approve", "reject"],
        "assignTo": "${parameters.p.manager}",
        "notify": "${parameters.p.others}",
        "remindEvery": "1d",
    }
    wait = waits("review", value, p={"manager": "Anna <anna@example.com>", "others": ["ben@example.com"]})
    assert wait.remind == NOW + timedelta(days=1)
    assert isinstance(wait.note, dict)
    assert wait.note["notify"] == ["ben@example.com", "anna@example.com"]


@pytest.mark.parametrize(
    ("key", "value", "path", "says"),
    [
        ("assignTo", "anna@", "steps.one.review.assignTo", "is no e-mail address: name or domain is malformed"),
        ("notify", "anna", "steps.one.review.notify", "is no e-mail address: it needs an @ between name and domain"),
        ("notify", ["a@example.com", "b"], "steps.one.review.notify[1]", "is no e-mail address"),
        ("remindEvery", "5s", "steps.one.review.remindEvery", "is too often: people are reminded once a minute"),
        ("outcomes", ["approve"], "steps.one.review.outcomes", "must have at least 2 items"),
    ],
)
def test_a_review_that_cannot_work_is_refused(key: str, value: Any, path: str, says: str) -> None:
    review = {"title": "Check", "outcomes": ["approve", "reject"], key: value}
    result = compile_definition(dumps({"name": "a", "steps": [{"id": "one", "review": review}]}), KINDS)
    (problem,) = result.problems
    assert path in str(problem)
    assert says in str(problem)
