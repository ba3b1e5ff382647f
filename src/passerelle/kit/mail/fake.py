"""The stand-in for tests and scenarios: no network, the same messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from passerelle.kit.mail import SEND_SECONDS, MailError, Message, MessageTaken
from passerelle.kit.mail.addresses import MailAddress
from passerelle.kit.mail.encoding import encoded, message_id

SENDER: Final = MailAddress("no-reply@passerelle.test")


@dataclass
class FakeMail:
    """A `Mail` that keeps what it is given in `sent`, after it has raised what stands in `errors`, one a message."""

    errors: list[MailError] = field(default_factory=list)
    sent: list[Message] = field(default_factory=list)
    sender: MailAddress = SENDER

    async def send(self, message: Message, *, timeout_seconds: float = SEND_SECONDS) -> MessageTaken:
        """See `Mail.send`."""
        encoded(message, self.sender)
        if self.errors:
            raise self.errors.pop(0)
        self.sent.append(message)
        return MessageTaken(message_id(message.key, self.sender.domain), "250 kept for the test")
