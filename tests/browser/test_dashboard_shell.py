"""What every page of the dashboard has around it: today, palette, shortcuts, the way in."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.acceptance.running import Dev
from tests.browser.browsing import PHONE, Browse, accessible
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


async def test_the_palette_opens_a_part_of_the_settings(browse: Browse, dev: Dev) -> None:
    page = await signed_in(browse, dev, "/app")
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("combobox")).to_be_focused()
    await page.keyboard.type("single sign")
    await expect(page.get_by_role("option")).to_have_count(1)
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile("/app/settings/single-sign-on"))


async def test_on_a_phone_the_settings_begin_with_what_was_asked_for(browse: Browse, dev: Dev) -> None:
    page = await signed_in(browse, dev, "/app/settings/keys", PHONE)
    sections = page.get_by_role("navigation", name="Settings")
    await expect(sections.get_by_role("link")).to_have_count(0)
    heading = await page.get_by_role("heading", level=1).bounding_box()
    assert heading is not None
    assert heading["y"] < PHONE["height"] / 2
    await sections.get_by_role("button", name="Keys").press("Enter")
    await accessible(page)
    await sections.get_by_role("link", name="Secrets").click()
    await expect(page).to_have_url(re.compile("/app/settings/secrets"))
    await expect(sections.get_by_role("link")).to_have_count(0)
