"""Somebody who works in the dashboard: the demo's owner, signed in as everybody signs in."""

from __future__ import annotations

import time
from typing import Any, Final
from urllib.parse import quote, urlsplit

from playwright.async_api import Page

from tests.acceptance.running import Dev
from tests.browser.browsing import Browse

_SESSIONS: Final[dict[str, tuple[float, Any]]] = {}
"""When somebody signed in and their cookies, by the address of the Passerelle: it takes longer than most tests."""
_FRESH: Final = 300.0
"""Seconds: who signed in more than ten minutes ago has to prove once more who they are, for some things."""


async def at_work(browse: Browse, dev: Dev, path: str, **options: Any) -> Page:
    """A page of the dashboard, in a session that tests share. `options`: those of `Browse.open`."""
    began, kept = _SESSIONS.get(dev.demo["baseUrl"], (0.0, None))
    if kept is not None and time.monotonic() - began < _FRESH:
        page = await browse.open(storage_state=kept, **options)
        if (await page.request.get("/me")).ok:  # else a test has ended the session
            await page.goto(path)
            return page
        await page.close()
    page = await signed_in(browse, dev, path, **options)
    # The cookies alone: what pages keep is theirs, and cannot be asked for while one is on its way.
    _SESSIONS[dev.demo["baseUrl"]] = time.monotonic(), {"cookies": await page.context.cookies(), "origins": []}
    return page


async def signed_in(browse: Browse, dev: Dev, path: str, **options: Any) -> Page:
    """As `at_work`, in a session of its own."""
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
