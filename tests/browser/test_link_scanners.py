"""Links that scanners cannot burn: whatever a machine does first, the person still gets in."""

from __future__ import annotations

import asyncio
from collections import Counter

import httpx
import pytest

from tests.acceptance.running import Dev, pushed
from tests.browser.browsing import Browse
from tests.browser.visiting import JOURNEY, Forms, at, browserless, events_of, made_link, started


@pytest.fixture(scope="module")
def journey(dev: Dev) -> str:
    """The definition's id."""
    with dev.api() as api:
        return pushed(api, JOURNEY)


async def test_a_scanner_that_looks_ten_times_changes_nothing(browse: Browse, api: httpx.Client, journey: str) -> None:
    link, execution = made_link(api, journey, email="ada@example.com")
    async with httpx.AsyncClient() as scanner:
        for _ in range(10):
            looked = await scanner.head(link)
            assert (looked.status_code, looked.content) == (200, b"")
            page = await scanner.get(link)
            assert page.status_code == 200
            assert "set-cookie" not in page.headers
            assert "no-store" in page.headers["cache-control"]
    await started(await browse.open(), link)
    assert Counter(events_of(api, execution))["link.opened"] == 1


def test_a_link_still_opens_with_what_mail_programs_and_people_put_behind_it(
    dev: Dev, api: httpx.Client, journey: str
) -> None:
    link, _ = made_link(api, journey)
    with browserless(dev) as client:
        for behind in (".", ",", ")", ">", "_", "%3E", "%20", "%22", "%E2%80%8B", "&source=mail"):
            found = client.get(link + behind)
            assert (found.status_code, str(found.url)) == (200, link), behind
        assert client.get(link + "abc").status_code == 404


async def test_a_preview_bot_that_follows_everything_changes_nothing(
    browse: Browse, dev: Dev, api: httpx.Client, journey: str
) -> None:
    link, execution = made_link(api, journey)
    with browserless(dev) as bot:
        bot.headers["User-Agent"] = "facebookexternalhit/1.1"
        for found in Forms.of(bot.get(link).text).links:
            if not found.startswith("data:"):
                bot.get(str(httpx.URL(link).join(found)))
        for path in ("/start", "/code", "/challenge"):
            bot.get(link + path)
            bot.head(link + path)
    assert "link.activated" not in events_of(api, execution)
    await started(await browse.open(), link)


@pytest.mark.parametrize("email", [None, "scanned@example.com"], ids=["no address", "an address"])
async def test_a_scanner_that_submits_every_form_without_script_is_turned_away(
    browse: Browse, dev: Dev, api: httpx.Client, journey: str, email: str | None
) -> None:
    link, execution = made_link(api, journey, **({"email": email} if email else {}))
    with browserless(dev) as scanner:
        pages, seen = [scanner.get(link)], set()
        while pages:
            for form in Forms.of(pages.pop().text).forms:
                for button in form["buttons"] or [()]:
                    data = {**form["data"], **dict([button] if button else [])}
                    key = (form["action"], str(sorted(data.items())))
                    if key not in seen:
                        seen.add(key)
                        pages.append(scanner.post(form["action"], data={**data, "code": "12345678"}))
        assert seen
        assert all("/l/" in action for action, _ in seen), "it never came to a form of the execution"
        assert not scanner.cookies.get("passerelle")
    assert "link.activated" not in events_of(api, execution)
    await started(await browse.open(), link)


async def test_fifty_starts_at_once_are_one_activation(dev: Dev, api: httpx.Client, journey: str) -> None:
    link, execution = made_link(api, journey)
    async with httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=50)) as client:
        asked = await asyncio.gather(*(client.post(f"{link}/challenge") for _ in range(50)))
        challenges = {answer.json()["challenge"] for answer in asked}
        assert len(challenges) == 50
        answers = await asyncio.gather(*(client.post(f"{link}/start", data={"challenge": one}) for one in challenges))
    assert sum(answer.status_code == 303 and "set-cookie" in answer.headers for answer in answers) == 1
    assert all(answer.status_code in (303, 409, 410) for answer in answers)
    assert Counter(events_of(api, execution))["link.activated"] == 1


async def test_start_pressed_twice_is_one_start(browse: Browse, api: httpx.Client, journey: str) -> None:
    link, execution = made_link(api, journey)
    page = await browse.open()
    await page.goto(link)
    await page.get_by_role("button", name="Start").dblclick()
    await at(page, "you")
    assert Counter(events_of(api, execution))["link.activated"] == 1


async def test_a_start_page_that_was_read_for_long_gets_in_too(browse: Browse, api: httpx.Client, journey: str) -> None:
    """What the script fetched at the first press is good for ten minutes; then it fetches again."""
    page = await browse.open()
    await page.clock.install()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "challenge" in request.url else None)
    await page.goto(made_link(api, journey)[0])
    for _ in range(2):
        await page.keyboard.press("ArrowDown")
    await page.clock.fast_forward("11:00")
    assert len(asked) == 1
    await page.get_by_role("button", name="Start").click()
    await at(page, "you")
    assert len(asked) == 2


def test_a_start_without_the_pages_script_or_with_another_links_challenge_is_refused(
    dev: Dev, api: httpx.Client, journey: str
) -> None:
    (link, _), (other, _) = made_link(api, journey), made_link(api, journey)
    with browserless(dev) as client:
        foreign = client.post(f"{other}/challenge").json()["challenge"]
        for challenge in ("", "0" * 64, foreign):
            answer = client.post(f"{link}/start", data={"challenge": challenge})
            assert answer.status_code == 403, challenge
            assert "set-cookie" not in answer.headers
