"""Every e-mail that leaves the product passes here.

This module is what callers depend on: the protocol, the message and the errors. `smtp` sends through a real
server, `fake` is the stand-in for tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from passerelle.kit.mail.addresses import MailAddress

SEND_SECONDS = 30.0
"""How long sending may take where the caller names no limit."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent, and to whom; the sender is the installation's unless it says another one.

    `key` names this one message: the same key gives the same `Message-ID`, so that a repeated attempt can be
    recognised. `to`, `cc` and `bcc` have at least one address between them.
    """

    key: str
    date: datetime
    to: tuple[MailAddress, ...]
    subject: str
    text: str
    html: str | None = None
    cc: tuple[MailAddress, ...] = ()
    bcc: tuple[MailAddress, ...] = ()
    reply_to: tuple[MailAddress, ...] = ()
    workspace_id: UUID | None = None
    """Whose message it is, where it is one of a workspace to people outside."""
    sender: MailAddress | None = None
    """Whom it comes from; what of it is empty is the installation's."""

    @property
    def receivers(self) -> tuple[MailAddress, ...]:
        """Everybody who gets it, each once."""
        return tuple({address.mailbox: address for address in (*self.to, *self.cc, *self.bcc)}.values())


@dataclass(frozen=True, slots=True)
class MessageTaken:
    """A message that the mail server took. `reply`: its answer, code and words."""

    message_id: str
    reply: str = ""


class Mail(Protocol):
    """A way to send messages."""

    async def send(self, message: Message, *, timeout_seconds: float = SEND_SECONDS) -> MessageTaken:
        """Hand a message over to the mail server, for all of its receivers or for none.

        A crash or a lost answer at the very end can leave the message sent though this raised. Raises `MailLater`
        or `MailNever`.
        """


class MailError(Exception):
    """The message was not taken. `message` is one sentence without credentials or receivers.

    code    the server's answer, such as 451; None where there was none
    reply   the server's own words, without the receivers' addresses
    """

    def __init__(self, message: str, *, code: int | None = None, reply: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.reply = reply


class MailLater(MailError):  # noqa: N818 - a verdict, as its sibling
    """Not now: no connection, no answer in time, or a temporary refusal (RFC 5321, 4.2.1: 4yz). Try again later."""


class MailTimeout(MailLater):
    """The server did not answer in time."""


class MailNever(MailError):  # noqa: N818
    """Never: a permanent refusal (5yz), or something that only a person can mend. Trying again does not help."""


class NoMail:
    """Stands where no mail server is configured."""

    async def send(self, message: Message, *, timeout_seconds: float = SEND_SECONDS) -> MessageTaken:
        """Refuses."""
        raise MailNever("There is no mail server: set PASSERELLE_SMTP_URL, such as smtp://user:password@host:587.")
