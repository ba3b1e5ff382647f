"""Links and codes over real SMTP conversations, with servers that are good, down, slow, busy and strict."""

from __future__ import annotations

import email
import ssl
from datetime import timedelta
from email.message import EmailMessage
from email.policy import default

import pytest
from aiosmtpd.smtp import Envelope
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

import passerelle.links.sending
from passerelle.kit.database import Database
from passerelle.kit.ids import new_id
from passerelle.kit.mail.addresses import MailAddress
from passerelle.kit.mail.server import SmtpServer
from passerelle.kit.mail.smtp import SmtpMail
from tests.integration.kit.mail.smtp_server import Server, certificate, serving, theirs, trusting
from tests.integration.links.gatehouse import Gatehouse, secret_of

__all__ = ["certificate", "theirs", "trusting"]


def read(taken: Envelope) -> EmailMessage:
    assert isinstance(taken.content, bytes)
    return email.message_from_bytes(taken.content, policy=default)


async def through(
    server: Server, house: Database, key: RSAPrivateKey, credentials: str = "", tls: ssl.SSLContext | None = None
) -> Gatehouse:
    """A gatehouse that sends through this server."""
    address = SmtpServer.parse(f"smtp://{credentials}127.0.0.1:{server.port}")
    mail = SmtpMail(address, MailAddress("hi@acme.example", "Acme"), tls=tls)
    gatehouse = Gatehouse(house, new_id(), server=mail)
    await gatehouse.furnish(key)
    return gatehouse


async def test_a_link_and_its_code_arrive_over_starttls_and_login(
    house: Database, private_key: RSAPrivateKey, theirs: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    async with serving(Server(), tls_context=theirs, require_starttls=True) as server:
        gatehouse = await through(server, house, private_key, "user:p%40ss@", trusting)
        made = await gatehouse.sent(locale="pl")
        await gatehouse.links.send_code(secret_of(made))
        await gatehouse.work()
    assert set(server.logins) == {(b"user", True)}
    emails = sorted((read(taken) for taken in server.taken), key=lambda email: len(str(email)), reverse=True)
    link, code = emails
    assert (link["From"], link["To"], link["Subject"]) == (
        "Acme <hi@acme.example>",
        "anna@example.com",
        "Acme: Twoja firma",
    )
    assert link["Message-ID"].endswith("@acme.example>")
    assert code["Subject"] == "Acme: Twój kod"
    plain, html = link.get_body(("plain",)), link.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert made.url in plain.get_content()
    assert f'href="{made.url}"' in html.get_content()
    assert {part.get_content_type() for part in link.walk()} == {"multipart/alternative", "text/plain", "text/html"}


async def test_down_then_busy_then_slow_then_well(
    house: Database, private_key: RSAPrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message waits for the server, however long it takes to get well, and goes out once."""
    monkeypatch.setattr(passerelle.links.sending, "_SECONDS", 0.2)
    async with serving(Server()) as gone:
        pass
    gatehouse = await through(gone, house, private_key)
    await gatehouse.sent()
    assert await gatehouse.work() == [timedelta(seconds=10)], "nobody listens there"
    async with serving(Server(answers={"RCPT": ["450 4.2.1 busy"]}), port=gone.port) as server:
        assert await gatehouse.work() == [timedelta(seconds=30)], "refused for now"
        server.hangs = True
        assert await gatehouse.work() == [timedelta(seconds=60)], "too slow"
        assert await gatehouse.events("email.") == []
        server.hangs = False
        assert await gatehouse.work() == []
    assert len(server.taken) == 1
    assert await gatehouse.events("email.") == ["email.sent"]


async def test_a_server_that_repeats_everything_gets_nothing_into_the_log(
    house: Database, private_key: RSAPrivateKey, capsys: pytest.CaptureFixture[str]
) -> None:
    """Refused for now, then for good, with the receiver's address in both answers: for a link and for a code."""
    answers = ["451 4.7.1 <{}> greylisted", "451 4.7.1 {} wait", "550 5.1.1 <{}> unknown", "554 {} unknown"]
    async with serving(Server(answers={"RCPT": answers})) as server:
        gatehouse = await through(server, house, private_key)
        made = await gatehouse.sent()
        await gatehouse.links.send_code(secret_of(made))
        await gatehouse.work()
        assert await gatehouse.work() == []
    assert await gatehouse.events("email.") == ["email.failed", "email.failed"]
    out = capsys.readouterr()
    shown = out.out + out.err
    assert shown.count("email.put_off") == shown.count("email.failed") == 2
    for hidden in ("anna@", secret_of(made)):
        assert hidden not in shown


async def test_a_receiver_that_is_refused_for_good_is_told_without_the_address(
    house: Database, private_key: RSAPrivateKey
) -> None:
    async with serving(Server(answers={"RCPT": ["550 5.1.1 <{}> unknown here"]})) as server:
        gatehouse = await through(server, house, private_key)
        await gatehouse.sent()
        assert await gatehouse.work() == []
    (told,) = await gatehouse.event_rows("email.")
    assert (told["type"], told["data"]["error"]) == ("email.failed", "550 5.1.1 <•••> unknown here")
    assert server.taken == []
