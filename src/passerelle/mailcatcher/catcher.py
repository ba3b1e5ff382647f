"""A mail server on loopback that keeps the last messages in memory."""

from __future__ import annotations

import asyncio
import email
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import default
from typing import TYPE_CHECKING, Any, Final

from passerelle.kit.clock import Clock, system_clock

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope

KEPT: Final = 200
"""Messages in memory; older ones make room."""
LARGEST: Final = 10_000_000
"""Bytes of one message."""


@dataclass(frozen=True, slots=True)
class CaughtMessage:
    """A message as it came."""

    number: int
    received_at: datetime
    receivers: tuple[str, ...]
    """To whom it would have gone, those of no header included."""
    mail: EmailMessage

    def header(self, name: str) -> str:
        """A header, decoded; empty where the message has none."""
        return str(self.mail[name] or "")

    @property
    def text(self) -> str | None:
        """The plain text, if there is one."""
        return self._part("plain")

    @property
    def html(self) -> str | None:
        """The HTML, if there is one."""
        return self._part("html")

    def _part(self, kind: str) -> str | None:
        body = self.mail.get_body((kind,))
        if body is None:
            return None
        try:
            return str(body.get_content()).replace("\r\n", "\n")
        except (LookupError, ValueError):  # in a character set that nobody knows
            payload = body.get_payload(decode=True)
            return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else None


class MailCatcher:
    """What came in since the start."""

    def __init__(self, clock: Clock = system_clock) -> None:
        self._clock = clock
        self._kept: deque[CaughtMessage] = deque(maxlen=KEPT)
        self._count = 0

    @property
    def messages(self) -> list[CaughtMessage]:
        """The newest first."""
        return list(reversed(self._kept))

    @property
    def gone(self) -> int:
        """How many were caught and are not kept any more."""
        return self._count - len(self._kept)

    def find(self, number: int) -> CaughtMessage | None:
        """A message by its number; the first one has 1."""
        return next((message for message in self._kept if message.number == number), None)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        """Take messages on a free port of loopback, which is given; stop at the end."""
        from aiosmtpd.smtp import SMTP  # noqa: PLC0415 - only `passerelle dev` needs it

        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: SMTP(
                self, loop=loop, hostname="localhost", ident="Passerelle", data_size_limit=LARGEST, enable_SMTPUTF8=True
            ),
            "127.0.0.1",
        )
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            await server.wait_closed()

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Called for each message; the answer to its sender."""
        content = envelope.content
        raw = content.encode() if isinstance(content, str) else content or b""
        mail = email.message_from_bytes(raw, policy=default)
        self._count += 1
        self._kept.append(CaughtMessage(self._count, self._clock(), tuple(envelope.rcpt_tos), mail))
        return "250 Caught"
