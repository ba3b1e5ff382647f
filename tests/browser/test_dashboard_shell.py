"""What every page of the dashboard has around it: today, palette, shortcuts, the way in."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.acceptance.running import Dev
from tests.browser.browsing import Browse, accessible
from tests.browser.dashboard import signed_in


async def test_the_palette_opens_a_page_by_its_name(browse: Browse, dev: Dev) -> None:
    page = await signed_in(browse, dev, "/app")
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("combobox")).to_be_focused()
    await accessible(page)
    await page.keyboard.type("exec")
    await expect(page.get_by_role("option")).to_have_count(1)
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile("/app/executions"))


async def test_shortcuts_are_listed_and_can_be_turned_off(browse: Browse, dev: Dev) -> None:
    page = await signed_in(browse, dev, "/app")
    await page.keyboard.press("?")
    dialogue = page.get_by_role("dialog", name="Keyboard shortcuts")
    await expect(dialogue.get_by_text("Go to Reviews")).to_be_visible()
    await accessible(page)
    await dialogue.get_by_role("switch").press("Space")
    await page.keyboard.press("Escape")
    await expect(dialogue).to_be_hidden()
    await page.keyboard.press("g")
    await page.keyboard.press("r")
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("combobox")).to_be_visible()
    await expect(page).to_have_url(re.compile("/app$"))
