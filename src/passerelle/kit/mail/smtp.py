"""Sending through a mail server: submission (RFC 6409) with TLS and login."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

import aiosmtplib

from passerelle.kit import tracing
from passerelle.kit.mail import SEND_SECONDS, MailError, MailLater, MailNever, MailTimeout, Message, MessageTaken
from passerelle.kit.mail.addresses import MailAddress
from passerelle.kit.mail.encoding import encoded, message_id, needs_only_ascii
from passerelle.kit.mail.server import SmtpServer
from passerelle.kit.metrics import counter

AT_ONCE: Final = 10
"""Connections that one process opens at most; providers refuse many."""

_mails: Final = counter("mails", "E-mails: `taken` by the mail server, or `refused`", "outcome")


class SmtpMail:
    """A `Mail` through one server. `tls` is for tests; certificates are checked against those the system trusts."""

    def __init__(self, server: SmtpServer, sender: MailAddress, *, tls: ssl.SSLContext | None = None) -> None:
        self._server = server
        self._sender = sender
        self._tls = tls or ssl.create_default_context()
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def send(self, message: Message, *, timeout_seconds: float = SEND_SECONDS) -> MessageTaken:
        """See `Mail.send`."""
        content = encoded(message, self._sender)
        outcome = "refused"
        try:
            with tracing.span("mail", kind="CLIENT"):
                async with self._talking(timeout_seconds, message.receivers) as client:
                    answer = await self._hand_over(client, message, content)
            outcome = "taken"
        finally:
            _mails.labels(outcome).inc()
        reply = f"{answer.code} {' '.join(answer.message.split())}"
        return MessageTaken(message_id(message.key, self._sender.domain), reply)

    async def greet(self, *, timeout_seconds: float = SEND_SECONDS) -> None:
        """Connect and log in as for a message, and send none. Raises `MailLater` or `MailNever`."""
        async with self._talking(timeout_seconds, ()):
            pass

    @asynccontextmanager
    async def _talking(self, seconds: float, receivers: Sequence[MailAddress]) -> AsyncIterator[aiosmtplib.SMTP]:
        """A connection to hand messages over; whatever breaks on it is raised as a `MailError`."""
        async with self._turn:
            try:
                async with asyncio.timeout(seconds), self._connected() as client:
                    yield client
            except TimeoutError:
                raise MailTimeout(f"The mail server {self._server} did not answer within {seconds:g} s.") from None
            except aiosmtplib.SMTPResponseException as error:
                raise self._refused(error, receivers) from None
            except (aiosmtplib.SMTPException, OSError) as error:
                raise self._broken(error) from None

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[aiosmtplib.SMTP]:
        client = aiosmtplib.SMTP(
            hostname=self._server.host,
            port=self._server.port,
            use_tls=self._server.tls,
            start_tls=False,  # `_secure` does it
            tls_context=self._tls,
            local_hostname=socket.gethostname(),
            timeout=None,
        )
        try:
            await client.connect()
            await self._secure(client)
            yield client
            with suppress(aiosmtplib.SMTPException, OSError):
                await client.quit()
        finally:
            client.close()

    async def _secure(self, client: aiosmtplib.SMTP) -> None:
        """TLS where it is offered, and login; credentials never go over a plain connection."""
        await client.ehlo()
        secure = self._server.tls
        if not secure and client.supports_extension("starttls"):
            await client.starttls()
            await client.ehlo()
            secure = True
        if self._server.user is None or self._server.password is None:
            return
        if not secure:
            raise MailNever(
                f"The mail server {self._server} offers no STARTTLS, and credentials are not sent in clear: "
                "use smtps:// in PASSERELLE_SMTP_URL, or leave user and password out."
            )
        if not client.supported_auth_methods:
            raise MailNever(f"The mail server {self._server} offers no way to log in that is supported here.")
        await client.login(self._server.user, self._server.password)

    async def _hand_over(self, client: aiosmtplib.SMTP, message: Message, content: bytes) -> aiosmtplib.SMTPResponse:
        ascii_only = needs_only_ascii(message, self._sender)
        if not ascii_only and not client.supports_extension("smtputf8"):
            raise MailNever(
                f"The mail server {self._server} takes no addresses with letters outside of ASCII before the @."
            )
        encoding = "ascii" if ascii_only else "utf-8"
        options = [] if ascii_only else ["SMTPUTF8", "BODY=8BITMIME"]
        await client.mail(self._sender.mailbox, options=options, encoding=encoding)
        refusals = []
        for address in message.receivers:
            try:
                await client.rcpt(address.mailbox, encoding=encoding)
            except aiosmtplib.SMTPRecipientRefused as refusal:
                refusals.append(refusal)
        if refusals:
            # Nobody gets it: those who had would get it again when it is repeated.
            raise max(refusals, key=lambda refusal: refusal.code)
        return await client.data(content)

    def _refused(self, error: aiosmtplib.SMTPResponseException, receivers: Sequence[MailAddress]) -> MailError:
        what = {
            aiosmtplib.SMTPAuthenticationError: "the credentials of PASSERELLE_SMTP_URL",
            aiosmtplib.SMTPSenderRefused: "the sender, PASSERELLE_MAIL_FROM",
            aiosmtplib.SMTPRecipientRefused: "a receiver",
            aiosmtplib.SMTPDataError: "the message",
        }.get(type(error), "to talk to us")
        reply = " ".join(error.message.split())
        for address in receivers:
            reply = reply.replace(address.mailbox, "•••")
        later = 400 <= error.code < 500
        how = "refused for now" if later else "refused for good"
        sentence = f"The mail server {self._server} {how} {what} ({error.code})."
        return (MailLater if later else MailNever)(sentence, code=error.code, reply=reply)

    def _broken(self, error: Exception) -> MailError:
        if _about_certificates(error):
            return MailNever(
                f"The certificate of the mail server {self._server} is not trusted: name the host as the certificate "
                "does, or give its authority in SSL_CERT_FILE."
            )
        return MailLater(f"There is no connection to the mail server {self._server}, or it broke: is it running there?")


def _about_certificates(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
