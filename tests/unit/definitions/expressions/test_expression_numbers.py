"""Numbers are JSON numbers: no difference between 70 and 70.0, nothing rounded in silence, no infinities."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.definitions.expressions.evaluating import reason, value

BIG = 2**53 + 1
"""The first whole number that a float cannot hold."""


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("parameters.amount * 2", 140),
        ("parameters.half * 2", 141),
        ("parameters.whole * 2", 140),
        ("7 / 2", 3.5),
        ("8 / 2", 4),
        ("-7 % 3", -1),
        ("7.5 % 2", 1.5),
        ("1 + 2 * 3 - 4 / 2", 5),
        ("2 - 3 - 4", -5),
        ("-parameters.half", -70.5),
        ("size([1, 2]) * 2.5", 5),
        ("[10, 20][parameters.one]", 20),
        ('int("7") * 2.5', 17.5),
        ("1 < 1.5 && 2 > 1.5 && 70 == 70.0 && 1 in [1.0]", True),
        ('[1, {"a": 2.0}] == [1.0, {"a": 2}]', True),
        ('1 == true || 1 == "1" || null == 0', False),
        ("0x1F + 2u + .5", 33.5),
    ],
)
def test_whole_numbers_and_others_mix(source: str, result: Any) -> None:
    found = value(source, parameters={"amount": 70, "half": 70.5, "whole": 70.0, "one": 1.0})
    assert found == result
    assert type(found) is type(result)


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("parameters.big", BIG),
        ("[parameters.big]", [BIG]),
        ("true ? parameters.big : 0", BIG),
        ("parameters.big == 9007199254740992.0", False),
        ("parameters.big > 9007199254740992.0", True),
        ("parameters.big in [9007199254740992.0]", False),
        ("parameters.big == 9007199254740993", True),
        ("parameters.big + 1", BIG + 1),
        ("parameters.big * 3", BIG * 3),
        ("9223372036854775807 + 1", 2**63),
        ("-9223372036854775808", -(2**63)),
        ("18446744073709551615", 2**64 - 1),
        ("math.round(parameters.big)", BIG),
        ("[parameters.big, 1].sum()", BIG + 1),
    ],
)
def test_whole_numbers_are_exact_up_to_64_bits(source: str, result: Any) -> None:
    assert value(source, parameters={"big": BIG}) == result


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("18446744073709551615 + 1", "more than 64 bits"),
        ("parameters.big * 1.5", "can only be computed with other whole numbers"),
        ("[parameters.big, 1.5].sum()", "can only be computed with other whole numbers"),
        ("parameters.big / 2", "would not be exact"),
        ("1 / 0", "division by zero"),
        ("1.5 / 0.0", "division by zero"),
        ("1 % 0", "division by zero"),
        ("1e300 * 1e300", "too large"),
        ("parameters.infinite", "too large"),
        ("[parameters.nan]", "too large"),
        ('double("1e999")', "too large"),
        ("int(1e300)", "more than 64 bits"),
    ],
)
def test_what_cannot_be_exact_is_an_error(source: str, words: str) -> None:
    scope = {"big": BIG, "infinite": float("inf"), "nan": float("nan")}
    assert words in reason(source, parameters=scope)


def test_a_whole_number_beyond_64_bits_in_the_scope_is_refused_not_rounded() -> None:
    assert "64 bits" in reason("[parameters.huge]", parameters={"huge": 10**30})
    assert value("parameters.huge > 1", parameters={"huge": 10**30}) is True


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ('"a" + 1', "cannot add a text and a number; string(…) makes a text of a number"),
        ("true * 2", "cannot multiply true or false by a number"),
        ("[1] - 1", "cannot subtract a number from a list"),
        ('"a" < 1', "cannot compare a text with a number by `<`"),
        ("null < 1", "cannot compare null with a number"),
        ("-null", "cannot take the negative of null"),
        ('"x" in "xyz"', "use contains(…)"),
        ("!1", "a condition is a number, where true or false is needed"),
        ("1 && true", "a condition is a number"),
        ('{1: "a"}', "the name of a member must be a text, not a number"),
    ],
)
def test_types_that_do_not_fit_are_named(source: str, words: str) -> None:
    assert words in reason(source)


def test_one_deciding_operand_decides_whatever_is_wrong_with_the_other() -> None:
    assert value("1 / 0 == 1 || true") is True
    assert value("false && 1 / 0 == 1") is False
    assert reason("1 / 0 == 1 || false") == "division by zero"
