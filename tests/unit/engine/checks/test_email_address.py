"""`email-address`: verdicts on addresses; nobody is asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.engine.checks.email_address import EmailAddress

CHECK = EmailAddress()


def test_a_valid_address_is_normalised() -> None:
    result = CHECK.run({"value": " Jan.Kowalski+x@Żółw.PL "})
    assert result.passed
    assert result.data == {
        "address": "Jan.Kowalski+x@żółw.pl",
        "mailbox": "Jan.Kowalski+x",
        "domain": "żółw.pl",
        "asciiDomain": "xn--w-uga1v8h.pl",
        "international": False,
    }


def test_a_mailbox_with_other_letters_needs_a_server_that_takes_them() -> None:
    assert CHECK.run({"value": "zażółć@example.com"}).data["international"] is True


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("", "FORMAT"),
        ("jan", "FORMAT"),
        ("jan@@example.com", "FORMAT"),
        ("a@example.com, b@example.com", "FORMAT"),
        ("@example.com", "LOCAL_PART"),
        (".jan@example.com", "LOCAL_PART"),
        ("jan kowalski@example.com", "LOCAL_PART"),
        ("x" * 65 + "@example.com", "LOCAL_PART"),
        ("jan@", "DOMAIN"),
        ("jan@example", "DOMAIN"),
        ("jan@-example.com", "DOMAIN"),
        ("jan@exam ple.com", "DOMAIN"),
        ("jan@[127.0.0.1]", "DOMAIN"),
        ("jan@printer.local", "DOMAIN_RESERVED"),
        ("jan@localhost", "DOMAIN_RESERVED"),
    ],
)
def test_what_does_not_pass_names_the_part_that_is_wrong(value: str, code: str) -> None:
    result = CHECK.run({"value": value})
    assert (result.status, [reason.code for reason in result.reasons]) == ("invalid", [code])


@given(st.text(max_size=60) | st.emails())
def test_any_text_gets_a_verdict_that_does_not_repeat_it(value: str) -> None:
    result = CHECK.run({"value": value})
    assert result.passed is (not result.reasons)
    assert all(len(value) < 12 or value not in reason.message for reason in result.reasons)
