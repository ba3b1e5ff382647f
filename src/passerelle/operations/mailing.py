"""How e-mails are sent, tried with a real one."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from passerelle.app.settings import Settings
from passerelle.kit.clock import Clock, iso
from passerelle.kit.ids import NewId
from passerelle.kit.mail import Mail, MailError, Message
from passerelle.kit.mail.addresses import MailAddress
from passerelle.kit.mail.server import SmtpServer

_SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True)
class MailState:
    """What the settings say. `server`: host and port, None where there is none."""

    server: str | None
    tls: Literal["tls", "starttls", "none"]
    signs_in: bool
    sender: str
    domains: Sequence[str]


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a test e-mail."""

    taken: bool
    to: str
    server: str | None
    milliseconds: float
    reply: str | None
    message: str | None
    message_id: str | None


class MailTrial:
    """Sends test e-mails. `mail` is what all others use, so that a test says what they would meet."""

    def __init__(self, settings: Settings, mail: Mail, clock: Clock, new_id: NewId) -> None:
        self._mail = mail
        self._clock = clock
        self._new_id = new_id
        url = settings.smtp_url
        server = None if url is None else SmtpServer.parse(url.get_secret_value())
        self.state = MailState(
            None if server is None else str(server),
            "none" if server is None else "tls" if server.tls else "starttls",
            server is not None and server.user is not None,
            settings.mail_from,
            sorted(settings.sender_domains),
        )

    async def send(self, to: MailAddress, asked_by: str) -> Tried:
        """Send one now; what the mail server says of it."""
        now = self._clock()
        text = (
            f"This is a test of Passerelle's mail, asked for by {asked_by} at {iso(now)}.\n\n"
            "If you can read it, e-mails from Passerelle reach you.\n"
        )
        message = Message(f"mail-test-{self._new_id()}", now, (to,), "A test of Passerelle's mail", text)
        began = time.perf_counter()
        try:
            taken = await self._mail.send(message, timeout_seconds=_SECONDS)
        except MailError as error:
            reply = " ".join(filter(None, [str(error.code or ""), error.reply])) or None
            return self._tried(to, began, False, reply, error.message, None)
        return self._tried(to, began, True, taken.reply or None, None, taken.message_id)

    def _tried(
        self, to: MailAddress, began: float, taken: bool, reply: str | None, message: str | None, message_id: str | None
    ) -> Tried:
        took = (time.perf_counter() - began) * 1000
        return Tried(taken, to.mailbox, self.state.server, took, reply, message, message_id)
