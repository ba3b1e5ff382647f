"""Sending links: queued for good, retried while the server refuses for now, told when it is over."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from passerelle.kit.jobs import JobRunning
from passerelle.kit.mail import MailError, MailLater, MailNever, MailTimeout, MessageTaken
from tests.integration.links.gatehouse import Gatehouse, secret_of

NOT_NOW = MailLater("The mail server refused for now.", code=451, reply="4.7.1 Greylisted, try again")


async def test_it_is_queued_with_the_link_and_told_once_it_is_sent(gatehouse: Gatehouse) -> None:
    made = await gatehouse.sent("bob@example.com")
    assert gatehouse.mail.sent == []
    assert await gatehouse.work() == []
    (message,) = gatehouse.mail.sent
    assert [address.mailbox for address in message.to] == ["bob@example.com"]
    assert made.url in message.text
    assert message.html is not None
    assert made.url in message.html
    (link,) = await gatehouse.event_rows("link.sent")
    (email,) = await gatehouse.event_rows("email.")
    assert (link["data"]["linkId"], email["type"], email["data"]["error"]) == (str(made.id), "email.sent", None)
    assert email["data"]["linkId"] == str(made.id)
    assert email["execution_id"] == link["execution_id"] == made.execution_id
    assert "bob" not in str(link) + str(email)


async def test_a_server_that_refuses_for_now_is_asked_again_with_growing_pauses(gatehouse: Gatehouse) -> None:
    gatehouse.mail.errors = [NOT_NOW, MailTimeout("no answer in time"), MailLater("no connection")]
    await gatehouse.sent()
    pauses = [await gatehouse.work() for _ in range(4)]
    assert pauses == [[timedelta(seconds=10)], [timedelta(seconds=30)], [timedelta(seconds=60)], []]
    assert [message.key for message in gatehouse.mail.sent] == [gatehouse.mail.sent[0].key]
    assert await gatehouse.events("email.") == ["email.sent"]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (MailNever("x", code=550, reply="5.1.1 no such mailbox"), "550 5.1.1 no such mailbox"),
        (MailNever("There is no mail server."), "There is no mail server."),
    ],
)
async def test_a_final_refusal_is_told_and_not_repeated(gatehouse: Gatehouse, error: MailError, reason: str) -> None:
    gatehouse.mail.errors = [error]
    made = await gatehouse.sent()
    assert await gatehouse.work() == []
    (told,) = await gatehouse.event_rows("email.")
    assert (told["type"], told["data"]["error"], told["data"]["linkId"]) == ("email.failed", reason, str(made.id))
    assert await gatehouse.events("link.sent") == []


async def test_after_a_day_of_refusals_it_is_given_up(gatehouse: Gatehouse) -> None:
    gatehouse.mail.errors = [NOT_NOW] * 100
    await gatehouse.sent()
    tries = 0
    while waits := await gatehouse.work():
        tries += 1
        gatehouse.clock.move(waits[0])
    assert 25 < tries < 35
    (told,) = await gatehouse.event_rows("email.")
    assert (told["type"], told["data"]["error"]) == ("email.failed", "451 4.7.1 Greylisted, try again")


async def test_a_code_is_given_up_with_its_life(gatehouse: Gatehouse) -> None:
    gatehouse.mail.errors = [NOT_NOW] * 100
    secret = secret_of(await gatehouse.link())
    await gatehouse.links.send_code(secret)
    tries = 0
    while waits := await gatehouse.work():
        tries += 1
        gatehouse.clock.move(waits[0])
    assert tries == 5
    assert await gatehouse.events("email.") == ["email.failed"]


async def test_a_link_that_leads_nowhere_any_more_is_not_sent(gatehouse: Gatehouse) -> None:
    made = await gatehouse.sent()
    await gatehouse.links.delete(gatehouse.workspace_id, made.id)
    await gatehouse.work()
    assert gatehouse.mail.sent == []
    (told,) = await gatehouse.event_rows("email.")
    assert told["data"]["error"] == "the link leads nowhere any more"


async def test_a_job_that_runs_twice_sends_once_more_at_most_and_tells_once(gatehouse: Gatehouse) -> None:
    """Two workers may have one job for a moment. The second message has the first one's Message-ID."""
    await gatehouse.sent()
    async with gatehouse.database.workspace(gatehouse.workspace_id) as connection:
        email_id = await connection.fetchval("SELECT id FROM link_email")
    job = JobRunning(1, {"workspaceId": str(gatehouse.workspace_id), "emailId": str(email_id)})
    await asyncio.gather(gatehouse.sender.run(job), gatehouse.sender.run(job))
    await gatehouse.sender.run(job)
    assert len({message.key for message in gatehouse.mail.sent}) == 1
    assert await gatehouse.events("email.") == ["email.sent"]
    assert await gatehouse.events("link.sent") == ["link.sent"]


