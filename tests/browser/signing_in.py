"""Somebody who works in the dashboard: the demo's owner, signed in as everybody signs in."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

from playwright.async_api import Page

from tests.acceptance.running import Dev
from tests.browser.browsing import Browse


async def at_work(browse: Browse, dev: Dev, path: str, **options: Any) -> Page:
    """A page of the dashboard. `options`: those of `Browse.open`."""
    page = await browse.open(**options)
    await page.goto(f"/sign-in?next={quote(path)}")
    await page.locator("input[type=email]").fill(dev.demo["user"]["email"])
    await page.locator("input[type=password]").fill(dev.demo["user"]["password"])
    await page.keyboard.press("Enter")
    # The address of the form ends in `path` too.
    await page.wait_for_url(lambda address: urlsplit(address).path != "/sign-in")
    return page


async def with_a_device(page: Page) -> Page:
    """The page of a browser whose device unlocks itself with a passkey."""
    tools = await page.context.new_cdp_session(page)
    await tools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    await tools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return page
