"""Two people at one thing, a connection that goes away, a session that ends, and strangers' pages: nothing is lost or let in."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.async_api import Locator, Page, expect

from tests.acceptance.running import Dev, pushed, until
from tests.browser.browsing import Browse, accessible
from tests.browser.furnished import settled
from tests.browser.hosting import serving
from tests.browser.signing_in import at_work

REVIEWED = """
name: together-reviewed
title: Reviewed
steps: [{id: decide, review: {title: Do we take them?, outcomes: [approve, reject]}}]
"""
REVISIONS = "name: together\ntitle: Together\nsteps: [{{id: a, set: {{b: {number}}}}}]\n"


@pytest.fixture
def waiting(api: httpx.Client) -> str:
    """An execution whose review is open."""
    body = {"workflowDefinitionId": pushed(api, REVIEWED)}
    return str(api.post("/workflows/run", json=body).raise_for_status().json()["id"])


async def decision(api: httpx.Client, execution: str) -> str:
    """How the review went, once it did."""
    await asyncio.to_thread(until, api, execution, "COMPLETED")
    steps = (await asyncio.to_thread(api.get, f"/workflows/{execution}/timeline")).json()["steps"]
    return str(steps[0]["output"]["outcome"])


async def test_two_people_decide_one_review_and_the_second_is_told_with_what_they_wrote(
    browse: Browse, dev: Dev, api: httpx.Client, waiting: str
) -> None:
    path = f"/app/reviews/{waiting}/decide"
    first, second = await at_work(browse, dev, path), await at_work(browse, dev, path)
    browse.watched(second).refusals_expected = True
    # The second one's page hears nothing of it: two presses at the same moment.
    await second.route("**/events**", lambda route: route.abort())
    await second.reload()
    await second.get_by_role("textbox", name="Reason").fill("the papers are of somebody else")
    await first.get_by_role("button", name="Approve").click()
    assert await decision(api, waiting) == "approve"
    await second.get_by_role("button", name="Reject").click()
    await expect(second.get_by_role("heading", name="This review is no longer open")).to_be_visible()
    await expect(second.get_by_text("decided: approve")).to_be_visible()
    await expect(second.get_by_text("the papers are of somebody else")).to_be_visible()
    await accessible(second)


async def test_who_closes_a_draft_is_gone_for_the_others_at_once(browse: Browse, dev: Dev, api: httpx.Client) -> None:
    """And not only after half a minute, in which nobody would dare to touch it."""
    body = {"name": "Left", "text": "name: left", "shared": True}
    path = f"/drafts/{(await asyncio.to_thread(api.post, '/drafts', json=body)).raise_for_status().json()['id']}"
    page = await at_work(browse, dev, f"/app{path}")
    assert await _others(api, path, there=True) == ["Demo Owner"]
    await page.get_by_role("link", name="Records").first.click()
    assert await _others(api, path, there=False) == []
    await page.goto(f"/app{path}")
    assert await _others(api, path, there=True) == ["Demo Owner"]
    await page.goto("about:blank")
    assert await _others(api, path, there=False) == []


async def _others(api: httpx.Client, path: str, *, there: bool) -> list[str]:
    """Who else has a draft open, once that is as awaited, or after a third of the time in which it would fade."""
    deadline = time.monotonic() + 10
    people: list[str] = []
    while time.monotonic() < deadline:
        people = (await asyncio.to_thread(api.post, f"{path}/presence")).raise_for_status().json()["people"]
        if bool(people) == there:
            break
        await asyncio.sleep(0.05)
    return people


async def test_of_two_people_who_publish_the_second_is_told_of_the_first(
    browse: Browse, dev: Dev, api: httpx.Client
) -> None:
    for number in (1, 2, 3):
        definition = await asyncio.to_thread(pushed, api, REVISIONS.format(number=number))
    first, second = [await at_work(browse, dev, f"/app/definitions/{definition}") for _ in range(2)]
    browse.watched(second).refusals_expected = True
    await _revision(second, 2).get_by_role("button", name="Publish").click()
    await expect(second.get_by_role("dialog")).to_be_visible()
    await _published(first, 1)
    await expect(_revision(first, 1).get_by_text("Published", exact=True)).to_be_visible()
    await _confirmed(second, 2)
    told = second.get_by_role("alert").filter(has_text="has published revision 1 meanwhile")
    await expect(told).to_be_visible()
    await expect(_revision(second, 1).get_by_text("Published", exact=True)).to_be_visible()
    await _published(second, 2)
    await expect(_revision(second, 2).get_by_text("Published", exact=True)).to_be_visible()
    await first.reload()
    await expect(_revision(first, 2)).to_contain_text("back to 2")


def _revision(page: Page, number: int) -> Locator:
    return page.get_by_role("listitem").filter(has=page.get_by_role("button", name=f"Revision {number}", exact=True))


async def _published(page: Page, number: int) -> None:
    """Publish a revision, as far as the dialogue leads."""
    await _revision(page, number).get_by_role("button", name="Publish").click()
    await _confirmed(page, number)


async def _confirmed(page: Page, number: int) -> None:
    dialogue = page.get_by_role("dialog")
    await dialogue.get_by_role("textbox").fill(f"back to {number}")
    await dialogue.get_by_role("button", name="Publish").click()
    await expect(dialogue).to_be_hidden()


def _theme(api: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = api.get("/theme").raise_for_status().json()
    return found


@pytest.fixture
def theme_kept(api: httpx.Client) -> Iterator[None]:
    """Other tests look at the same workspace's pages."""
    before = _theme(api)
    yield
    kept = {name: before[name] for name in before if name not in ("version", "updatedDate", "updatedBy")}
    api.put("/theme", json=kept).raise_for_status()