async def test_a_server_that_hangs_does_not_take_every_job(gatehouse: Gatehouse) -> None:
    """More messages than places: the others are put off, and their jobs end at once."""
    hanging, full = asyncio.Event(), asyncio.Event()
    under_way = 0

    async def hang(*_: object, **__: object) -> MessageTaken:
        nonlocal under_way
        under_way += 1
        if under_way == 8:
            full.set()
        await hanging.wait()
        return MessageTaken("<id>")

    gatehouse.mail.send = hang  # type: ignore[method-assign]
    for _ in range(12):
        await gatehouse.sent()
    async with gatehouse.database.workspace(gatehouse.workspace_id) as connection:
        ids = [row["id"] for row in await connection.fetch("SELECT id FROM link_email")]
    jobs = [
        asyncio.create_task(
            gatehouse.sender.run(JobRunning(1, {"workspaceId": str(gatehouse.workspace_id), "emailId": str(one)}))
        )
        for one in ids
    ]
    _, waiting = await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
    while sum(job.done() for job in jobs) < 4:
        await asyncio.wait([job for job in jobs if not job.done()], return_when=asyncio.FIRST_COMPLETED)
    await asyncio.wait_for(full.wait(), 30)
    assert (under_way, len(waiting) >= 8) == (8, True)
    assert len(await gatehouse.waits()) == 12 + 4
    hanging.set()
    await asyncio.gather(*jobs)


# What stands in the emails.


async def test_an_email_is_in_the_chosen_language(gatehouse: Gatehouse) -> None:
    for locale, subject in (
        ("pl", "Acme: Twoja firma"),
        ("pl-PL", "Acme: Twoja firma"),
        ("PL_pl", "Acme: Twoja firma"),
        ("en-GB", "Acme: Your company"),
        ("xx", "Acme: Your company"),
        (None, "Acme: Your company"),
    ):
        await gatehouse.sent(locale=locale)
        await gatehouse.work()
        assert gatehouse.mail.sent[-1].subject == subject
    assert "Rozpocznij" in str(gatehouse.mail.sent[0].html)


async def test_a_code_comes_in_the_language_of_the_page_that_asks_for_it(gatehouse: Gatehouse) -> None:
    made = await gatehouse.sent(locale="pl")
    await gatehouse.links.send_code(secret_of(made), "ar")
    await gatehouse.work()
    email = gatehouse.mail.sent[-1]
    assert "رمزك" in email.subject
    assert 'lang="ar" dir="rtl"' in str(email.html)


async def test_an_email_shows_the_workspace_s_name_and_colours_and_loads_nothing(gatehouse: Gatehouse) -> None:
    async with gatehouse.database.workspace(gatehouse.workspace_id) as connection:
        await connection.execute(
            "UPDATE workspace SET name = $2 WHERE workspace_id = $1",
            gatehouse.workspace_id,
            "<b>Acme</b>\r\nBcc: eve@example.com {title}",
        )
    made = await gatehouse.sent()
    await gatehouse.links.send_code(secret_of(made))
    await gatehouse.work()
    for message in gatehouse.mail.sent:
        html = str(message.html)
        assert "&lt;b&gt;Acme&lt;/b&gt;" in html
        assert "<b>" not in html
        assert "<img" not in html
        assert "url(" not in html
        assert html.count("https://") == html.count(made.url)
        assert message.subject.startswith("<b>Acme</b> Bcc: eve@example.com {title}: ")
    assert "background:#" in str(gatehouse.mail.sent[0].html)
