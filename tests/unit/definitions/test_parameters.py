"""What an execution is started with: defaults, and everything that is wrong at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.definitions.model import Definition, Parameter, ParameterType
from passerelle.definitions.parameters import check_parameters, fits
from passerelle.kit.json import Json

DECLARED = {
    "userId": Parameter("userId", "string", required=True),
    "amount": Parameter("amount", "number"),
    "country": Parameter("country", "string", default="PL"),
    "urgent": Parameter("urgent", "boolean", default=False),
    "a/b~c": Parameter("a/b~c", "object"),
    "tags": Parameter("tags", "list"),
}
DEFINITION = Definition("onboarding", (), parameters=DECLARED)


def wrong(given: dict[str, object]) -> list[tuple[str, str, str | None]]:
    return [(problem.code, problem.message, problem.pointer) for problem in check_parameters(DEFINITION, given)[1]]


def test_defaults_are_filled_in_and_the_rest_is_left_out() -> None:
    values, problems = check_parameters(DEFINITION, {"userId": "u-1"})
    assert (values, problems) == ({"userId": "u-1", "country": "PL", "urgent": False}, ())


def test_everything_wrong_is_listed_at_once() -> None:
    assert wrong({"amount": "70", "countri": "PL", "a/b~c": [], "tags": {}}) == [
        (
            "PARAMETER_UNKNOWN",
            "the definition declares no parameter `countri`; did you mean `country`?",
            "/parameters/countri",
        ),
        ("PARAMETER_REQUIRED", "the parameter `userId` is required; send a text", "/parameters/userId"),
        ("PARAMETER_TYPE", "the parameter `amount` must be a number, is a text", "/parameters/amount"),
        ("PARAMETER_TYPE", "the parameter `a/b~c` must be an object, is a list", "/parameters/a~1b~0c"),
        ("PARAMETER_TYPE", "the parameter `tags` must be a list, is an object", "/parameters/tags"),
    ]


def test_true_is_no_number_and_one_is_not_true() -> None:
    assert wrong({"userId": "u", "amount": True, "urgent": 1}) == [
        ("PARAMETER_TYPE", "the parameter `amount` must be a number, is true or false", "/parameters/amount"),
        ("PARAMETER_TYPE", "the parameter `urgent` must be true or false, is a number", "/parameters/urgent"),
    ]


def test_null_is_no_value() -> None:
    assert wrong({"userId": None, "amount": None}) == [
        ("PARAMETER_TYPE", "the parameter `userId` must be a text, is null", "/parameters/userId"),
        (
            "PARAMETER_TYPE",
            "the parameter `amount` must be a number, is null; leave it out instead",
            "/parameters/amount",
        ),
    ]


def test_a_definition_without_parameters_takes_none() -> None:
    _, problems = check_parameters(Definition("none", ()), {"a": 1})
    assert [problem.message for problem in problems] == ["the definition declares no parameter `a`; it declares none"]


@pytest.mark.parametrize(("value", "expected"), [(70, "number"), (70.5, "number"), ("", "string"), (False, "boolean")])
def test_values_of_the_right_type(value: Json, expected: ParameterType) -> None:
    assert fits(value, expected)


@given(st.dictionaries(st.sampled_from([*DECLARED, "other"]), st.none() | st.booleans() | st.integers() | st.text()))
def test_without_problems_every_value_fits_and_nothing_required_is_missing(given_values: dict[str, object]) -> None:
    values, problems = check_parameters(DEFINITION, given_values)
    if not problems:
        assert all(fits(value, DECLARED[name].type) for name, value in values.items())
        assert "userId" in values
        assert given_values.items() <= values.items()
