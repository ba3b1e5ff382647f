"""`/docs` in a real browser, under its own policy: its form is sent, and shows what the workspace has."""

from __future__ import annotations

import httpx
from playwright.async_api import Page, expect

from tests.acceptance.running import Dev
from tests.browser.browsing import Browse


def made_table(api: httpx.Client) -> None:
    made = api.post("/tables", json={"name": "boats", "fields": [{"name": "berth", "type": "text"}]})
    assert made.status_code == 201, made.text


async def test_with_credentials_the_page_shows_the_workspace_s_own_tables(
    browse: Browse, no_script: Page, api: httpx.Client, dev: Dev
) -> None:
    made_table(api)
    browse.watched(no_script).refusals_expected = True
    await no_script.goto("/docs")
    await expect(no_script.get_by_text("/tables/boats/records").first).to_be_hidden()
    await no_script.get_by_label("Access token or organization token").fill("wrong")
    await no_script.get_by_role("button", name="Show my tables").click()
    await expect(no_script.get_by_role("alert")).to_be_visible()
    await no_script.get_by_label("Access token or organization token").fill(dev.demo["organizationToken"])
    await no_script.get_by_role("button", name="Show my tables").click()
    await expect(no_script.get_by_text("/tables/boats/records").first).to_be_visible()
