"""The journal of what was sent: it outlives the database's restore, keeps no contents, and drops nothing in silence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from passerelle.kit import sent_journal as sent_module
from passerelle.kit.errors import PasserelleError
from passerelle.kit.ids import new_id
from passerelle.kit.mail import Message
from passerelle.kit.mail.addresses import MailAddress
from passerelle.kit.mail.fake import FakeMail
from passerelle.kit.outgoing.client import OutgoingClient
from passerelle.kit.outgoing.rules import EgressRules
from passerelle.kit.sent_journal import NotedMail, SentBuffer
from passerelle.operations.sent import SentJournal
from passerelle.resources.errors import FILES_UNAVAILABLE
from passerelle.resources.files import Files

START = datetime(2026, 1, 5, 9, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def journal(buffer: SentBuffer, files: Files, clock: Clock, keep: timedelta = timedelta(days=14)) -> SentJournal:
    return SentJournal(buffer, files, clock, new_id, keep)


async def test_what_was_sent_after_a_moment_is_found_in_every_processes_files(clock: Clock) -> None:
    files = Files.in_memory()
    for process in range(2):
        buffer = SentBuffer(clock)
        for minute in range(3):
            clock.now = START + timedelta(minutes=minute)
            buffer.note("webhook", "https://hooks.example", f"{process}{minute}")
            await journal(buffer, files, clock).write()
    reading = journal(SentBuffer(clock), files, clock)
    found, more = await reading.since(START + timedelta(minutes=1))
    assert [one.key for one in found] == ["01", "11", "02", "12"]
    assert more == 0
    assert await reading.since(START + timedelta(hours=1)) == ([], 0)


async def test_what_the_store_does_not_take_is_written_the_next_time(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, buffer = Files.in_memory(), SentBuffer(clock)
    buffer.note("call", "https://register.example", "k")

    async def refused(*_: Any) -> None:
        raise FILES_UNAVAILABLE.error("the store of files does not answer")

    with monkeypatch.context() as patched:
        patched.setattr(files, "put", refused)
        with pytest.raises(PasserelleError, match="does not answer"):
            await journal(buffer, files, clock).write()
    await journal(buffer, files, clock).write()
    found, _ = await journal(buffer, files, clock).since(START)
    assert [(one.kind, one.to, one.key) for one in found] == [("call", "https://register.example", "k")]


async def test_what_there_is_no_room_for_is_counted(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sent_module, "MOST", 2)
    files, buffer = Files.in_memory(), SentBuffer(clock)
    for key in "abcde":
        buffer.note("call", "https://register.example", key)
    await journal(buffer, files, clock).write()
    found, more = await journal(buffer, files, clock).since(START)
    assert ([one.key for one in found], more) == (["a", "b"], 3)


async def test_it_is_kept_for_a_time_and_not_written_where_nobody_wants_it(clock: Clock) -> None:
    files, buffer = Files.in_memory(), SentBuffer(clock)
    buffer.note("call", "https://register.example", None)
    await journal(buffer, files, clock, timedelta()).write()
    assert [path async for path in files.listed("sent")] == []
    buffer.note("call", "https://register.example", None)
    await journal(buffer, files, clock).write()
    for days, left in ((14, 1), (16, 0)):
        clock.now = START + timedelta(days=days)
        await journal(buffer, files, clock).forget_old()
        assert len([path async for path in files.listed("sent")]) == left


async def test_requests_and_mails_are_noted_before_they_leave_without_what_they_say(clock: Clock) -> None:
    buffer = SentBuffer(clock)
    client = OutgoingClient(EgressRules.parse("127.0.0.1"), on_send=buffer.note)
    for headers in ({"Idempotency-Key": "call-1"}, {"webhook-id": str(UUID(int=7))}):
        with pytest.raises(Exception, match=r"127\.0\.0\.1"):
            await client.request(
                "POST", "http://127.0.0.1:9/secret?name=Anna", headers=headers, content=b"Anna", timeout_seconds=1
            )
    await client.close()
    message = Message("letter-1", START, (MailAddress.parse("anna@example.com"),), "Hello Anna", "text")
    await NotedMail(FakeMail(), buffer.note).send(message)
    noted, _ = buffer.take()
    assert [(one.kind, one.to, one.key) for one in noted] == [
        ("call", "http://127.0.0.1:9", "call-1"),
        ("webhook", "http://127.0.0.1:9", str(UUID(int=7))),
        ("mail", "example.com", "letter-1"),
    ]
