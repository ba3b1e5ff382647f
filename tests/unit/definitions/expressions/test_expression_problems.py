"""What does not compile: each problem has a place, and says what would be right."""

from __future__ import annotations

import pytest

from passerelle.definitions.expressions import ROOTS, Expression
from tests.unit.definitions.expressions.evaluating import problem


@pytest.mark.parametrize(
    ("source", "offset", "words"),
    [
        ("", 0, "expected a value, found the end of the expression"),
        ("1 +", 3, "expected a value"),
        ("a ? b", 5, "expected `:`"),
        ("(1", 2, "expected `)`"),
        ("1 2", 2, "expected an operator, found `2`"),
        ("1 = 1", 2, "compare with =="),
        ("true & false", 5, "write && for “and”"),
        ('1 + "abc', 4, 'this text is not closed; add "'),
        (r'"a\q"', 0, r"write \\ for a backslash"),
        (r'"\ud800"', 0, "is not a character"),
        ('b"abc"', 0, "JSON has no bytes"),
        ("1e999", 0, "too large"),
        ("18446744073709551616", 0, "at most 64 bits"),
        pytest.param("9" * 4_400, 0, "at most 64 bits", id="more digits than Python reads"),
        ("parameters.in", 11, 'write ["in"] instead of .in'),
        ("for + 1", 0, "`for` is a reserved word"),
        ("Type{a: 1}", 0, "an object is written without a type"),
        ("parameters.?x", 11, "expected the name of a member"),
        ("paramters.x", 0, "nothing is called `paramters` here; did you mean `parameters`?"),
        ("1 + zzz", 4, "the names here are `case`, `execution`"),
        ("size", 0, "`size` is a function; it is called with (…)"),
        ("sizee(parameters.list)", 0, "there is no function `sizee`; did you mean `size`?"),
        ('parameters.x.startWith("a")', 13, "did you mean `startsWith`?"),
        ("math.flor(1.5)", 5, "did you mean `math.floor`?"),
        ("now()", 0, "there is no function `now`"),
        ("size(1, 2)", 0, "size(…) takes 1 value"),
        ('"a".substring()', 4, "substring(…) takes 2 to 3 values, the one before the dot included"),
        ('"a".matches("(")', 12, "not a regular expression"),
        ('"a".matches("(?=a)")', 12, "not a regular expression"),
        ("has(parameters)", 0, "has(…) takes one member, such as has(steps.review.outcome)"),
        ("has(1 + 1)", 0, "has(…) takes one member"),
        ("[1].all(x)", 4, "all(…) is written list.all(x, …)"),
        ("all([1], x, true)", 0, "all(…) is written list.all(x, …)"),
        ("[1].map(x.y, 1)", 8, "needs a plain name first"),
        ("[1].map(x, x) + x", 16, "nothing is called `x` here"),
    ],
)
def test_a_problem_says_where_and_what_would_be_right(source: str, offset: int, words: str) -> None:
    at, message = problem(source)
    assert words in message
    assert at == offset


def test_only_the_names_of_the_place_are_known() -> None:
    assert "nothing is called `secrets` here" in problem("secrets.KEY", ROOTS - {"secrets"})[1]
    Expression.compile("form.hasOwners && visit > 1", names=frozenset({"form", "visit"}))


@pytest.mark.parametrize(
    "source",
    [
        "(" * 10_000 + "1" + ")" * 10_000,
        "(" * 2_000 + "1" + ")" * 2_000,
        "[" * 1_000 + "]" * 1_000,
        "{" * 3_000,
        "f(" * 1_000 + "1" + ")" * 1_000,
        "true ? 1 : " * 300 + "1",
        "1" + " < 1" * 1_000,
        "parameters.a" + ".trim()" * 500,
        "[1].map(x, " * 300 + "x" + ")" * 300,
    ],
)
def test_deep_nesting_is_a_problem_not_a_crash(source: str) -> None:
    assert "nested" in problem(source)[1]


def test_a_long_expression_is_a_problem() -> None:
    assert "longer than 4096 characters" in problem("1" + " + 1" * 2_000)[1]
    assert "longer than 4096 characters" in problem('"' + "a" * 5_000 + '"')[1]


@pytest.mark.parametrize(
    "source",
    [
        "1" + "+1" * 2_000,
        "true" + "&&true" * 600,
        "!" * 4_000 + "true",
        "--" * 2_000 + "1",
        "parameters" + ".a" * 1_500,
        "[" + "1," * 1_500 + "]",
        "(" * 31 + "1" + ")" * 31,
        "[1].map(x, " * 30 + "x" + ")" * 30,
        "true ? 1 : " * 31 + "1",
        '"a"' + ".trim()" * 30,
        "has(parameters.a) && !(" * 15 + "true" + ")" * 15,
    ],
)
def test_long_rows_are_not_deep(source: str) -> None:
    Expression.compile(source)
