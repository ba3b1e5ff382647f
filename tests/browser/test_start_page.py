"""The start page of `passerelle dev`: what it shows, and that nobody else can press its buttons."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.acceptance.running import Dev, pushed
from tests.browser.browsing import DESKTOP, NARROW, PHONE, Browse, accessible, fits

GREETING = """
name: greeting
title: {en: A greeting}
parameters:
  name: {type: string, required: true}
  times: {type: number, required: true}
steps:
  - id: greet
    set: {text: "Hello ${parameters.name}", twice: "${parameters.times * 2}"}
result:
  text: "${steps.greet.text}"
  twice: "${steps.greet.twice}"
"""


async def test_it_shows_what_runs_and_where_everything_is(desktop: Page, dev: Dev) -> None:
    await desktop.goto("/")
    await expect(desktop.get_by_role("heading", name="Passerelle runs")).to_be_visible()
    assert dev.demo["baseUrl"] in await desktop.inner_text("header")
    for name, path in (("API reference", "/docs"), ("Mail catcher", "/dev/mail"), ("Health", "/health/ready")):
        assert await desktop.get_by_role("link", name=name).get_attribute("href") == path
    page = await desktop.content()
    assert dev.demo["organizationToken"] not in page
    assert dev.demo["secret"] not in page


async def test_it_is_accessible_and_fits_every_window(browse: Browse) -> None:
    for viewport, dark in ((DESKTOP, False), (PHONE, True), (NARROW, False)):
        page = await browse.open(viewport, dark=dark)
        await page.goto("/")
        await fits(page)
        if viewport is not NARROW:
            await accessible(page)


async def test_a_definition_is_tried_with_what_is_typed(no_script: Page, api: httpx.Client) -> None:
    """By the keyboard, without script: from the field to the result."""
    pushed(api, GREETING)
    await no_script.goto("/")
    card = no_script.get_by_role("listitem").filter(has_text="A greeting")
    await card.get_by_label("name", exact=True).fill("Ada <b>")
    await card.get_by_label("times").fill("21")
    await card.get_by_role("button").press("Enter")
    await expect(no_script.locator(".status")).to_have_text("COMPLETED")
    assert '"Hello Ada <b>"' in await no_script.inner_text("main")
    assert '"twice": 42' in await no_script.inner_text("main")
    await accessible(no_script)
    await no_script.get_by_role("link", name="Back to the start page").click()
    await expect(no_script).to_have_url(re.compile("/$"))


async def test_what_is_wrong_is_said_in_its_card_and_what_was_typed_stays(
    browse: Browse, desktop: Page, api: httpx.Client
) -> None:
    pushed(api, GREETING)
    browse.watched(desktop).refusals_expected = True
    await desktop.goto("/")
    card = desktop.get_by_role("listitem").filter(has_text="A greeting")
    await card.get_by_label("name", exact=True).fill("Ada")
    await card.get_by_label("times").fill("often")
    await card.get_by_role("button").click()
    await expect(card.get_by_role("alert")).to_contain_text("times")
    assert await card.get_by_label("name", exact=True).input_value() == "Ada"
    await accessible(desktop)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://localhost:1"},
        # Another site's name that leads to this machine.
        {"Origin": "http://evil.example", "Host": "evil.example"},
        {"Origin": "http://localhost.evil.example", "Host": "localhost.evil.example"},
    ],
)
def test_another_sites_page_cannot_press_the_buttons(dev: Dev, headers: dict[str, str]) -> None:
    definition = dev.demo["definitions"]["company-check"]
    url = f"{dev.demo['baseUrl']}/dev/try/{definition}"
    answer = httpx.post(url, headers=headers, data={"parameter.nip": "7740001454"})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (403, "FOREIGN_PAGE")


def test_it_cannot_be_framed_and_shows_only_its_own_workspace(dev: Dev) -> None:
    page = httpx.get(dev.demo["baseUrl"])
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert httpx.get(f"{dev.demo['baseUrl']}/dev/runs/0198c2f4-8f5e-7c3a-9d1b-2a6f4e5d7c80").status_code == 404
