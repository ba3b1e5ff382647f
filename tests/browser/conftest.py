"""Fixtures of the browser tests: one Chromium and one `passerelle dev` a test process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from tests.acceptance.running import Dev, start_dev
from tests.browser.browsing import ARGUMENTS, PHONE, Browse, chromium_path
from tests.browser.signing_in import at_work


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """One browser, with a profile of its own that Playwright makes and takes away."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    """One Passerelle for every browser test."""
    folder = tmp_path_factory.mktemp("browsed")
    running = start_dev(folder / "data", log=folder / "log", environment={"PASSERELLE_LOG_LEVEL": "debug"})
    yield running
    running.stop()


@pytest.fixture
def api(dev: Dev) -> Iterator[httpx.Client]:
    """A client of the demo workspace that asks for version 2."""
    with dev.api() as client:
        yield client


@pytest_asyncio.fixture(loop_scope="session")
async def browse(chromium: Browser, dev: Dev) -> AsyncIterator[Browse]:
    """Opens pages; at the end each must have been good."""
    browsing = Browse(chromium, dev.demo["baseUrl"])
    yield browsing
    await browsing.close()


@pytest_asyncio.fixture(loop_scope="session")
async def desktop(browse: Browse) -> Page:
    """A page as wide as a desk."""
    return await browse.open()


@pytest_asyncio.fixture(loop_scope="session")
async def phone(browse: Browse) -> Page:
    """A page on a phone."""
    return await browse.open(PHONE)


@pytest_asyncio.fixture(loop_scope="session")
async def no_script(browse: Browse) -> Page:
    """A page with JavaScript switched off."""
    return await browse.open(script=False)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def session(chromium: Browser, dev: Dev) -> Any:
    """Somebody who signed in once for all pages of a module: the state of a browser."""
    browse = Browse(chromium, dev.demo["baseUrl"])
    page = await at_work(browse, dev, "/app/signed-in")
    state = await page.context.storage_state()
    await browse.close()
    return state
