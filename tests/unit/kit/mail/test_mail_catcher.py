"""The mail catcher's pages: what a message brings along neither runs nor is loaded."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from passerelle.dev.mailcatcher.catcher import KEPT, MailCatcher
from passerelle.dev.mailcatcher.endpoints import router
from passerelle.kit.clock import MovedClock
from passerelle.kit.http import errors
from passerelle.kit.mail import Message
from passerelle.kit.mail.addresses import MailAddress
from passerelle.kit.mail.server import SmtpServer
from passerelle.kit.mail.smtp import SmtpMail

EVIL = "<script>alert(1)</script>"
MESSAGE = Message(
    "key",
    datetime(2026, 1, 5, tzinfo=UTC),
    (MailAddress("anna@example.com"),),
    f"Żółw {EVIL}",
    f"See https://example.com/start?a=1 {EVIL}",
    html=f'<p><a href="https://example.com/start">Start</a>{EVIL}<img src="https://tracker.example/"></p>',
    bcc=(MailAddress("boss@example.com"),),
)


class Caught:
    def __init__(self, catcher: MailCatcher, mail: SmtpMail, client: httpx.AsyncClient) -> None:
        self.catcher, self.mail, self.client = catcher, mail, client

    async def get(self, path: str, status: int = 200) -> httpx.Response:
        answer = await self.client.get(f"/dev/mail{path}")
        assert answer.status_code == status, answer.text
        return answer


@pytest.fixture
async def caught(tmp_path: Path) -> AsyncIterator[Caught]:
    catcher = MailCatcher(tmp_path, MovedClock())
    app = FastAPI(openapi_url=None)
    errors.install(app)
    app.include_router(router(catcher))
    async with catcher.listening() as port, httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://passerelle.test"
    ) as client:  # fmt: skip
        mail = SmtpMail(SmtpServer("127.0.0.1", port, tls=False), MailAddress("no-reply@example.com", "Passerelle"))
        yield Caught(catcher, mail, client)


def directives(answer: httpx.Response) -> dict[str, str]:
    policy = answer.headers["content-security-policy"]
    return dict((*part.split(" ", 1), "")[:2] for part in policy.split("; "))  # type: ignore[misc] # pairs


async def test_a_message_is_listed_and_shown(caught: Caught) -> None:
    assert "no message yet" in (await caught.get("")).text
    await caught.mail.send(MESSAGE)
    listed = (await caught.get("")).text
    assert 'href="/dev/mail/1"' in listed
    assert "anna@example.com, boss@example.com" in listed
    shown = (await caught.get("/1")).text
    for text in ("&#34;Passerelle&#34; &lt;no-reply@example.com&gt;", "&lt;key@example.com&gt;", "Żółw"):
        assert text in shown or text.replace("&#34;", "") in shown
    assert '<a href="https://example.com/start?a=1" rel="noopener noreferrer" target="_blank">' in shown


async def test_programs_read_json(caught: Caught) -> None:
    await caught.mail.send(MESSAGE)
    await caught.mail.send(replace(MESSAGE, key="second", html=None, subject="Later"))
    answer: dict[str, Any] = (await caught.get(".json")).json()
    later, first = answer["data"]
    assert (answer["gone"], later["subject"], later["html"], later["id"]) == (0, "Later", None, 2)
    assert first | {"html": ""} == {
        "id": 1,
        "receivedDate": "2026-01-05T09:00:00.000Z",
        "messageId": "<key@example.com>",
        "from": "Passerelle <no-reply@example.com>",
        "to": "anna@example.com",
        "cc": "",
        "replyTo": "",
        "receivers": ["anna@example.com", "boss@example.com"],
        "subject": f"Żółw {EVIL}",
        "text": f"See https://example.com/start?a=1 {EVIL}\n",
        "html": "",
    }


async def test_our_pages_escape_everything_and_allow_no_script(caught: Caught) -> None:
    await caught.mail.send(MESSAGE)
    for path in ("", "/1"):
        answer = await caught.get(path)
        assert "<script" not in answer.text
        policy = directives(answer)
        assert (policy["default-src"], policy["style-src"], policy["frame-src"]) == ("'none'", "'self'", "'self'")
        assert "script-src" not in policy
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in answer.text


async def test_the_messages_own_html_stands_in_a_sandbox_without_scripts_or_requests(caught: Caught) -> None:
    await caught.mail.send(MESSAGE)
    answer = await caught.get("/1/html")
    assert answer.text.startswith('<base target="_blank"><p>')
    policy = directives(answer)
    assert policy["sandbox"] == "allow-popups allow-popups-to-escape-sandbox"
    assert (policy["default-src"], policy["img-src"]) == ("'none'", "data:")
    assert policy["frame-ancestors"] == "'self'"


async def test_what_is_not_there_is_said_so(caught: Caught) -> None:
    await caught.mail.send(replace(MESSAGE, html=None))
    for path in ("/2", "/1/html"):
        assert (await caught.get(path, 404)).json()["errors"][0]["code"] == "MESSAGE_NOT_FOUND"


async def test_the_oldest_make_room_and_the_page_says_so(caught: Caught) -> None:
    class Raw:
        content = b"Subject: one\r\nContent-Type: text/plain; charset=no-such\r\n\r\nzw\xc3\xb3\r\n"
        rcpt_tos = ("anna@example.com",)

    envelope: Any = Raw()
    for _ in range(KEPT + 3):
        await caught.catcher.handle_DATA(None, None, envelope)  # type: ignore[arg-type] # it looks at the envelope only
    assert "3 older messages are not kept any more" in (await caught.get("")).text
    assert len((await caught.get(".json")).json()["data"]) == KEPT
    assert "zwó" in (await caught.get(f"/{KEPT}")).text, (
        "text in an unknown character set is shown as well as it can be"
    )
    await caught.get("/3", 404)


async def test_what_was_caught_is_there_after_a_restart(caught: Caught, tmp_path: Path) -> None:
    await caught.mail.send(MESSAGE)
    (tmp_path / "000000.eml").write_text("cut off")
    again = MailCatcher(tmp_path)
    [kept], [before] = again.messages, caught.catcher.messages
    assert (kept.number, kept.received_at, kept.receivers) == (before.number, before.received_at, before.receivers)
    assert kept.mail.as_bytes() == before.mail.as_bytes()
    assert again.gone == 0
