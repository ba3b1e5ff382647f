"""Definitions and webhooks in the dashboard."""

from __future__ import annotations

import asyncio

import httpx
from playwright.async_api import expect

from tests.acceptance.running import Dev, pushed
from tests.browser.browsing import Browse, accessible
from tests.browser.signing_in import at_work

TEXT = "name: two-revisions\ntitle: {{en: Two revisions, pl: Dwie rewizje}}\nsteps: [{{id: a, set: {{b: {number}}}}}]\n"


async def test_an_older_revision_is_published_again(browse: Browse, dev: Dev, api: httpx.Client) -> None:
    definition = await asyncio.to_thread(pushed, api, TEXT.format(number=1))
    assert await asyncio.to_thread(pushed, api, TEXT.format(number=2)) == definition
    page = await at_work(browse, dev, "/app/definitions")
    await page.get_by_role("link", name="Two revisions").click()
    await expect(page.get_by_text("set: {b: 2}")).to_be_visible()
    await accessible(page)
    await page.get_by_role("button", name="Publish").click()
    await page.get_by_role("dialog").get_by_role("button", name="Publish").click()
    await expect(page.get_by_text("Published.")).to_be_visible()
    await expect(page.get_by_text("set: {b: 1}")).to_be_visible()


async def test_an_endpoint_is_added_paused_and_deleted(browse: Browse, dev: Dev) -> None:
    page = await at_work(browse, dev, "/app/webhooks")
    browse.watched(page).refusals_expected = True
    await page.get_by_label("Address", exact=True).fill("ftp://example.com")
    await page.get_by_role("button", name="Add endpoint").click()
    await expect(page.get_by_label("Address", exact=True)).to_have_attribute("aria-invalid", "true")
    await page.get_by_label("Address", exact=True).fill("http://localhost:9/hook")
    await page.get_by_role("button", name="Add endpoint").click()
    await expect(page.get_by_text("Keep this secret, it is shown this once")).to_be_visible()
    row = page.get_by_role("listitem").filter(has_text="http://localhost:9/hook")
    await row.get_by_role("switch", name="Enabled").click(force=True)
    await expect(row.get_by_role("switch", name="Enabled")).not_to_be_checked()
    await accessible(page)
    await row.get_by_role("button", name="Delete").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(row).to_have_count(0)
