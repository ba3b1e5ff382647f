"""What somebody typed is kept, whatever else happens to the form meanwhile: another tab, another browser, too much of it."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from playwright.async_api import Page, Route, expect

from tests.acceptance.running import Dev, pushed
from tests.browser.browsing import Browse, accessible
from tests.browser.visiting import at, go_on, made_link, named, picture, result_of, started

FORM = """
name: typing
steps:
  - id: you
    form:
      title: About you
      schema:
        type: object
        properties:
          name: {type: string, title: Name}
          city: {type: string, title: City}
          story: {type: string, maxLength: 1000000, title: Story}
          call: {type: string, format: date-time, title: When to call}
          owners: {type: array, title: Owners, items: {type: object, title: Owner, properties: {name: {type: string, title: Owner}}}}
  - id: papers
    upload: {title: Your papers, accept: [image/*], maxSize: 1MB, min: 0, max: 2}
  - id: more
    upload: {title: More papers, accept: [image/*], maxSize: 1MB, min: 0, max: 2}
"""


@pytest.fixture(scope="module")
def typing(dev: Dev) -> str:
    """The definition's id."""
    with dev.api() as api:
        return pushed(api, FORM)


async def kept(page: Page) -> None:
    await expect(page.locator("[data-status]")).to_have_text("Saved")


async def test_a_tab_keeps_what_was_typed_in_it_and_not_what_another_one_knows_better(
    desktop: Page, api: httpx.Client, typing: str
) -> None:
    link, _ = made_link(api, typing)
    await started(desktop, link)
    other = await desktop.context.new_page()
    await other.goto(link)
    await named(other, "/city").fill("Łódź")
    await kept(other)
    await named(desktop, "/name").fill("Ada")
    await kept(desktop)
    await desktop.reload()
    await expect(named(desktop, "/name")).to_have_value("Ada")
    await expect(named(desktop, "/city")).to_have_value("Łódź")


async def test_what_is_still_on_its_way_does_not_undo_what_adds_to_a_list(
    desktop: Page, api: httpx.Client, typing: str
) -> None:
    """The draft of what was typed before is slower than the click."""
    await started(desktop, made_link(api, typing)[0])
    add = desktop.locator('button[value="add:/owners"]')
    if await named(desktop, "/owners/0/name").count() == 0:
        await add.click()
    on_its_way, go = asyncio.Event(), asyncio.Event()

    async def held(route: Route) -> None:
        on_its_way.set()
        await go.wait()
        await route.continue_()

    await desktop.route("**/draft", held)
    await named(desktop, "/owners/0/name").fill("Ada")
    async with asyncio.timeout(10):
        await on_its_way.wait()
    await add.click()
    async with desktop.expect_response("**/draft"):
        go.set()
    await expect(named(desktop, "/owners/1/name")).to_be_visible()
    await desktop.reload()
    await expect(named(desktop, "/owners/0/name")).to_have_value("Ada")
    await expect(named(desktop, "/owners/1/name")).to_be_visible()


async def test_too_much_is_said_and_stays_on_the_page_until_it_is_shortened(
    browse: Browse, api: httpx.Client, typing: str
) -> None:
    page = await browse.open()
    browse.watched(page).refusals_expected = True
    await started(page, made_link(api, typing)[0])
    await named(page, "/name").fill("Ada")
    # Nine bytes each as a form sends them: a million letters take a busy browser too long to show.
    await named(page, "/story").fill("€" * 120_000)
    await expect(page.locator("[data-status]")).to_contain_text("more than one page can hold")
    await go_on(page).click()
    await expect(page.get_by_role("alert")).to_contain_text("more than one page can hold")
    await expect(named(page, "/name")).to_have_value("Ada")
    await named(page, "/story").fill("short")
    await kept(page)
    await expect(page.get_by_role("alert")).to_have_count(0)
    await go_on(page).click()
    await at(page, "papers")


async def test_moments_are_typed_by_ones_own_clock_and_kept_in_utc(
    browse: Browse, api: httpx.Client, typing: str
) -> None:
    page = await browse.open(timezone_id="Europe/Warsaw")
    link, execution = made_link(api, typing)
    await started(page, link)
    call = named(page, "/call")
    await expect(page.get_by_text("In your own time zone (Europe/Warsaw)")).to_be_visible()
    await call.fill("2026-07-01T10:30")
    await kept(page)
    await page.reload()
    await expect(call).to_have_value("2026-07-01T10:30")
    for step in ("papers", "more"):
        await go_on(page).click()
        await at(page, step)
    await go_on(page).click()
    await expect(page.locator("#screen[data-status=COMPLETED]")).to_be_visible()
    assert result_of(api, execution)["you"] == {"call": "2026-07-01T08:30:00Z"}


async def test_a_file_on_its_way_goes_along_and_one_that_breaks_holds_its_owner_back(
    browse: Browse, api: httpx.Client, typing: str
) -> None:
    page = await browse.open()
    browse.watched(page).refusals_expected = True
    await started(page, made_link(api, typing)[0])
    await go_on(page).click()
    await at(page, "papers")
    go, tries = asyncio.Event(), list[str]()

    async def answer(route: Route) -> None:
        tries.append(route.request.method)
        await go.wait()
        await (route.abort("connectionreset") if len(tries) == 1 else route.continue_())

    await page.route("**/files?*", answer)
    await page.set_input_files("#file", picture())
    await expect(page.get_by_role("progressbar")).to_be_visible()
    await go_on(page).click()
    go.set()
    await expect(page.get_by_text("The connection broke. The file was not sent.")).to_be_visible()
    await expect(page.locator("form[aria-busy]")).to_have_count(0)
    await at(page, "papers")
    await page.evaluate("dispatchEvent(new Event('online'))")
    await expect(page.get_by_role("button", name="Remove: passport.png")).to_be_visible()
    await page.unroute("**/files?*")
    await page.set_input_files("#file", picture("broken.png", b"no picture"))
    await expect(page.locator("[data-sending] .failed")).to_be_visible()
    await go_on(page).click()
    await at(page, "more")
    await expect(page.locator("[data-sending] li")).to_have_count(0)


async def test_nobody_waits_for_an_answer_that_does_not_come(browse: Browse, api: httpx.Client, typing: str) -> None:
    page = await browse.open()
    browse.watched(page).refusals_expected = True
    await page.clock.install()
    await started(page, made_link(api, typing)[0])
    sent = asyncio.Event()
    held: list[Route] = []

    async def hold(route: Route) -> None:
        held.append(route)
        sent.set()

    await page.route("**/you/1", hold, times=1)
    await go_on(page).click()
    await sent.wait()
    await page.clock.fast_forward(31_000)
    await expect(page.get_by_text("This takes longer than it should.")).to_be_visible()
    await expect(page.locator("form[aria-busy]")).to_have_count(0)
    await accessible(page)
    await page.get_by_role("button", name="Try again").click()
    await at(page, "papers")


async def test_whoever_has_no_connection_is_told_for_as_long_as_it_lasts(
    browse: Browse, api: httpx.Client, typing: str
) -> None:
    page = await browse.open()
    browse.watched(page).refusals_expected = True
    await started(page, made_link(api, typing)[0])
    told = page.locator("[data-offline]")
    await page.context.set_offline(True)
    await expect(told).to_contain_text("There is no connection.")
    await accessible(page)
    await page.context.set_offline(False)
    await expect(told).to_have_count(0)


async def test_what_a_second_tab_typed_too_late_is_shown_to_be_taken_along(
    browse: Browse, api: httpx.Client, typing: str
) -> None:
    first = await browse.open()
    browse.watched(first).refusals_expected = True
    await started(first, made_link(api, typing)[0])
    second, third = [await first.context.new_page() for _ in range(2)]
    for page in (second, third):
        await page.goto(first.url)
        await at(page, "you")
    await go_on(first).click()
    await at(first, "papers")
    await named(second, "/name").fill("Grace Hopper")
    await expect(second.get_by_text("This part was sent already.")).to_be_visible()
    await expect(second.locator(".late li")).to_contain_text("Grace Hopper")
    await accessible(second)
    await third.route("**/draft", lambda route: route.abort())
    await named(third, "/name").fill("Ada")
    await go_on(third).click()
    await expect(third.locator(".late li")).to_contain_text("Ada")
    await at(third, "papers")
