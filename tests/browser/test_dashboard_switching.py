"""One person in several workspaces and organizations: the switcher leads from one to the other, and takes nothing along."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

import pytest
from playwright.async_api import expect

from tests.acceptance.running import PASSERELLE, Dev, start_dev
from tests.browser.browsing import Browse
from tests.browser.signing_in import signed_in


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    """A Passerelle of this file's own: a second workspace would change the navigation of every other test."""
    folder = tmp_path_factory.mktemp("switched")
    running = start_dev(folder / "data", log=folder / "log")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def second(dev: Dev) -> None:
    """A second workspace of the demo's organization; the first has a table that it has not."""
    with dev.api() as api:
        organization = api.get("/me").json()["organization"]["id"]
        table = {"name": "only_here", "title": "Only here", "fields": [{"name": "name", "type": "text"}]}
        api.post("/tables", json=table).raise_for_status()
    command = [PASSERELLE, "workspace", "create", "Second", "--organization", organization, "--data-dir", dev.folder]
    subprocess.run([str(part) for part in command], check=True, capture_output=True)


async def test_from_one_workspace_to_another_and_back(browse: Browse, dev: Dev, second: None) -> None:
    page = await signed_in(browse, dev, "/app/records")
    await expect(page.get_by_role("link", name="Only here").first).to_be_visible()
    switcher = page.get_by_role("button", name=re.compile("switch to another"))
    await switcher.press("Enter")
    await expect(page.get_by_role("menuitem", name="Second")).to_be_visible()
    await page.get_by_role("menuitem", name="Second").click()
    await expect(switcher).to_contain_text("Second")
    await page.goto("/app/records")
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await expect(page.get_by_text("Only here")).to_have_count(0)
    # The choice is the session's: another page of the same browser is in the same workspace.
    other = await page.context.new_page()
    await other.goto("/app")
    await expect(other.get_by_role("button", name=re.compile("switch to another"))).to_contain_text("Second")
    await switcher.click()
    await page.get_by_role("menuitem", name="demo").click()
    await expect(switcher).to_contain_text("demo")
    await page.goto("/app/records")
    await expect(page.get_by_role("link", name="Only here").first).to_be_visible()
