"""`phone`: verdicts on numbers as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.engine.checks.phone import Phone

CHECK = Phone()


def test_a_valid_number_says_what_it_is() -> None:
    result = CHECK.run({"value": " +48 (601) 234-567 "})
    assert result.passed
    assert result.data == {
        "number": "+48601234567",
        "international": "+48 601 234 567",
        "country": "PL",
        "countryCode": 48,
        "type": "mobile",
    }


@pytest.mark.parametrize(
    ("value", "country", "number"),
    [
        ("601 234 567", "pl", "+48601234567"),
        ("030 1234567", "DE", "+49301234567"),
        ("0044 20 7946 0958", "PL", "+442079460958"),
        ("020 7946 0958", "UK", "+442079460958"),
        ("+380 44 123 4567", "PL", "+380441234567"),
    ],
)
def test_the_country_is_only_for_numbers_that_do_not_name_theirs(value: str, country: str, number: str) -> None:
    result = CHECK.run({"value": value, "country": country})
    assert (result.passed, result.data["number"]) == (True, number)


def test_an_extension_is_kept_apart() -> None:
    assert CHECK.run({"value": "+1 202 555 0123 ext. 5"}).data["extension"] == "5"


@pytest.mark.parametrize(
    ("value", "status", "code"),
    [
        ("601234567", "unknown", "COUNTRY_REQUIRED"),
        ("+48 601", "invalid", "LENGTH"),
        ("+48 601 234 567 890", "invalid", "LENGTH"),
        ("+48 111 111 111", "invalid", "NOT_ASSIGNED"),
        ("call me", "invalid", "FORMAT"),
        ("", "invalid", "FORMAT"),
        ("+" + "9" * 200, "invalid", "COUNTRY_UNKNOWN"),
    ],
)
def test_what_does_not_pass_says_why(value: str, status: str, code: str) -> None:
    result = CHECK.run({"value": value})
    assert (result.status, [reason.code for reason in result.reasons]) == (status, [code])


def test_a_country_that_is_none_is_found_before_anything_runs() -> None:
    assert [name for name, _ in CHECK.problems({"country": "QQ"}, frozenset())] == ["country"]
    assert list(CHECK.problems({"country": "uk"}, frozenset())) == []
    assert CHECK.run({"value": "601234567", "country": "QQ"}).reasons[0].code == "COUNTRY_UNKNOWN"


@given(
    st.text(max_size=250) | st.from_regex(r"\+?[0-9 ()-]{1,30}", fullmatch=True), st.sampled_from([None, "PL", "US"])
)
def test_any_text_gets_a_verdict(value: str, country: str | None) -> None:
    result = CHECK.run({"value": value} | ({"country": country} if country else {}))
    assert result.passed is (not result.reasons)
