"""Everybody can use every page: axe finds nothing, in both directions and colour schemes, and nothing scrolls sideways."""

from __future__ import annotations

import asyncpg
import httpx
import pytest
from playwright.async_api import Page, ViewportSize, expect

from passerelle.dev.postgres import EmbeddedPostgres
from tests.acceptance.running import Dev, pushed
from tests.browser.browsing import DESKTOP, NARROW, PHONE, Browse, accessible, fits
from tests.browser.visiting import JOURNEY, at, fed, fill_you, go_on, made_link, named, picture

ZOOMED: ViewportSize = {"width": 640, "height": 400}
"""What a window of 1280 pixels is at 200 %."""


@pytest.fixture(scope="module")
def journey(dev: Dev) -> str:
    """The definition's id."""
    with dev.api() as api:
        return pushed(api, JOURNEY)


async def good(page: Page) -> None:
    """The page as it is now, in both colour schemes and in narrow, zoomed and wide windows."""
    await accessible(page)
    await page.emulate_media(color_scheme="dark")
    await accessible(page, only_colours=True)
    await page.emulate_media(color_scheme="light")
    before = page.viewport_size
    for viewport in (NARROW, ZOOMED, DESKTOP):
        await page.set_viewport_size(viewport)
        await fits(page)
    assert before is not None
    await page.set_viewport_size(before)


@pytest.mark.parametrize("locale", ["en", "pl", "ar"])
async def test_every_page_of_a_journey(browse: Browse, api: httpx.Client, journey: str, locale: str) -> None:
    page = await browse.open(DESKTOP if locale == "en" else PHONE, locale=locale)
    browse.watched(page).refusals_expected = True
    link, execution = made_link(api, journey)
    await page.goto(link)
    await good(page)
    await page.locator("main button.primary").click()
    await at(page, "you")
    await good(page)
    await page.locator('[name="/company"][value=true]').check()
    await expect(named(page, "/others/0/name")).to_be_visible()
    await named(page, "/others/0/name").fill("Anna")
    await page.locator('button[value="add:/others"]').click()
    await named(page, "/others/1/name").fill("W" * 60)
    await go_on(page).click()
    await expect(page.locator("#problems")).to_be_focused()
    await good(page)
    await page.locator('button[value="remove:/others/1"]').click()
    await expect(named(page, "/others/1/name")).to_have_count(0)
    await fill_you(page, "W" * 60)
    await go_on(page).click()
    await at(page, "papers")
    await good(page)
    await page.set_input_files("#file", [picture("W" * 90 + ".png"), picture("no-pdf.pdf", b"no", "application/pdf")])
    await expect(page.locator("[data-sending] .failed")).to_be_visible()
    await expect(page.locator("button[value^=remove-file]")).to_be_visible()
    await good(page)
    await go_on(page).click()
    await at(page, "terms")
    await go_on(page).click()
    await expect(page.locator("#problems")).to_be_focused()
    await good(page)
    await page.locator("#accepted").check()
    await go_on(page).click()
    await expect(page.locator("#screen[data-kind=waiting]")).to_be_visible()
    await good(page)
    fed(api, execution)
    await at(page, "news")
    await good(page)
    await go_on(page).click()
    await named(page, "/row").fill("1")
    await go_on(page).click()
    await expect(page.locator("#screen[data-end]")).to_be_visible()
    await good(page)


async def test_every_page_at_a_link_says_what_to_do_next(
    browse: Browse, dev: Dev, api: httpx.Client, journey: str
) -> None:
    """Expired, cancelled, superseded, deleted, finished, unknown, opened elsewhere."""
    page = await browse.open()
    browse.watched(page).refusals_expected = True
    for make, status, english, polish in (
        (_unknown, 404, "We do not know this link", "Nie znamy tego linku"),
        (_expired, 410, "This link has expired", "Ten link wygasł"),
        (_cancelled, 410, "This was cancelled", None),
        (_deleted, 410, "This link is no longer valid", None),
        (_superseded, 410, "There is a newer link", None),
        (_finished, 200, "All done", None),
        (_spent, 200, "This link was already opened", None),
        (_spent_with_address, 200, "Confirm that it is you", None),
    ):
        link = await make(dev, api, journey)
        for language, heading in (("en", english), ("pl", polish)):
            answer = await page.goto(f"{link}?lang={language}")
            assert answer is not None
            assert answer.status == status, english
            if heading:
                await expect(page.get_by_role("heading", name=heading)).to_be_visible()
            said = await page.locator("main .lead, main .muted").all_inner_texts()
            assert len([text for text in said if text]) >= 2, "what is the case, and what to do"
            await good(page)


async def test_a_page_whose_link_ends_while_it_is_open_says_so(
    browse: Browse, dev: Dev, api: httpx.Client, journey: str
) -> None:
    page = await browse.open()
    browse.watched(page).refusals_expected = True
    link, execution = made_link(api, journey)
    await page.goto(link)
    await page.locator("main button.primary").click()
    await at(page, "you")
    _called(api, "POST", f"/workflows/{execution}/cancel")
    await go_on(page).click()
    await expect(page.locator("#screen[data-kind=state]")).to_be_visible()
    await good(page)


async def _unknown(dev: Dev, _: httpx.Client, __: str) -> str:
    return f"{dev.demo['baseUrl']}/l/{'A' * 43}"


async def _expired(dev: Dev, api: httpx.Client, journey: str) -> str:
    link, execution = made_link(api, journey)
    connection = await asyncpg.connect(EmbeddedPostgres.address_of(dev.folder))
    await connection.execute("UPDATE link SET expires_at = now() WHERE execution_id = $1", execution)
    await connection.close()
    return link


def _called(api: httpx.Client, method: str, path: str) -> None:
    api.request(method, path).raise_for_status()


async def _cancelled(_: Dev, api: httpx.Client, journey: str) -> str:
    link, execution = made_link(api, journey)
    _called(api, "POST", f"/workflows/{execution}/cancel")
    return link


async def _deleted(dev: Dev, api: httpx.Client, journey: str) -> str:
    link, execution = made_link(api, journey)
    connection = await asyncpg.connect(EmbeddedPostgres.address_of(dev.folder))
    link_id = await connection.fetchval("SELECT id FROM link WHERE execution_id = $1", execution)
    await connection.close()
    _called(api, "DELETE", f"/link/{link_id}")
    return link


async def _superseded(dev: Dev, api: httpx.Client, journey: str) -> str:
    record = "0198c2f4-8f5e-7c3a-9d1b-2a6f4e5d7c80"
    link, _ = made_link(api, journey, recordId=record)
    made_link(api, journey, recordId=record)
    return link


async def _finished(dev: Dev, api: httpx.Client, _: str) -> str:
    quick = "name: quick\nsteps:\n  - {id: bye, message: {title: Bye, text: Bye.}}\n"
    return made_link(api, pushed(api, quick))[0]


async def _spent(dev: Dev, api: httpx.Client, journey: str, **more: str) -> str:
    link, _ = made_link(api, journey, **more)
    async with httpx.AsyncClient() as client:
        challenge = (await client.post(f"{link}/challenge")).json()["challenge"]
        await client.post(f"{link}/start", data={"challenge": challenge})
    return link


async def _spent_with_address(dev: Dev, api: httpx.Client, journey: str) -> str:
    return await _spent(dev, api, journey, email="known@example.com")
