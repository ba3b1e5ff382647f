"""The guide of the widget: what stands there works as it stands there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.async_api import expect

from tests.acceptance.running import Dev, pushed
from tests.browser.browsing import DESKTOP, Browse
from tests.browser.hosting import Site, serving

GUIDE: Final = (Path(__file__).parents[2] / "docs" / "guides" / "widget.md").read_text(encoding="utf-8")
PAGES: Final = re.findall(r"```html\n(.*?)```", GUIDE, re.DOTALL)
POLICY: Final = re.findall(r"```\n(script-src .*?)\n```", GUIDE)
QUESTION: Final = """
name: guide
title: Guide
steps:
  - id: ask
    form: {title: Question, schema: {type: object, properties: {answer: {type: string, title: Answer}}}}
"""


@pytest.fixture
def token(api: httpx.Client) -> str:
    """A token for a form."""
    answer = api.post("/token", json={"workflowDefinitionId": pushed(api, QUESTION)})
    return str(answer.raise_for_status().json()["token"])


@pytest.fixture
def passerelle(dev: Dev) -> str:
    """Passerelle's origin, other than the site's."""
    return f"http://127.0.0.1:{urlsplit(dev.demo['baseUrl']).port}"


@pytest.fixture
def site() -> Iterator[Site]:
    """A site without a policy of its own."""
    with serving("") as running:
        yield running


@pytest.mark.parametrize("number", range(len(PAGES)))
async def test_its_pages_show_the_form(browse: Browse, site: Site, passerelle: str, token: str, number: int) -> None:
    filled = PAGES[number].replace("https://passerelle.example.com", passerelle).replace("TOKEN", token)
    site.files["/"] = (
        f"<!doctype html><html lang='en'><title>A page</title><link rel='icon' href='data:,'>{filled}</html>"
    )
    page = await browse.open(DESKTOP, also=(urlsplit(site.url()).netloc, urlsplit(passerelle).netloc))
    await page.goto(site.url(), wait_until="networkidle")
    button = page.get_by_role("button", name="Open an account")
    if await button.count():
        await button.click()
    await expect(page.frame_locator("iframe").get_by_label("Answer")).to_be_visible()


def test_it_names_every_option_and_callback() -> None:
    script = (
        Path(__file__).parents[2] / "src" / "passerelle" / "end_user" / "widget" / "static" / "widget.js"
    ).read_text()
    callbacks = re.search(r"CALLBACKS = \[(.*?)\]", script)
    options = re.search(r"OPTIONS = \[(.*?), \.\.\.", script)
    assert callbacks is not None
    assert options is not None
    named = re.findall(r'"(\w+)"', callbacks[1] + options[1])
    assert len(named) == 10
    assert [name for name in named if f"`{name}`" not in GUIDE] == []
    assert len(POLICY) == 1
