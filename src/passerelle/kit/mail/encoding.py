"""A message in the form that goes over the wire (RFC 5322)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, quote
from hashlib import sha256
from typing import Final

from passerelle.kit.mail import MailNever, Message
from passerelle.kit.mail.addresses import MailAddress

_LONGEST_KEY: Final = 100
"""Longer ones would not fit into one line of a header together with a domain."""
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def message_id(key: str, domain: str) -> str:
    """The `Message-ID` of the message that `key` names, with its angle brackets."""
    name = re.sub(r"[^A-Za-z0-9_-]+", ".", key).strip(".")
    if len(name) > _LONGEST_KEY or not name:
        name = sha256(key.encode()).hexdigest()
    return f"<{name}@{domain}>"


def encoded(message: Message, sender: MailAddress) -> bytes:
    """The whole message, with CRLF. `bcc` is in none of its headers. Raises `MailNever`.

    sender   the installation's
    """
    mail = EmailMessage(policy=SMTP if needs_only_ascii(message, sender) else SMTPUTF8)
    mail["Message-ID"] = message_id(message.key, sender.domain)
    mail["Date"] = format_datetime(message.date)
    mail["From"] = _in_header([_shown(message, sender)])
    for name, addresses in (("To", message.to), ("Cc", message.cc), ("Reply-To", message.reply_to)):
        if addresses:
            mail[name] = _in_header(addresses)
    mail["Subject"] = _one_line(message.subject)
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence notice answers it
    mail.set_content(message.text, cte="quoted-printable")
    if message.html is not None:
        mail.add_alternative(message.html, subtype="html", cte="quoted-printable")
    return mail.as_bytes()


def needs_only_ascii(message: Message, sender: MailAddress) -> bool:
    """Whether every address in it can go to every server."""
    shown = _shown(message, sender)
    return all(address.is_ascii for address in (sender, shown, *message.receivers, *message.reply_to))


def _shown(message: Message, sender: MailAddress) -> MailAddress:
    own = message.sender
    return sender if own is None else MailAddress(own.mailbox or sender.mailbox, own.name or sender.name)


def _one_line(subject: str) -> str:
    """Any white space counts as one space: a line break would begin another header."""
    line = " ".join(subject.split())
    if _CONTROL.search(line):
        raise MailNever("The subject has a control character: leave it out.")
    return line


def _in_header(addresses: Sequence[MailAddress]) -> str:
    """With names in quotes: nothing in one can become a second address."""
    return ", ".join(
        f'"{quote(_one_line(address.name))}" <{address.mailbox}>' if address.name else address.mailbox
        for address in addresses
    )
