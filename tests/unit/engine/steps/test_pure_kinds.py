"""`set`, `switch`, `fail` and `end`: what they do when they run."""

from __future__ import annotations

from typing import Any, cast

import pytest

from passerelle.definitions.expressions import ExpressionError
from passerelle.engine.kinds import Done, Ended, PureKind, StepFailure
from tests.unit.engine.steps.compiling import compile_step


def run(kind: str, value: Any, **scope: Any) -> Done | Ended:
    step = compile_step(kind, value)
    return cast("PureKind", step.kind).run(step.config, {"parameters": scope, "steps": {}})


def test_set_gives_its_values_with_their_types() -> None:
    assert run(
        "set", {"n": "${parameters.p.n * 2}", "t": "n is ${parameters.p.n}", "l": [1, "${parameters.p}"]}, p={"n": 70}
    ) == (Done({"n": 140, "t": "n is 70", "l": [1, {"n": 70}]}))


def test_set_fails_where_an_expression_does() -> None:
    with pytest.raises(ExpressionError):
        run("set", {"n": "${parameters.p.n}"}, p={})


@pytest.mark.parametrize(("value", "goto"), [(90, "three"), (60, "two"), (10, None)])
def test_switch_takes_the_first_case_that_holds(value: int, goto: str | None) -> None:
    cases = [{"when": "parameters.p.n > 80", "goto": "three"}, {"when": "parameters.p.n > 50", "goto": "two"}]
    outcome = run("switch", cases, p={"n": value})
    assert isinstance(outcome, Done)
    assert outcome.goto == goto


def test_a_case_without_condition_is_taken_where_no_other_holds() -> None:
    cases = [{"when": "parameters.p.n > 80", "goto": "two"}, {"goto": "three"}]
    assert run("switch", cases, p={"n": 1}) == Done(goto="three", input={"goto": "three"})


def test_switch_does_not_guess_what_a_number_means() -> None:
    with pytest.raises(ExpressionError) as raised:
        run("switch", [{"when": "parameters.p.n", "goto": "two"}], p={"n": 1})
    assert raised.value.reason == "must give true or false, gave a number"


@pytest.mark.parametrize(
    ("cases", "on"),
    [([{"when": "true", "goto": "two"}], True), ([{"when": "true", "goto": "two"}, {"goto": "three"}], False)],
)
def test_switch_goes_on_only_if_it_may_take_no_case(cases: list[dict[str, str]], on: bool) -> None:
    step = compile_step("switch", cases)
    assert step.kind.falls_through(step.config) is on
    assert list(step.kind.jumps(step.config)) == [case["goto"] for case in cases]


@pytest.mark.parametrize(
    ("message", "said"),
    [("no ${parameters.p.number} here", "no 123 here"), ("${parameters.p}", '{"number":"123"}'), ("plain", "plain")],
)
def test_fail_says_its_message(message: str, said: str) -> None:
    with pytest.raises(StepFailure) as raised:
        run("fail", {"code": "NOT_FOUND", "message": message}, p={"number": "123"})
    assert (raised.value.code, raised.value.message, raised.value.reason) == ("NOT_FOUND", said, None)


@pytest.mark.parametrize("value", [{}, None])
def test_end_ends(value: Any) -> None:
    assert run("end", value) == Ended()
