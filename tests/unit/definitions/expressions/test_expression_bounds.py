"""An evaluation ends soon and takes little memory, whatever the definition and the data."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from passerelle.definitions.expressions import Expression, ExpressionError
from passerelle.kit.work import HERE_STEPS, Meter, TooHeavyError, WorkSpentError, metered
from tests.unit.definitions.expressions.evaluating import reason, value

LONG = list(range(10_000))


def test_macros_are_linear_in_their_list() -> None:
    assert value("parameters.list.map(x, x + 1).filter(x, x > 5000).size()", parameters={"list": LONG}) == 5000


def test_nested_macros_over_long_lists_are_refused() -> None:
    started = time.thread_time()
    assert "the lists or texts are too long" in reason(
        "parameters.l.all(x, parameters.l.all(y, parameters.l.all(z, true)))", parameters={"l": LONG}
    )
    assert time.thread_time() - started < 5


def test_the_steps_of_all_expressions_under_one_meter_are_one_sum() -> None:
    with metered(Meter(total=3_000)) as meter:
        assert value("parameters.l.all(x, x >= 0)", parameters={"l": LONG[:100]}) is True
        with pytest.raises(WorkSpentError):
            value("parameters.l.all(x, x >= 0)", parameters={"l": LONG[:200]})
        with pytest.raises(WorkSpentError):
            value("1 + 1")
    assert meter.used > 3_000


def test_work_that_would_hold_up_others_is_done_elsewhere() -> None:
    with metered(Meter(here=HERE_STEPS)), pytest.raises(TooHeavyError):
        value("parameters.l.map(x, x + 1)", parameters={"l": LONG})


def test_what_is_over_is_over_whatever_stands_beside_it() -> None:
    """`a || true` is true though a fails, but the meter may be another one elsewhere, and the result may not."""
    with metered(Meter(here=1_000)), pytest.raises(TooHeavyError):
        value("parameters.l.all(x, x >= 0) || true", parameters={"l": LONG})
    assert "steps of work" in reason("parameters.l.all(x, parameters.l.all(y, true)) || true", parameters={"l": LONG})


@pytest.mark.parametrize(
    "body",
    [
        "parameters.t.lowerAscii() == 'b'",
        "parameters.t.matches('(a+)+$')",
        "parameters.t.matches('([a-z]{1,500}x?){1}b')",
        "parameters.nest.distinct().size() == 1",
        "parameters.nest == parameters.nest",
        "parameters.l.sort().size() == 1",
        "-1 in parameters.l",
        "[parameters.nest].flatten(3).size() == 1",
        "parameters.t.replace('a', 'b').size() == 1",
    ],
)
def test_no_operation_takes_much_longer_than_its_steps(body: str) -> None:
    scope = {"l": LONG, "t": "a" * 900_000, "nest": [[{"a": {"b": i}} for i in range(100)]] * 100}
    started = time.thread_time()
    reason(f"parameters.l.map(x, {body})", parameters=scope)
    assert time.thread_time() - started < 10


@pytest.mark.parametrize(
    "source",
    [
        "parameters.l.map(x, parameters.l)",
        "parameters.l.map(x, parameters.text)",
        "parameters.l.map(x, [parameters.l])",
        "[0, 1, 2].map(x, parameters.l.map(y, parameters.l)).flatten(5)",
    ],
)
def test_results_that_multiply_are_refused(source: str) -> None:
    found = reason(source, parameters={"l": LONG * 3, "text": "a" * 100_000})
    assert "the lists or texts are too long" in found or "more than" in found


@pytest.mark.parametrize(
    "source",
    [
        "parameters.t + parameters.t",
        'parameters.t.replace("a", parameters.t)',
        'parameters.t.replace("", parameters.t)',
        "parameters.l.join(parameters.t)",
    ],
)
def test_texts_that_multiply_are_refused(source: str) -> None:
    scope = {"t": "a" * 600_000, "l": ["x"] * 10_000}
    assert "more than 1,000,000 characters" in reason(source, parameters=scope)


def test_a_pattern_takes_time_linear_in_the_text() -> None:
    assert value('parameters.t.matches("(a+)+$")', parameters={"t": "a" * 50_000 + "b"}) is False
    assert "not a regular expression" in reason(
        "parameters.t.matches(parameters.p)", parameters={"t": "a", "p": "(a{1000}){1000}"}
    )


def test_deep_values_are_an_error_not_a_crash() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert "levels" in reason("[parameters.deep]", parameters={"deep": deep})
    assert "levels" in reason("parameters.deep == [parameters.deep]", parameters={"deep": deep})
    assert value("size(parameters.deep)", parameters={"deep": deep}) == 1


def test_the_deepest_macros_that_compile_run() -> None:
    assert value("[1].map(x, " * 30 + "x" + ")" * 30 + ".size()") == 1


def test_one_expression_serves_many_threads() -> None:
    expression = Expression.compile("parameters.list.map(x, x * parameters.n).sum() + size([parameters.n])")
    with ThreadPoolExecutor(4) as threads:
        scopes = [{"parameters": {"list": [1, 2, 3], "n": n}} for n in range(200)]
        assert list(threads.map(expression.evaluate, scopes)) == [6 * n + 1 for n in range(200)]


def test_values_that_are_no_json_are_an_error() -> None:
    assert "do not fit" in reason("base64.encode(parameters.half)", parameters={"half": "\ud800"})
    assert "do not fit" in reason('parameters.half.matches("a")', parameters={"half": "\ud800"})
    for wrong in (object(), {1, 2}, b"bytes"):
        with pytest.raises(ExpressionError):
            Expression.compile('[parameters.wrong] == [] || parameters.wrong + "a" == "a"').evaluate(
                {"parameters": {"wrong": wrong}}
            )
