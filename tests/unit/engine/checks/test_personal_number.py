"""`personal-number`: verdicts on people's numbers, and dates of birth only where the number itself says them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.engine.checks.numbers import load
from passerelle.engine.checks.personal_number import NUMBERS, PersonalNumber

CHECK = PersonalNumber()


@pytest.mark.parametrize(
    ("country", "value", "facts"),
    [
        ("PL", "44051401359", {"birthDate": "1944-05-14", "sex": "M"}),
        ("PL", "02211307589", {"birthDate": "2002-01-13", "sex": "F"}),
        ("CZ", "710319/2745", {"birthDate": "1971-03-19"}),
        ("DK", "211062-5629", {"birthDate": "1862-10-21"}),
        ("EE", "36805280109", {"birthDate": "1968-05-28", "sex": "M"}),
        ("LT", "33309240064", {"birthDate": "1933-09-24"}),
        ("LV", "161175-19997", {"birthDate": "1975-11-16"}),
        ("NO", "15108695088", {"birthDate": "1986-10-15", "sex": "F"}),
        ("RO", "1630615123457", {"birthDate": "1963-06-15"}),
        ("SE", "19880320-0016", {"birthDate": "1988-03-20", "sex": "M"}),
        ("SI", "0101006500006", {"birthDate": "2006-01-01", "sex": "M"}),
    ],
)
def test_what_a_number_tells_of_its_person(country: str, value: str, facts: dict[str, str]) -> None:
    result = CHECK.run({"country": country, "value": value})
    assert result.passed, result.reasons
    assert {name: result.data.get(name) for name in ("birthDate", "sex") if name in result.data} == facts


@pytest.mark.parametrize(
    ("country", "value"),
    [
        ("IT", "RCCMNL83S18D969H"),
        ("GR", "01013099997"),
        ("SE", "880320-0016"),
        ("FI", "131052-308T"),
        ("DE", "36574261809"),
        ("HR", "33392005961"),
        ("NL", "111222333"),
        ("CH", "756.9217.0769.85"),
        ("FR", "2 95 10 99 126 111 93"),
    ],
)
def test_no_date_of_birth_where_the_century_would_be_a_guess_or_is_not_there(country: str, value: str) -> None:
    result = CHECK.run({"country": country, "value": value})
    assert result.passed, result.reasons
    assert "birthDate" not in result.data


@pytest.mark.parametrize(
    ("with_", "status", "code"),
    [
        ({"type": "PESEL", "value": "44051401358"}, "invalid", "CHECKSUM"),
        ({"type": "PESEL", "value": "02381307589"}, "invalid", "COMPONENT"),
        ({"type": "PESEL", "value": 2211307589}, "invalid", "LENGTH"),
        ({"country": "IT", "value": "00743110157"}, "invalid", "LENGTH"),
        ({"country": "LV", "value": "40003521600"}, "invalid", "FORMAT"),
        ({"country": "ES", "value": "54362315K"}, "unknown", "TYPE_REQUIRED"),
        ({"country": "US", "value": "1"}, "unknown", "COUNTRY_UNKNOWN"),
        ({"type": "RC", "value": "1"}, "unknown", "COUNTRY_REQUIRED"),
        ({"value": "1"}, "unknown", "COUNTRY_REQUIRED"),
    ],
)
def test_what_does_not_pass(with_: dict[str, str], status: str, code: str) -> None:
    """Among them: companies' numbers in the same form, which are no persons'."""
    result = CHECK.run(with_)
    assert (result.status, result.reasons[0].code) == (status, code)


def test_a_number_of_before_1954_claims_no_check_digit() -> None:
    assert CHECK.run({"country": "CZ", "value": "450212/001"}).data["hasCheckDigit"] is False
    assert CHECK.run({"country": "CZ", "value": "710319/2745"}).data["hasCheckDigit"] is True


def test_every_number_has_its_module() -> None:
    assert all(callable(load(number).validate) for number in NUMBERS)


@given(value=st.text(max_size=20) | st.from_regex("[0-9]{9,13}", fullmatch=True), number=st.sampled_from(NUMBERS))
def test_any_value_gets_a_verdict(value: str, number: object) -> None:
    type_, country = number.type, number.country  # type: ignore[attr-defined]  # a Number, see NUMBERS
    result = CHECK.run({"type": type_, "country": country, "value": value})
    assert result.passed is (not result.reasons)


@pytest.mark.parametrize(
    ("country", "value"), [("PL", "27323112345"), ("PL", "50523112345"), ("PL", "99723112345"), ("RO", "5271231123457")]
)
def test_a_number_of_somebody_who_is_not_born_does_not_pass(country: str, value: str) -> None:
    number = next(one for one in NUMBERS if one.country == country)
    good = next(whole for last in "0123456789" if number.fault(whole := value[:-1] + last) is None)
    inputs = {"type": number.type, "country": country, "value": good}
    born = str(CHECK.run(inputs).data["birthDate"])
    assert born > "2026-11-29"
    assert CHECK.run({**inputs, "today": born}).passed
    result = CHECK.run({**inputs, "today": "2026-11-29"})
    assert (result.status, [reason.code for reason in result.reasons]) == ("invalid", ["COMPONENT"])
