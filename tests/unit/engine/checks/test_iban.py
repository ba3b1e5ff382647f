"""`iban`: verdicts on accounts, and whose bank it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.engine.checks.iban import Iban

CHECK = Iban()


def test_a_valid_iban_names_its_bank() -> None:
    result = CHECK.run({"value": "de89-3704 0044\t0532 0130 00"})
    assert result.passed
    assert result.data == {
        "number": "DE89370400440532013000",
        "country": "DE",
        "formatted": "DE89 3704 0044 0532 0130 00",
        "bankCode": "37040044",
        "bic": "COBADEFFXXX",
        "bankName": "Commerzbank",
        "sepa": True,
    }


def test_facts_that_are_not_known_are_left_out() -> None:
    assert "bankName" not in CHECK.run({"value": "GB82WEST12345698765432"}).data


def test_germanys_own_check_digits_are_not_judged() -> None:
    """Each bank has its own rule, and refusing a good account is worse than not knowing."""
    assert CHECK.run({"value": "DE93701500000123456700"}).passed


def test_a_country_without_an_official_iban_is_unknown() -> None:
    result = CHECK.run({"value": "DZ580002100001113000000570"})
    assert (result.status, result.reasons[0].code) == ("unknown", "COUNTRY_UNREGISTERED")


@pytest.mark.parametrize("country", ["UK", "gb", "GB"])
def test_the_country_may_be_written_as_people_do(country: str) -> None:
    assert CHECK.run({"value": "GB29NWBK60161331926819", "country": country}).passed


@given(st.text(max_size=40) | st.from_regex("(PL|DE|FR|XX)[0-9]{2}[0-9A-Z]{1,40}", fullmatch=True))
def test_any_text_gets_a_verdict(value: str) -> None:
    result = CHECK.run({"value": value})
    assert result.passed is (not result.reasons)
