"""A message as it goes over the wire: nothing in it can become a header, and every mail reader understands it."""

from __future__ import annotations

import email
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.kit.mail import MailNever, Message
from passerelle.kit.mail.addresses import MailAddress
from passerelle.kit.mail.encoding import encoded, message_id

SENDER = MailAddress.parse("Zażółć <no-reply@example.com>")
ANNA = MailAddress.parse("anna@example.com")
NAMED = {"Message-ID", "Date", "From", "To", "Subject", "Auto-Submitted", "MIME-Version", "Content-Type"}


def message(**rest: Any) -> Message:
    return Message(**{
        "key": "0198:welcome:1",
        "date": datetime(2026, 1, 5, 9, 0, tzinfo=UTC),
        "to": (ANNA,),
        "subject": "Hello",
        "text": "Hi",
        **rest,
    })  # fmt: skip


def read(**rest: Any) -> EmailMessage:
    parsed: EmailMessage = email.message_from_bytes(encoded(message(**rest), SENDER), policy=default)
    assert parsed.defects == []
    return parsed


def test_what_it_says_in_its_headers() -> None:
    mail = read(
        cc=(MailAddress.parse("Żaneta <z@example.com>"),), bcc=(MailAddress("secret@example.com"),), reply_to=(ANNA,)
    )
    assert mail["Message-ID"] == "<0198.welcome.1@example.com>"
    assert mail["Date"] == "Mon, 05 Jan 2026 09:00:00 +0000"
    assert str(mail["From"]) == "Zażółć <no-reply@example.com>"
    assert (str(mail["To"]), str(mail["Cc"]), str(mail["Reply-To"])) == (
        "anna@example.com", "Żaneta <z@example.com>", "anna@example.com",
    )  # fmt: skip
    assert "secret@" not in mail.as_string()
    assert mail["Auto-Submitted"] == "auto-generated"


def test_text_and_html_are_alternatives_in_utf_8_and_the_wire_is_ascii() -> None:
    raw = encoded(message(text="Zażółć gęślą jaźń\n" + "x" * 5000, html="<p>Zażółć ✓</p>"), SENDER)
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 78
    mail: EmailMessage = email.message_from_bytes(raw, policy=default)
    assert mail.get_content_type() == "multipart/alternative"
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().startswith("Zażółć gęślą jaźń\r\nxxx")
    assert html.get_content().strip() == "<p>Zażółć ✓</p>"


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=200), st.text(max_size=20), st.text(max_size=20)
)
def test_no_subject_and_no_name_makes_a_header(around: str, name: str, after: str) -> None:
    """Line breaks of every kind, followed by what would be a header."""
    subject = f"{around}\r\nBcc: evil@example.com\n\nbody\u2028{after}"
    try:
        mail = read(subject=subject, to=(MailAddress("anna@example.com", f"{name}\nX-Evil: 1"),))
    except MailNever:
        return  # a control character, said so
    assert {*mail.keys()} - NAMED <= {"Content-Transfer-Encoding"}
    assert [address.addr_spec for address in mail["To"].addresses] == ["anna@example.com"]


def test_a_control_character_in_the_subject_is_refused() -> None:
    with pytest.raises(MailNever, match="control character"):
        encoded(message(subject="a\x07b"), SENDER)


@given(st.text(min_size=1, max_size=300))
def test_a_message_id_is_one_word_and_the_same_for_the_same_key(key: str) -> None:
    made = message_id(key, "example.com")
    assert made == message_id(key, "example.com")
    assert made.isascii()
    assert len(made) <= 114
    assert str(read(key=key)["Message-ID"]) == made


def test_receivers_are_counted_once() -> None:
    assert message(cc=(ANNA,), bcc=(MailAddress("b@example.com"),)).receivers == (ANNA, MailAddress("b@example.com"))


@pytest.mark.parametrize(
    ("given", "mailbox", "name"),
    [
        (" anna@example.com ", "anna@example.com", ""),
        ("Anna Nowak <anna@example.com>", "anna@example.com", "Anna Nowak"),
        ("kontakt@żółw.pl", "kontakt@xn--w-uga1v8h.pl", ""),
        ("root@localhost", "root@localhost", ""),
        ("ops@mail.internal", "ops@mail.internal", ""),
        ("żaneta@example.com", "żaneta@example.com", ""),
    ],
)
def test_addresses_that_are_understood(given: str, mailbox: str, name: str) -> None:
    address = MailAddress.parse(given)
    assert (address.mailbox, address.name) == (mailbox, name)
    assert address.is_ascii is mailbox.isascii()


@pytest.mark.parametrize(
    "given",
    ["", "anna", "@example.com", "anna@", "a@b@example.com", "a@example.com, b@example.com", "a@exa mple.com",
     "a@example.com\nBcc: b@example.com", "a@ex..com", "x" * 65 + "@example.com", "<a@example.com"],
)  # fmt: skip
def test_addresses_that_are_none_are_refused_without_repeating_them(given: str) -> None:
    with pytest.raises(ValueError, match="is no e-mail address") as refused:
        MailAddress.parse(given)
    assert "example" not in str(refused.value)
