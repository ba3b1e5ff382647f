"""Signing in with a browser: the pages are fit for everybody, and a passkey of the device opens them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.acceptance.running import Dev
from tests.browser.browsing import PHONE, accessible, fits
from tests.browser.signing_in import with_a_device


@pytest_asyncio.fixture(loop_scope="session")
async def page(chromium: Browser, dev: Dev) -> AsyncIterator[Page]:
    """A browser of its own, with a device that unlocks itself."""
    context = await chromium.new_context(base_url=dev.demo["baseUrl"], viewport=PHONE)
    yield await with_a_device(await context.new_page())
    await context.close()


async def sign_in(page: Page, dev: Dev, path: str) -> None:
    await page.goto(f"/sign-in?next={path}")
    await page.get_by_label("E-mail address").fill(dev.demo["user"]["email"])
    await page.get_by_label("Password").fill(dev.demo["user"]["password"])
    await page.get_by_role("button", name="Sign in", exact=True).click()


async def test_a_passkey_is_added_and_signs_in(page: Page, dev: Dev) -> None:
    await sign_in(page, dev, "/set-up")
    await page.get_by_role("button", name="Add a passkey").click()
    await expect(page.get_by_text(re.compile("since 20"))).to_be_visible()
    await page.goto("/sign-out")
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_text("You have signed out")).to_be_visible()

    await page.goto("/sign-in?next=/set-up")
    await page.get_by_role("button", name="Sign in with a passkey").click()

    await expect(page).to_have_url(re.compile("/set-up$"))
    await page.get_by_role("button", name="Remove").click()
    await expect(page.get_by_text(re.compile("since 20"))).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "pl"])
async def test_nothing_on_these_pages_keeps_anybody_out(page: Page, dev: Dev, scheme: str, language: str) -> None:
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    for path in ("/sign-in", "/forgot", "/sign-out", "/reset/nothing", "/invitation/nothing"):
        await page.goto(f"{path}?lang={language}")
        await accessible(page)
        await fits(page)
    await page.goto("/sign-in?lang=en")
    await page.get_by_label("E-mail address").fill("nobody@example.com")
    await page.get_by_label("Password").fill("wrong-password-x")
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(page.get_by_role("alert").first).to_contain_text("do not belong together")
    await accessible(page)
    await fits(page)
    await sign_in(page, dev, "/set-up")
    await accessible(page)
    await fits(page)
    await page.get_by_role("button", name="Use an authenticator app").click()
    await accessible(page)
    await fits(page)
