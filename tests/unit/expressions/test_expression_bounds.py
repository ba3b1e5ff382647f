"""An evaluation ends soon and takes little memory, whatever the definition and the data."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from evaluating import reason, value

from passerelle.definitions.expressions import Expression, ExpressionError

LONG = list(range(10_000))


def test_macros_are_linear_in_their_list() -> None:
    assert value("parameters.list.map(x, x + 1).filter(x, x > 5000).size()", parameters={"list": LONG}) == 5000


def test_nested_macros_over_long_lists_are_refused() -> None:
    started = time.thread_time()
    assert "the lists are too long" in reason(
        "parameters.l.all(x, parameters.l.all(y, parameters.l.all(z, true)))", parameters={"l": LONG}
    )
    assert time.thread_time() - started < 5


def test_macros_that_take_too_long_in_all_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("passerelle.definitions.expressions.running.MAX_SECONDS", 0.0)
    assert "the lists are too long" in reason("parameters.l.all(x, x >= 0)", parameters={"l": LONG})


@pytest.mark.parametrize(
    "source",
    [
        "parameters.l.map(x, parameters.l)",
        "parameters.l.map(x, parameters.text)",
        "parameters.l.map(x, [parameters.l])",
        "[0, 1, 2].map(x, parameters.l.map(y, parameters.l)).flatten(5)",
    ],
)
def test_results_that_multiply_are_refused(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """For what they hold, however quick the machine: the limit of time is another one."""
    monkeypatch.setattr("passerelle.definitions.expressions.running.MAX_SECONDS", 60.0)
    found = reason(source, parameters={"l": LONG * 3, "text": "a" * 100_000})
    assert "too much is collected" in found or "more than 200,000" in found


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


def test_failures_are_not_logged_on_the_way(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        assert value("steps.a.b == 1 || true", steps={}) is True
        reason("steps.a.b == 1", steps={})
    assert not caplog.records


def test_values_that_are_no_json_are_an_error() -> None:
    for wrong in (object(), {1, 2}, b"bytes", "\ud800"):
        with pytest.raises(ExpressionError):
            Expression.compile('[parameters.wrong] == [] || parameters.wrong + "a" == "a"').evaluate(
                {"parameters": {"wrong": wrong}}
            )
