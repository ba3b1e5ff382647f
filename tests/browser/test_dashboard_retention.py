"""How long things are kept, and legal holds, in the dashboard: what would be removed is told before it is said."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.async_api import expect

from tests.acceptance.running import Dev, start_dev
from tests.browser.browsing import Browse, accessible
from tests.browser.signing_in import at_work


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    """A Passerelle of this file's own: what a workspace keeps would hold for every other test."""
    folder = tmp_path_factory.mktemp("retention")
    running = start_dev(folder / "data", log=folder / "log")
    yield running
    running.stop()


async def call(api: httpx.Client, path: str) -> dict[str, Any]:
    answer = await asyncio.to_thread(api.get, path)
    found: dict[str, Any] = answer.raise_for_status().json()
    return found


async def test_how_long_is_said_after_what_it_removes_is_told(browse: Browse, dev: Dev, api: httpx.Client) -> None:
    page = await at_work(browse, dev, "/app/settings/retention")
    row = page.locator("tbody tr").filter(has_text="since they completed")
    await expect(row).to_contain_text("For good")
    await row.get_by_role("button", name="Executions: change how long they are kept").click()
    dialog = page.get_by_role("dialog", name="Executions: change how long they are kept")
    await dialog.get_by_role("radio", name="For a number of days").check()
    await dialog.get_by_label("Days", exact=True).fill("0")
    await expect(dialog.get_by_role("button", name="Keep so long")).to_have_attribute("aria-disabled", "true")
    await dialog.get_by_label("Days", exact=True).fill("400")
    await expect(dialog.get_by_text("Nothing would be removed now.")).to_be_visible()
    await dialog.get_by_role("checkbox", name="Archive it before").check()
    await accessible(page)
    await dialog.get_by_role("button", name="Keep so long").click()
    await expect(row).to_contain_text("400 days")
    await expect(row).to_contain_text("This workspace; archived before")
    kept = {one["kind"]: one for one in (await call(api, "/retention"))["data"]}
    assert (kept["executions"]["lasts"], kept["executions"]["archive"]) == ("400d", True)
    await accessible(page)


async def test_a_hold_is_placed_and_released_with_its_reason(browse: Browse, dev: Dev, api: httpx.Client) -> None:

    page = await at_work(browse, dev, "/app/settings/retention")
    await page.get_by_role("button", name="Place a hold").click()
    dialog = page.get_by_role("dialog", name="Place a hold")
    await dialog.get_by_label("Reason").fill("Case 7")
    await expect(dialog.get_by_role("button", name="Place a hold")).to_have_attribute("aria-disabled", "true")
    await dialog.get_by_role("combobox", name="On").click()
    await page.get_by_role("option", name="The whole workspace").click()
    await accessible(page)
    await dialog.get_by_role("button", name="Place a hold").click()
    row = page.locator("tbody tr").filter(has_text="Case 7")
    await expect(row).to_contain_text("The whole workspace")
    assert [one["kind"] for one in (await call(api, "/holds"))["data"]] == ["workspace"]
    await row.get_by_role("button", name=re.compile("Release the hold")).click()
    await page.get_by_role("dialog", name="Release this hold?").get_by_role("button", name="Release").click()
    await expect(page.get_by_text("Nothing is held")).to_be_visible()
    assert (await call(api, "/holds"))["data"] == []
