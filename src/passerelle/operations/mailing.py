"""How e-mails are sent, tried with a real one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

import structlog

from passerelle.app.settings import Settings
from passerelle.kit.clock import Clock, iso
from passerelle.kit.errors import Code
from passerelle.kit.http.authentication import Principal
from passerelle.kit.ids import NewId
from passerelle.kit.mail import Mail, MailError, Message
from passerelle.kit.mail.addresses import MailAddress
from passerelle.kit.mail.server import SmtpServer
from passerelle.kit.mail.smtp import SmtpMail
from passerelle.kit.rates import Limit, Rates

log = structlog.get_logger("passerelle.mail")

MAIL_TESTS_TOO_MANY: Final = Code(
    "MAIL_TESTS_TOO_MANY", 429, "Too many test e-mails. Wait as long as `Retry-After` says."
)
TESTS: Final = Limit("mail_test", 10, timedelta(minutes=10))
"""For each workspace: e-mails go to whom the caller says, in the installation's name."""
_SECONDS: Final = 20.0
AGAIN_AFTER: Final = 60.0
"""Seconds after which a mail server that refused is greeted again."""


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


class MailWatch:
    """Whether the mail server takes us: asked when a process starts, and then until it does."""

    def __init__(self, settings: Settings) -> None:
        url = settings.smtp_url
        self._server = (
            None
            if url is None
            else SmtpMail(SmtpServer.parse(url.get_secret_value()), MailAddress.parse(settings.mail_from))
        )
        self.refusal: str | None = None
        """Why it does not, in one sentence; None where it does, nobody has asked yet, or there is none."""

    async def run(self) -> None:
        """Ask until it takes us; then whoever sends letters hears of it."""
        while not await self.look():  # noqa: ASYNC110 - no event tells that the mail server is back
            await asyncio.sleep(AGAIN_AFTER)

    async def look(self) -> bool:
        """Greet it once; whether it took us, or there is none."""
        before, self.refusal = self.refusal, await self._asked()
        if self.refusal is None and before is not None:
            log.info("mail.answers")
        return self.refusal is None

    async def _asked(self) -> str | None:
        if self._server is None:
            return None
        try:
            await self._server.greet(timeout_seconds=_SECONDS)
        except MailError as error:
            log.warning("mail.refused", code=error.code, reply=error.reply, meaning=error.message)
            return error.message
        return None


class MailTrial:
    """Sends test e-mails. `mail` is what all others use, so that a test says what they would meet."""

    def __init__(self, settings: Settings, mail: Mail, clock: Clock, new_id: NewId, rates: Rates) -> None:
        self._mail = mail
        self._rates = rates
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

    async def send(self, to: MailAddress, by: Principal) -> Tried:
        """Send one now; what the mail server says of it. Raises MAIL_TESTS_TOO_MANY."""
        await self._require_few(by)
        now = self._clock()
        text = (
            f"This is a test of Passerelle's mail, asked for by {by.name} at {iso(now)}.\n\n"
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

    async def _require_few(self, by: Principal) -> None:
        tally = await self._rates.hit(TESTS, str(by.workspace_id))
        if tally.full:
            raise MAIL_TESTS_TOO_MANY.error(
                f"{TESTS.most} test e-mails in ten minutes are enough: try again in {tally.seconds} seconds",
                headers={"Retry-After": str(tally.seconds)},
            )

    def _tried(
        self, to: MailAddress, began: float, taken: bool, reply: str | None, message: str | None, message_id: str | None
    ) -> Tried:
        took = (time.perf_counter() - began) * 1000
        return Tried(taken, to.mailbox, self.state.server, took, reply, message, message_id)
