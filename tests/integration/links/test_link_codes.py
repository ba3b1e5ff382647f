"""One-time codes: how another browser carries on, and how one without script begins."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import pytest

from passerelle.kit.errors import PasserelleError
from passerelle.links.models import EndUserSession, LinkState
from tests.integration.links.gatehouse import Gatehouse, code_of, secret_of


async def code_in_mail(gatehouse: Gatehouse) -> str:
    """The code of the last message."""
    await gatehouse.work()
    found = re.search(r"^(\d{4} \d{4})$", gatehouse.mail.sent[-1].text, re.MULTILINE)
    assert found is not None
    return found.group(1)


def another(code: str) -> str:
    """A wrong code that differs in its last digit."""
    return code[:-1] + str((int(code[-1]) + 1) % 10)


async def started(gatehouse: Gatehouse) -> tuple[str, EndUserSession]:
    """A link that is spent, and the session of the browser that did."""
    secret = secret_of(await gatehouse.link())
    return secret, await gatehouse.links.activate(secret, await gatehouse.links.challenge(secret))


async def test_another_browser_carries_on_by_a_code_and_the_first_one_is_out(gatehouse: Gatehouse) -> None:
    secret, first = await started(gatehouse)
    assert await gatehouse.links.send_code(secret) == "a•••@example.com"
    second = await gatehouse.links.enter_code(secret, await code_in_mail(gatehouse))
    assert second.execution_id == first.execution_id
    assert await gatehouse.links.session(first.secret) is None
    assert await gatehouse.links.session(second.secret) == second
    assert (await gatehouse.links.look(secret)).state is LinkState.SPENT
    assert await gatehouse.events("link.activated") == ["link.activated"]


async def test_a_browser_without_script_begins_by_a_code(gatehouse: Gatehouse) -> None:
    secret = secret_of(await gatehouse.link())
    await gatehouse.links.send_code(secret)
    session = await gatehouse.links.enter_code(secret, await code_in_mail(gatehouse))
    assert await gatehouse.links.session(session.secret) is not None
    assert (await gatehouse.links.look(secret)).state is LinkState.SPENT
    assert await gatehouse.events("link.activated") == ["link.activated"]


@pytest.mark.parametrize("spelling", ["{0} {1}", "{0}{1}", " {0}-{1} ", "{0}\n{1}"])
async def test_a_code_may_be_spaced_in_any_way(gatehouse: Gatehouse, spelling: str) -> None:
    secret, _ = await started(gatehouse)
    await gatehouse.links.send_code(secret)
    code = await code_in_mail(gatehouse)
    await gatehouse.links.enter_code(secret, spelling.format(*code.split()))


async def test_five_wrong_guesses_end_a_code(gatehouse: Gatehouse) -> None:
    secret, _ = await started(gatehouse)
    await gatehouse.links.send_code(secret)
    code = await code_in_mail(gatehouse)
    for guess in (another(code), "", "x" * 10_000, "１２３４５６７８", another(code)):
        assert await code_of(gatehouse.links.enter_code(secret, guess)) == "CODE_WRONG"
    assert await code_of(gatehouse.links.enter_code(secret, code)) == "CODE_WRONG"
    gatehouse.clock.move(timedelta(minutes=1))
    await gatehouse.links.send_code(secret)
    renewed = await code_in_mail(gatehouse)
    assert renewed != code
    await gatehouse.links.enter_code(secret, renewed)


async def test_guesses_at_once_are_counted_one_by_one(gatehouse: Gatehouse) -> None:
    """Fifty guesses in parallel must not get more than five looks."""
    secret, _ = await started(gatehouse)
    await gatehouse.links.send_code(secret)
    code = await code_in_mail(gatehouse)
    guesses = [another(code)] * 49 + [code]
    results = await asyncio.gather(
        *(gatehouse.links.enter_code(secret, guess) for guess in guesses), return_exceptions=True
    )
    assert {r.problems[0].code for r in results if isinstance(r, PasserelleError)} == {"CODE_WRONG"}
    async with gatehouse.database.workspace(gatehouse.workspace_id) as connection:
        assert await connection.fetchval("SELECT attempts FROM link_code") <= 5


async def test_a_code_ends_after_fifteen_minutes_and_with_its_use(gatehouse: Gatehouse) -> None:
    secret, _ = await started(gatehouse)
    await gatehouse.links.send_code(secret)
    code = await code_in_mail(gatehouse)
    gatehouse.clock.move(timedelta(minutes=15))
    assert await code_of(gatehouse.links.enter_code(secret, code)) == "CODE_WRONG"
    await gatehouse.links.send_code(secret)
    code = await code_in_mail(gatehouse)
    first = await gatehouse.links.enter_code(secret, code)
    gatehouse.clock.move(timedelta(seconds=10))
    assert await gatehouse.links.enter_code(secret, code) == first, "the same form, submitted twice"
    gatehouse.clock.move(timedelta(seconds=30))
    assert await code_of(gatehouse.links.enter_code(secret, code)) == "CODE_WRONG"


async def test_a_used_code_does_not_bring_back_a_browser_that_is_out(gatehouse: Gatehouse) -> None:
    secret = secret_of(await gatehouse.link())
    await gatehouse.links.send_code(secret)
    code = await code_in_mail(gatehouse)
    await gatehouse.links.enter_code(secret, code)
    async with gatehouse.database.workspace(gatehouse.workspace_id) as connection:
        await connection.execute("UPDATE visit SET ended_at = created_at")
    assert await code_of(gatehouse.links.enter_code(secret, code)) == "CODE_WRONG"


async def test_asked_again_the_same_code_comes_so_that_any_of_the_messages_will_do(gatehouse: Gatehouse) -> None:
    secret, _ = await started(gatehouse)
    await gatehouse.links.send_code(secret)
    first = await code_in_mail(gatehouse)
    gatehouse.clock.move(timedelta(minutes=2))
    await gatehouse.links.send_code(secret)
    assert await code_in_mail(gatehouse) == first
    assert "13" in gatehouse.mail.sent[-1].text, "the minutes that are left"


async def test_codes_are_not_sent_without_end(gatehouse: Gatehouse) -> None:
    """A scanner that presses the button again and again must not fill a mailbox."""
    secret, _ = await started(gatehouse)
    results = await asyncio.gather(*(gatehouse.links.send_code(secret) for _ in range(10)), return_exceptions=True)
    refused = [result for result in results if isinstance(result, PasserelleError)]
    assert len(refused) == 9
    assert {error.headers["Retry-After"] for error in refused} == {"60"}
    sent = 1
    for _ in range(24 * 60):
        gatehouse.clock.move(timedelta(minutes=1))
        try:
            await gatehouse.links.send_code(secret)
            sent += 1
        except PasserelleError:
            continue
    assert sent == 11, "ten in any 24 hours"


async def test_a_code_of_one_link_opens_no_other(gatehouse: Gatehouse) -> None:
    one, _ = await started(gatehouse)
    other, _ = await started(gatehouse)
    await gatehouse.links.send_code(one)
    code = await code_in_mail(gatehouse)
    assert await code_of(gatehouse.links.enter_code(other, code)) == "CODE_WRONG"
    gatehouse.clock.move(timedelta(minutes=1))
    await gatehouse.links.send_code(other)
    assert await code_of(gatehouse.links.enter_code(other, code)) == "CODE_WRONG"


async def test_without_an_address_everything_looks_the_same_but_nothing_is_sent(gatehouse: Gatehouse) -> None:
    secret = secret_of(await gatehouse.link(email=None))
    assert (await gatehouse.links.look(secret)).masked_email is None
    assert await gatehouse.links.send_code(secret) is None
    assert await code_of(gatehouse.links.send_code(secret)) == "CODES_TOO_MANY"
    assert await code_of(gatehouse.links.enter_code(secret, "12345678")) == "CODE_WRONG"
    assert await gatehouse.waits() == []
