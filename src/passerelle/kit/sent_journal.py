"""What this process sends to the outside, remembered until it is written down (`passerelle.operations.sent`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from passerelle.kit.clock import Clock
from passerelle.kit.mail import SEND_SECONDS, Mail, Message, MessageTaken

MOST: Final = 20_000
"""What is remembered at once; what comes beyond that is only counted."""

SentKind = Literal["call", "webhook", "mail"]
OnSend = Callable[[SentKind, str, str | None], None]
"""Told before something is sent: its kind, where to, and the key by which the other side knows it again."""


@dataclass(frozen=True, slots=True)
class Dispatched:
    """Something that was sent, or was about to be. `to`: the URL's origin, or the domains of an e-mail."""

    at: datetime
    kind: SentKind
    to: str
    key: str | None


def nobody(kind: SentKind, to: str, key: str | None) -> None:
    """Where nobody wants to know."""


class SentBuffer:
    """What was sent since it was last taken."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sent: list[Dispatched] = []
        self._more = 0

    def note(self, kind: SentKind, to: str, key: str | None) -> None:
        """Something is about to be sent."""
        if len(self._sent) >= MOST:
            self._more += 1
        else:
            self._sent.append(Dispatched(self._clock(), kind, to, key))

    def take(self) -> tuple[list[Dispatched], int]:
        """What there is, and how much more there was."""
        taken = self._sent, self._more
        self._sent, self._more = [], 0
        return taken

    def give_back(self, sent: list[Dispatched], more: int) -> None:
        """What could not be written down."""
        room = max(0, MOST - len(self._sent))
        self._sent = sent[-room:] + self._sent if room else self._sent
        self._more += more + max(0, len(sent) - room)


class NotedMail:
    """Says of each message that it is about to be sent."""

    def __init__(self, mail: Mail, on_send: OnSend) -> None:
        self._mail = mail
        self._on_send = on_send

    async def send(self, message: Message, *, timeout_seconds: float = SEND_SECONDS) -> MessageTaken:
        """See `Mail.send`."""
        domains = sorted({one.mailbox.rpartition("@")[2] for one in message.receivers})
        self._on_send("mail", ", ".join(domains), message.key)
        return await self._mail.send(message, timeout_seconds=timeout_seconds)
