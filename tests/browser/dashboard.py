"""The dashboard in Chromium: signing in as the demo workspace's owner, and what a good page keeps to."""

from __future__ import annotations

from playwright.async_api import Page, ViewportSize, expect

from tests.acceptance.running import Dev
from tests.browser.browsing import DESKTOP, Browse


async def signed_in(
    browse: Browse, dev: Dev, path: str, viewport: ViewportSize = DESKTOP, *, dark: bool = False, locale: str = "en"
) -> Page:
    """A page at `path` that was asked for without a session: it leads through the sign-in and back."""
    page = await browse.open(viewport, dark=dark, locale=locale)
    # Without a session `GET /me` is refused, which is how the page learns of it.
    browse.watched(page).refusals_expected = True
    await page.goto(path)
    await page.wait_for_url("**/sign-in**")
    await page.locator("[name=email]").fill(dev.demo["user"]["email"])
    await page.locator("[name=password]").fill(dev.demo["user"]["password"])
    await page.locator("[name=password]").press("Enter")
    await page.wait_for_url(f"**{path}")
    await expect(page.locator("h1")).to_have_count(1)
    return page