async def test_of_two_people_who_change_the_theme_none_undoes_the_others_change(
    browse: Browse, dev: Dev, api: httpx.Client, theme_kept: None
) -> None:
    first, second = [await at_work(browse, dev, "/app/links?tab=theme") for _ in range(2)]
    browse.watched(second).refusals_expected = True
    await first.get_by_role("textbox", name="Buttons and links", exact=True).fill("#7a1fa2")
    await second.get_by_role("textbox", name="Name").fill("Acme together")
    for page in (first, second):
        await page.get_by_role("button", name="Save", exact=True).click()
    await expect(first.get_by_text("The pages look so from now on.")).to_be_visible()
    await expect(second.get_by_text("THEME_CHANGED")).to_be_visible()
    await accessible(second)
    await second.get_by_role("button", name="Keep my changes, take theirs over").click()
    await expect(second.get_by_role("textbox", name="Buttons and links", exact=True)).to_have_value("#7a1fa2")
    await second.get_by_role("button", name="Save", exact=True).click()
    await expect(second.get_by_text("The pages look so from now on.")).to_be_visible()
    now = _theme(api)
    assert (now["name"], now["colours"]["light"]["accent"]) == ("Acme together", "#7a1fa2")


async def test_without_a_connection_the_page_says_so_keeps_what_is_typed_and_catches_up(
    browse: Browse, dev: Dev, api: httpx.Client, waiting: str
) -> None:
    page = await at_work(browse, dev, f"/app/reviews/{waiting}/decide")
    browse.watched(page).refusals_expected = True
    reason = page.get_by_role("textbox", name="Reason")
    await expect(reason).to_be_visible()
    await page.context.set_offline(True)
    await reason.fill("half a sentence")
    await page.get_by_role("button", name="Approve").click()
    away = page.get_by_text("The server cannot be reached").first
    await expect(away).to_be_visible()
    await expect(reason).to_have_value("half a sentence")
    await accessible(page)
    await page.context.set_offline(False)
    # What was pressed is sent as soon as it can be.
    assert await decision(api, waiting) == "approve"
    await expect(away).to_be_hidden()


async def test_a_session_that_ends_while_something_is_typed_is_begun_again_beside_it(
    browse: Browse, dev: Dev, api: httpx.Client, waiting: str
) -> None:
    page = await at_work(browse, dev, f"/app/reviews/{waiting}/decide")
    browse.watched(page).refusals_expected = True
    await page.get_by_role("textbox", name="Reason").fill("half a sentence")
    await page.context.clear_cookies()
    await page.get_by_role("button", name="Approve").click()
    dialogue = page.get_by_role("dialog", name=re.compile("session", re.IGNORECASE))
    await expect(dialogue).to_be_visible()
    await accessible(page)
    async with page.expect_popup() as opened:
        await dialogue.get_by_role("link", name="Sign in").click()
    await _signs_in(await opened.value, dev)
    await page.bring_to_front()
    await page.evaluate("window.dispatchEvent(new Event('focus'))")
    await expect(dialogue).to_be_hidden()
    await expect(page.get_by_role("textbox", name="Reason")).to_have_value("half a sentence")
    await page.get_by_role("button", name="Approve").click()
    assert await decision(api, waiting) == "approve"


async def test_another_sites_page_can_neither_frame_it_nor_write_nor_talk_to_it(browse: Browse, dev: Dev) -> None:
    page = await at_work(browse, dev, "/app/settings/account")
    await settled(page)
    # A browser of its own that is signed in, too: what it refuses is told in its console.
    assert page.context.browser is not None
    context = await page.context.browser.new_context(storage_state=await page.context.storage_state())
    with serving("default-src * 'unsafe-inline'") as site:
        site.files["/"] = f"<iframe src='{dev.demo['baseUrl']}/app'></iframe>"
        stranger = await context.new_page()
        await stranger.goto(site.url(host="127.0.0.1"))
        assert [await frame.locator("main").count() for frame in stranger.frames[1:]] == [0]
        async with stranger.expect_response(lambda answer: answer.url.endswith("/keys")) as written:
            await stranger.evaluate(_WRITES, dev.demo["baseUrl"])
        assert (await written.value).status in (401, 403)
        await context.close()
    assert await page.evaluate(_MESSAGES), "a message of another site changed the page"


_WRITES = """base => fetch(base + '/keys', {method: 'POST', credentials: 'include', mode: 'no-cors',
    headers: {'Content-Type': 'text/plain'}, body: JSON.stringify({name: 'stolen', permissions: ['can_run']})})"""
_MESSAGES = """async () => {
    const before = document.body.innerHTML;
    for (const data of ['hello', {type: 'session'}, {type: 'navigate', to: '/settings/keys'}, '{"call": "DELETE"}'])
        window.dispatchEvent(new MessageEvent('message', {data, origin: 'https://evil.example', source: window}));
    await new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    return document.body.innerHTML === before && location.pathname === '/app/settings/account';
}"""


async def _signs_in(page: Page, dev: Dev) -> None:
    await page.locator("input[type=email]").fill(dev.demo["user"]["email"])
    await page.locator("input[type=password]").fill(dev.demo["user"]["password"])
    async with page.expect_event("close"):
        await page.keyboard.press("Enter")
