"""A mail server on loopback that keeps the last messages, in a folder."""

from __future__ import annotations

import asyncio
import email
import json
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from passerelle.kit.clock import Clock, system_clock

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope

KEPT: Final = 200
"""Messages that are kept; older ones make room."""
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
    """What came in, also before the last start: each message is a file `<number>.eml` of `folder`."""

    def __init__(self, folder: Path, clock: Clock = system_clock) -> None:
        self._clock = clock
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._kept = deque(_read_all(folder), maxlen=KEPT)
        self._count = self._kept[-1].number if self._kept else 0

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
        self._count += 1
        message = CaughtMessage(
            self._count,
            self._clock(),
            tuple(envelope.rcpt_tos),
            email.message_from_bytes(raw, policy=default),
        )
        _write(self._folder, message, raw)
        if len(self._kept) == KEPT:
            _path(self._folder, self._kept[0].number).unlink(missing_ok=True)
        self._kept.append(message)
        return "250 Caught"


_RECEIVED: Final = "X-Passerelle-Received"
_RECEIVERS: Final = "X-Passerelle-Receivers"


def _path(folder: Path, number: int) -> Path:
    return folder / f"{number:06}.eml"


def _write(folder: Path, message: CaughtMessage, raw: bytes) -> None:
    """The message as it came, below what its envelope said, so that any mail program opens the file."""
    envelope = f"{_RECEIVED}: {message.received_at.isoformat()}\r\n{_RECEIVERS}: {json.dumps(message.receivers)}\r\n"
    _path(folder, message.number).write_bytes(envelope.encode("utf-8", "surrogateescape") + raw)


def _read_all(folder: Path) -> Iterator[CaughtMessage]:
    """Oldest first. What is none of ours, or was cut off by a crash, is left where it is."""
    for path in sorted(folder.glob("[0-9]*.eml"))[-KEPT:]:
        envelope, _, raw = path.read_bytes().partition(b"\r\n" + _RECEIVERS.encode() + b": ")
        receivers, _, content = raw.partition(b"\r\n")
        with suppress(ValueError):
            yield CaughtMessage(
                int(path.stem),
                datetime.fromisoformat(envelope.decode().removeprefix(f"{_RECEIVED}: ")),
                tuple(json.loads(receivers)),
                email.message_from_bytes(content, policy=default),
            )
