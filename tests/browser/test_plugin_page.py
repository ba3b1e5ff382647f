"""A step with a page that another package adds works from the definition to the result, in a real browser."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.acceptance.running import Dev, pushed, start_dev
from tests.browser.browsing import PHONE, Browse, accessible
from tests.browser.visiting import go_on, made_link, result_of
from tests.plugged import plugged

RATED = """
name: rated
steps:
  - id: stars
    rating: {title: How was it?, stars: 3}
  - id: thanks
    message: {title: Thank you, text: "${steps.stars.rating} of 3: ${steps.stars.remark}"}
"""


@pytest.fixture(scope="module")
def plugged_dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    folder = tmp_path_factory.mktemp("plugged")
    path = os.pathsep.join([*plugged(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    running = start_dev(folder / "data", environment={"PYTHONPATH": path})
    yield running
    running.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def page(chromium: Browser, plugged_dev: Dev) -> Page:
    return await Browse(chromium, plugged_dev.demo["baseUrl"]).open(PHONE)


async def test_a_plug_in_s_page_is_shown_read_refused_kept_and_answered(page: Page, plugged_dev: Dev) -> None:
    with plugged_dev.api() as api:
        link, execution = made_link(api, pushed(api, RATED))
        await page.goto(link)
        await page.locator("main button.primary").click()
        await expect(page.get_by_role("heading", name="How was it?")).to_be_visible()
        await accessible(page)
        await page.locator("#remark").fill("<b>fine</b>")
        await go_on(page).click()
        await expect(page.get_by_role("alert")).to_contain_text("choose a number of stars from 1 to 3")
        await expect(page.get_by_role("alert")).not_to_contain_text("`")
        await expect(page.locator("#remark")).to_have_value("<b>fine</b>")
        await page.reload()
        await expect(page.locator("#remark")).to_have_value("<b>fine</b>")
        await page.get_by_label("★★", exact=True).check()
        await go_on(page).click()
        await expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
        await expect(page.get_by_text("2 of 3: <b>fine</b>")).to_be_visible()
        assert result_of(api, execution)["stars"] == {"rating": 2, "remark": "<b>fine</b>"}
    await page.context.close()
