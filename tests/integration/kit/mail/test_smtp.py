"""Sending over a real SMTP conversation, with servers that are good, busy, strict, slow, broken and gone."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime

import pytest

from passerelle.kit.mail import MailError, MailLater, MailNever, MailTimeout, Message
from passerelle.kit.mail.addresses import MailAddress
from passerelle.kit.mail.server import SmtpServer
from passerelle.kit.mail.smtp import SmtpMail
from tests.integration.kit.mail.smtp_server import Server, certificate, serving, theirs, trusting

__all__ = ["certificate", "theirs", "trusting"]

SENDER = MailAddress("no-reply@example.com")
MESSAGE = Message(
    "key", datetime(2026, 1, 5, tzinfo=UTC), (MailAddress("anna@example.com"), MailAddress("bob@example.com")), "Hi", "Hi\n.\nb",
    bcc=(MailAddress("carol@example.com"),),
)  # fmt: skip


def mail_to(server: Server, credentials: str = "", scheme: str = "smtp", tls: ssl.SSLContext | None = None) -> SmtpMail:
    return SmtpMail(SmtpServer.parse(f"{scheme}://{credentials}127.0.0.1:{server.port}"), SENDER, tls=tls)


async def refused(mail: SmtpMail, kind: type[MailError], message: Message = MESSAGE, seconds: float = 10) -> MailError:
    with pytest.raises(kind) as caught:
        await mail.send(message, timeout_seconds=seconds)
    assert type(caught.value) is kind
    assert "@example.com" not in f"{caught.value}{caught.value.reply}"
    return caught.value


async def test_a_message_reaches_every_receiver_as_it_was_written() -> None:
    async with serving(Server()) as server:
        answer = await mail_to(server).send(MESSAGE)
        assert answer.message_id == "<key@example.com>"
        assert answer.reply.startswith("250 ")
    (taken,) = server.taken
    assert taken.mail_from == "no-reply@example.com"
    assert taken.rcpt_tos == ["anna@example.com", "bob@example.com", "carol@example.com"]
    assert isinstance(taken.content, bytes)
    assert b"carol" not in taken.content
    assert taken.content.endswith(b"\r\n\r\nHi\r\n.\r\nb\r\n"), "a line that is one dot does not end it"


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
async def test_a_temporary_refusal_is_for_later_and_the_next_attempt_gets_through(command: str) -> None:
    async with serving(Server(answers={command: ["451 4.7.1 Greylisted"]})) as server:
        mail = mail_to(server)
        error = await refused(mail, MailLater)
        assert (error.code, error.reply) == (451, "4.7.1 Greylisted")
        assert "refused for now" in error.message
        assert server.taken == []
        assert (await mail.send(MESSAGE)).message_id == "<key@example.com>"


@pytest.mark.parametrize(
    ("command", "what"), [("MAIL", "the sender, PASSERELLE_MAIL_FROM"), ("RCPT", "a receiver"), ("DATA", "the message")]
)
async def test_a_final_refusal_says_what_was_refused(command: str, what: str) -> None:
    async with serving(Server(answers={command: ["550 5.1.1 No"]})) as server:
        error = await refused(mail_to(server), MailNever)
    assert error.message == f"The mail server 127.0.0.1:{server.port} refused for good {what} (550)."


async def test_one_refused_receiver_and_nobody_gets_it() -> None:
    """Else those who got it would get it again with the next attempt. The server's words come without addresses."""
    async with serving(Server(answers={"RCPT": ["250 OK", "450 <{}> busy", "550 <{}> unknown"]})) as server:
        error = await refused(mail_to(server), MailNever)
        assert server.taken == []
    assert (error.code, error.reply) == (550, "<•••> unknown")


async def test_a_slow_server_is_given_up_on_in_time() -> None:
    async with serving(Server(hangs=True)) as server:
        error = await refused(mail_to(server), MailTimeout, seconds=0.2)
    assert "did not answer within 0.2 s" in error.message


async def test_a_server_that_is_not_there_or_hangs_up_is_for_later() -> None:
    gone = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = gone.sockets[0].getsockname()[1]
    hung_up = await refused(mail_to(Server(port)), MailLater)
    gone.close()
    await gone.wait_closed()
    down = await refused(mail_to(Server(port)), MailLater)
    assert (hung_up.code, down.code) == (None, None)
    assert "is it running there?" in down.message


async def test_a_server_that_is_busy_at_once_is_for_later() -> None:
    async def busy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"421 4.3.2 Too many connections\r\n")
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(busy, "127.0.0.1", 0)
    async with listening:
        error = await refused(mail_to(Server(listening.sockets[0].getsockname()[1])), MailLater)
    assert error.code == 421


async def test_credentials_go_over_tls_only(theirs: ssl.SSLContext, trusting: ssl.SSLContext) -> None:
    async with serving(Server(), tls_context=theirs) as server:
        await mail_to(server, "user:p%40ss@", tls=trusting).send(MESSAGE)
        assert server.logins == [(b"user", True)]
        wrong = await refused(mail_to(server, "user:wrong@", tls=trusting), MailNever)
        assert (wrong.code, "the credentials of PASSERELLE_SMTP_URL" in wrong.message) == (535, True)
    async with serving(Server(), auth_require_tls=False) as plain:
        error = await refused(mail_to(plain, "user:p%40ss@"), MailNever)
        assert plain.logins == []
    assert "offers no STARTTLS, and credentials are not sent in clear" in error.message


async def test_starttls_is_used_without_credentials_too_and_certificates_are_checked(
    theirs: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    async with serving(Server(), tls_context=theirs, require_starttls=True) as server:
        await mail_to(server, tls=trusting).send(MESSAGE)
        error = await refused(mail_to(server), MailNever)
        assert len(server.taken) == 1
    assert "is not trusted" in error.message
    assert "SSL_CERT_FILE" in error.message


async def test_addresses_outside_of_ascii_need_a_server_that_takes_them() -> None:
    message = Message("key", MESSAGE.date, (MailAddress.parse("żaneta@żółw.pl"),), "Hi", "Hi")
    async with serving(Server(), enable_SMTPUTF8=True) as server:
        await mail_to(server).send(message)
        assert server.taken[0].rcpt_tos == ["żaneta@xn--w-uga1v8h.pl"]
    async with serving(Server(), enable_SMTPUTF8=False) as old:
        error = await refused(mail_to(old), MailNever, message)
    assert "outside of ASCII" in error.message
