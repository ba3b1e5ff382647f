"""The rig itself: it fails pages that are not good. Without this, every other browser test could pass in vain."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page

from tests.acceptance.running import Dev
from tests.browser.browsing import DESKTOP, NARROW, Browse, accessible, fits


@pytest.fixture
def own(chromium: Browser, dev: Dev) -> Browse:
    """A browsing that is not closed for us."""
    return Browse(chromium, dev.demo["baseUrl"])


async def test_a_good_page_passes_every_check(browse: Browse) -> None:
    for viewport in (DESKTOP, NARROW):
        for dark in (False, True):
            page = await browse.open(viewport, dark=dark)
            await page.goto("/dev/mail")
            await fits(page)


async def test_the_server_is_reached_without_script_too(no_script: Page, phone: Page) -> None:
    for page in (no_script, phone):
        answer = await page.goto("/docs")
        assert answer is not None
        assert answer.ok


@pytest.mark.parametrize(
    ("html", "says"),
    [
        ("<script>throw new Error('broken')</script>", "broken"),
        ("<script>console.error('oh no')</script>", "oh no"),
        ("<img src='http://127.0.0.1:9/pixel.png' alt=''>", "127.0.0.1:9"),
    ],
)
async def test_errors_and_requests_to_other_hosts_fail_the_test(own: Browse, html: str, says: str) -> None:
    page = await own.open()
    await page.set_content(html, wait_until="load")
    with pytest.raises(AssertionError, match=says):
        await own.close()


async def test_a_page_that_is_not_accessible_or_too_wide_fails(browse: Browse) -> None:
    page = await browse.open(NARROW)
    await page.set_content(
        "<html lang='en'><meta name=viewport content='width=device-width'><title>x</title>"
        "<main><h1>x</h1><input style='width:500px'></main></html>"
    )
    with pytest.raises(AssertionError, match="label"):
        await accessible(page)
    with pytest.raises(AssertionError, match="input"):
        await fits(page)


async def test_axe_works_without_script_and_finds_nothing_on_a_good_page(no_script: Page) -> None:
    await no_script.set_content("<html lang='en'><title>x</title><main><h1>Good</h1><p>Text</p></main></html>")
    await accessible(no_script)
