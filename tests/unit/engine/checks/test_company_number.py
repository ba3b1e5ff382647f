"""`company-number`: verdicts that people act on, so neither false alarms nor false precision."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.engine.checks import CheckResult
from passerelle.engine.checks.company_number import NUMBERS, CompanyNumber
from passerelle.engine.checks.numbers import load

CHECK = CompanyNumber()


def run(type_: str, value: str | float, **more: str) -> CheckResult:
    return CHECK.run({"type": type_, "value": value, **more})


def codes(result: CheckResult) -> list[str]:
    return [reason.code for reason in result.reasons]


def test_a_valid_number_comes_back_normalised() -> None:
    result = run("nip", " pl 774-000-14-54\n")
    assert result.passed
    assert result.data == {
        "type": "NIP",
        "country": "PL",
        "number": "7740001454",
        "formatted": "774-000-14-54",
        "hasCheckDigit": True,
    }


def test_an_invalid_number_still_says_what_was_read() -> None:
    result = run("NIP", "774-000-14-55")
    assert (result.status, result.data) == ("invalid", {"type": "NIP", "country": "PL", "number": "7740001455"})


def test_krs_claims_no_check_digit() -> None:
    result = run("KRS", "0000028860")
    assert result.passed
    assert result.data["hasCheckDigit"] is False
    assert result.source == "the form of a KRS (PL): 10 digits"


@pytest.mark.parametrize("value", ["GD001", "GB GD001"])
def test_vat_numbers_of_british_departments_claim_no_check_digit(value: str) -> None:
    assert run("VAT", value, country="GB").data["hasCheckDigit"] is False


def test_lost_leading_zeros_are_explained_only_where_they_would_mend_it() -> None:
    assert codes(run("KRS", 28860)) == ["LENGTH", "LEADING_ZEROS"]
    assert codes(run("REGON", 10001345)) == ["LENGTH", "LEADING_ZEROS"]
    assert codes(run("REGON", 10001346)) == ["LENGTH"]
    assert codes(run("KRS", "28860")) == ["LENGTH"]


def test_an_integer_that_came_as_a_float_is_read_as_one() -> None:
    assert run("NIP", 7740001454.0).passed


@pytest.mark.parametrize(
    ("value", "country", "number"),
    [
        ("el094019245", "GR", "EL094019245"),
        ("GR094019245", "GR", "EL094019245"),
        ("094019245", "EL", "EL094019245"),
        ("366303068", "XI", "XI366303068"),
        ("094019245", "GR", "EL094019245"),
        ("XI366303068", "GB", "XI366303068"),
        ("GB366303068", "GB", "GB366303068"),
        ("CHE105909036MWST", "CH", "CHE105909036MWST"),
        ("ATU14189108", "AT", "ATU14189108"),
    ],
)
def test_vat_numbers_are_written_as_on_invoices(value: str, country: str, number: str) -> None:
    result = run("VAT", value, country=country)
    assert (result.status, result.data["number"]) == ("valid", number)
    assert result.data["country"] == {"EL": "GR", "XI": "GB"}.get(country, country)


def test_a_french_key_that_looks_like_another_country_is_no_mismatch() -> None:
    # K7 399859412 has letters in its key; only a number that does not pass is blamed on its prefix.
    assert run("VAT", "K7399859412", country="FR").passed


@pytest.mark.parametrize(
    ("with_", "code", "listed"),
    [
        ({"type": "NPI"}, "TYPE_UNKNOWN", "did you mean `NIP`?"),
        ({"type": "NIP", "country": "DE"}, "TYPE_UNKNOWN", "its types: HANDELSREGISTER, VAT"),
        ({"type": "ORGNR"}, "COUNTRY_REQUIRED", "countries: NO, SE"),
        ({"type": "ORGNR", "country": "ZZ"}, "COUNTRY_UNKNOWN", "countries: NO, SE"),
        ({"type": "VAT"}, "COUNTRY_REQUIRED", "AT, BE, BG"),
    ],
)
def test_what_no_rule_covers_is_unknown_and_lists_what_there_is(with_: dict[str, str], code: str, listed: str) -> None:
    result = CHECK.run({"value": "1", **with_})
    assert (result.status, codes(result)) == ("unknown", [code])
    assert listed in result.reasons[0].message


def test_every_number_has_its_module() -> None:
    for number in NUMBERS:
        assert number.module is None or callable(load(number).validate), number.label


@given(value=st.text(max_size=40) | st.integers(min_value=0, max_value=10**40), number=st.sampled_from(NUMBERS))
def test_any_value_gets_a_verdict_that_does_not_repeat_it(value: str | int, number: object) -> None:
    type_, country = number.type, number.country or "PL"  # type: ignore[attr-defined]  # a Number, see NUMBERS
    result = run(type_, value, country=country)
    assert result.passed is (not result.reasons)
    # Letters may be part of a message's own words ("countr" is); a value with another character in it is not.
    telling = len(str(value)) >= 6 and not str(value).replace(" ", "").replace("'", "").isalpha()
    assert not telling or not any(str(value) in reason.message for reason in result.reasons)


@given(st.integers(min_value=0, max_value=10**9 - 1), st.integers(0, 9), st.integers(min_value=0, max_value=9))
def test_one_wrong_digit_never_passes_as_regon(serial: int, place: int, digit: int) -> None:
    """The property that check digits exist for, on our use of them."""
    weights = (8, 9, 2, 3, 4, 5, 6, 7)
    body = f"{serial:09}"[:8]
    total = sum(weight * int(figure) for weight, figure in zip(weights, body, strict=True)) % 11
    number = body + str(total % 10)
    place %= 8
    changed = f"{number[:place]}{digit}{number[place + 1 :]}"
    # A remainder of 10 is written 0, so 10 and 0 cannot be told apart: the official rule's own weakness.
    other = sum(weight * int(figure) for weight, figure in zip(weights, changed, strict=False)) % 11
    if changed.strip("0"):
        assert run("REGON", changed).passed is (other % 10 == total % 10)
