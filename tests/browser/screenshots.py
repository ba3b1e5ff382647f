"""`make screenshots`: takes the pictures of the docs from a running Passerelle, as its end users see it.

Each picture in `docs/images` is composed out of screenshots of one journey through `examples/customer-onboarding`.
`python tests/browser/screenshots.py FOLDER png` writes them elsewhere, in a format that every viewer reads.
"""

from __future__ import annotations

import asyncio
import base64
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from playwright.async_api import Browser, FrameLocator, Page, ViewportSize, async_playwright, expect

from tests.acceptance.running import Dev, pushed, start_dev
from tests.browser.browsing import ARGUMENTS, PHONE, chromium_path
from tests.browser.hosting import Site, serving

IMAGES: Final = Path(__file__).parents[2] / "docs" / "images"
DESK: Final[ViewportSize] = {"width": 1180, "height": 820}
QUALITY: Final = 78
DEFINITION: Final = "customer-onboarding"
# One pixel, white: what stands for the photo of an identity card.
PHOTO: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4//8/AwAI/AL+p5qgoAAAAABJRU5ErkJggg=="
)

WAITING: Final = """
name: waiting
title: {en: Open an account}
steps:
  - id: compared
    title: {en: the company register answers}
    wait: {for: 1h}
  - id: last
    consent: {title: {en: Consent}, text: {en: Consent}, version: "1"}
"""

SHEET: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><style>
body {{ margin: 0; padding: 28px; width: {width}px; box-sizing: border-box; background: {back}; color: {text};
  font: 15px/1.4 system-ui, "Liberation Sans", sans-serif; }}
.shots {{ display: grid; grid-template-columns: repeat({columns}, 1fr); gap: 26px 24px; }}
figure {{ margin: 0; }}
img {{ display: block; width: 100%; border-radius: {radius}px; box-shadow: 0 0 0 1px rgb(128 128 128 / 28%), 0 8px 26px rgb(0 0 0 / 14%); }}
figcaption {{ margin-top: 11px; text-align: center; }}
</style><div class="shots">{figures}</div></html>"""

PAIR: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><style>
body {{ margin: 0; width: 1400px; height: {height}px; background: linear-gradient(150deg, #e8edf5, #d5ddeb); position: relative; overflow: hidden; }}
img {{ position: absolute; box-shadow: 0 0 0 1px rgb(20 30 60 / 14%), 0 18px 50px rgb(20 30 60 / 24%); }}
.desk {{ left: 48px; top: 48px; width: 1060px; border-radius: 14px; }}
.phone {{ right: 48px; bottom: 44px; width: 318px; border-radius: 34px; border: 9px solid #14171f; }}
</style><img class="desk" src="{desk}"><img class="phone" src="{phone}"></html>"""

SHOP: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Harbour</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><script src="{widget}" async></script><style>
body {{ margin: 0; font: 17px/1.6 Georgia, "Liberation Serif", serif; color: #23313f; background: #fbfaf7; }}
header {{ display: flex; justify-content: space-between; align-items: center; padding: 20px 8vw; background: #12344d; color: #fff; font-size: 21px; }}
header small {{ font-size: 15px; opacity: .8; }}
main {{ padding: 5vh 8vw; max-width: 800px; }} h1 {{ font-size: 38px; line-height: 1.2; margin: 0 0 14px; }}
passerelle-widget {{ margin-top: 26px; border: 1px solid #d9d5ca; border-radius: 16px; overflow: hidden; }}
button {{ font: inherit; padding: 12px 26px; border: 0; border-radius: 8px; background: #c8553d; color: #fff; }}
</style><header>Harbour <small>Accounts&ensp; Cards&ensp; Help</small></header>
<main><h1>An account in ten minutes</h1><p>No branch, no paper. Have your identity card at hand.</p>{inside}</main></html>"""


@dataclass(frozen=True)
class Shot:
    """A screenshot (PNG), and what it shows."""

    name: str
    image: bytes

    @property
    def url(self) -> str:
        """The picture as an address."""
        return f"data:image/png;base64,{base64.b64encode(self.image).decode()}"


@dataclass(frozen=True)
class Studio:
    """What every picture is taken with."""

    browser: Browser
    dev: Dev
    waiting: str
    """A definition whose page waits for something in the background."""

    @asynccontextmanager
    async def page(self, viewport: ViewportSize, *, dark: bool = False) -> AsyncIterator[Page]:
        """A page in a browser of its own, twice as sharp as its size."""
        phone = viewport["width"] <= PHONE["width"]
        context = await self.browser.new_context(
            viewport=viewport,
            color_scheme="dark" if dark else "light",
            has_touch=phone,
            is_mobile=phone,
            device_scale_factor=2,
            reduced_motion="reduce",
            locale="en",
            base_url=self.dev.demo["baseUrl"],
        )
        yield await context.new_page()
        await context.close()

    async def made(self, kind: str, definition: str | None = None, **more: str) -> str:
        """A link or a token for a new execution, of the example unless another definition is named."""
        body = {"workflowDefinitionId": definition or self.dev.demo["definitions"][DEFINITION], **more}
        headers = {
            "Authorization": f"Bearer {self.dev.demo['organizationToken']}",
            "Accept": "application/json;version=2",
        }
        async with httpx.AsyncClient(base_url=self.dev.demo["baseUrl"], headers=headers) as client:
            answer = await client.post(f"/{kind}", json=body)
            return str(answer.raise_for_status().json()[kind])


async def shot(page: Page, name: str, *, whole: bool = False) -> Shot:
    """What the page shows now. `whole`: also what has to be scrolled to."""
    return Shot(name, await page.screenshot(full_page=whole))


# The journey.


async def journey(studio: Studio, viewport: ViewportSize, *, dark: bool) -> list[Shot]:
    """Every kind of page, from the link to the end, and a link that another browser has opened."""
    link = await studio.made("link", email="ada@example.com")
    async with studio.page(viewport, dark=dark) as page:
        await page.goto(link)
        shots = [await shot(page, "The link is opened")]
        await page.get_by_role("button", name="Start").click()
        await expect(page.get_by_role("heading", name="About you")).to_be_visible()
        await about_you(page)
        await page.evaluate("scrollTo(0, 0)")
        shots.append(await shot(page, "A form"))
        for label, value in (("First name", ""), ("E-mail", "ada at example.com")):
            await page.get_by_label(label).fill(value)
        await page.get_by_role("button", name="Continue").click()
        await expect(page.get_by_text("There is a problem")).to_be_visible()
        shots.append(await shot(page, "What is not right yet"))
        await about_you(page)
        await to_the_documents(page)
        shots.append(await shot(page, "Documents"))
        await page.get_by_role("button", name="Continue").click()
        await page.get_by_role("checkbox").check()
        await page.evaluate("scrollTo(0, 0)")
        shots.append(await shot(page, "Consent"))
        await page.get_by_role("button", name="Continue").click()
        await expect(page.get_by_role("heading", name="Thank you", exact=True)).to_be_visible()
        shots.append(await shot(page, "Done"))
        await page.goto(await studio.made("link", definition=studio.waiting))
        await page.get_by_role("button", name="Start").click()
        await expect(page.get_by_role("heading", name="We are checking your details")).to_be_visible()
        shots.insert(-1, await shot(page, "The background works"))
    async with studio.page(viewport, dark=dark) as other:
        await other.goto(await spent_link(studio))
        shots.append(await shot(other, "Another device: a code by e-mail"))
    return shots


async def spent_link(studio: Studio) -> str:
    """A link that was opened elsewhere."""
    link = await studio.made("link", email="ada@example.com")
    async with studio.page(PHONE) as page:
        await page.goto(link)
        await page.get_by_role("button", name="Start").click()
        await expect(page.get_by_role("heading", name="About you")).to_be_visible()
    return link


async def about_you(page: Page | FrameLocator) -> None:
    """The first form, filled in."""
    for label, value in (
        ("First name", "Ada"),
        ("Last name", "Kowalska"),
        ("Day", "1"),
        ("Month", "4"),
        ("Year", "1990"),
    ):
        await page.get_by_label(label).first.fill(value)
    await page.get_by_label("Polish").check()
    await page.get_by_label("PESEL number").fill("90040112342")
    await page.get_by_label("E-mail").fill("ada@example.com")
    await page.locator("input[type=tel]").fill("+48 600 100 200")


async def to_the_documents(page: Page) -> None:
    """Through the second form, and a file sent."""
    await page.get_by_role("button", name="Continue").click()
    await expect(page.get_by_role("heading", name="How you will use the account")).to_be_visible()
    await page.get_by_label("Everyday payments").check()
    await page.get_by_label("Work", exact=True).check()
    await page.get_by_label("What will come in each month").fill("8000")
    await page.get_by_label("No", exact=True).check()
    await page.get_by_role("button", name="Continue").click()
    await expect(page.get_by_role("heading", name="Your identity card")).to_be_visible()
    file: Any = {"name": "identity-card.png", "mimeType": "image/png", "buffer": PHOTO}
    await page.locator("input[type=file]").first.set_input_files(file)
    await expect(page.get_by_text("identity-card.png")).to_be_visible()
    await expect(page.get_by_role("button", name="Remove")).to_be_visible()
    await page.evaluate("scrollTo(0, 0)")


# The widget.


async def modal(studio: Studio, site: Site, *, dark: bool = False) -> Shot:
    """The widget over a customer's page."""
    async with studio.page(DESK, dark=dark) as page:
        await page.goto(site.url("/modal"))
        await page.wait_for_function("window.passerelle")
        await page.evaluate(
            "token => { passerelle.setOptions({token}); passerelle.open(); }", await studio.made("token")
        )
        await about_you(page.frame_locator("iframe"))
        await page.frame_locator("iframe").locator("html").evaluate("() => scrollTo(0, 0)")
        return await shot(page, "Over the page")


async def inline(studio: Studio, site: Site) -> Shot:
    """The widget in a customer's page, on a phone."""
    async with studio.page(PHONE) as page:
        await page.goto(site.url("/inline"))
        await page.wait_for_function("window.passerelle")
        token = await studio.made("token")
        await page.evaluate("token => passerelle.setOptions({token, inline: true, autoHeight: true})", token)
        await expect(page.frame_locator("iframe").get_by_label("First name")).to_be_visible()
        return await shot(page, "In the page")


# The pictures.


async def compose(studio: Studio, html: str, name: str, width: int, folder: Path, kind: str) -> None:
    """Write a picture of this HTML."""
    context = await studio.browser.new_context(viewport={"width": width, "height": 600})
    page = await context.new_page()
    await page.set_content(html, wait_until="load")
    height = await page.evaluate("document.documentElement.scrollHeight")
    await page.set_viewport_size({"width": width, "height": height})
    session = await context.new_cdp_session(page)
    options: dict[str, Any] = {"format": kind} | ({"quality": QUALITY} if kind != "png" else {})
    taken = await session.send("Page.captureScreenshot", options)
    path = folder / f"{name}.{kind}"
    path.write_bytes(base64.b64decode(taken["data"]))
    await context.close()
    print(f"{path}  {path.stat().st_size:,} bytes", flush=True)


def sheet(shots: Sequence[Shot], *, dark: bool, columns: int, width: int) -> str:
    """Screenshots side by side, each with what it shows."""
    figures = "".join(
        f'<figure><img src="{one.url}" alt=""><figcaption>{escape(one.name)}</figcaption></figure>' for one in shots
    )
    back, text = ("#15181f", "#c9d1de") if dark else ("#f3f5f9", "#3b4658")
    radius = 22 if columns > 2 else 10
    return SHEET.format(width=width, back=back, text=text, columns=columns, radius=radius, figures=figures)


async def take(studio: Studio, site: Site, folder: Path, kind: str) -> None:
    """Every picture but the start page's."""
    journeys = {}
    for device, viewport in (("phone", PHONE), ("desktop", DESK)):
        for scheme in ("light", "dark"):
            shots = await journey(studio, viewport, dark=scheme == "dark")
            journeys[device, scheme] = shots
            columns, width = (4, 1400) if device == "phone" else (2, 1400)
            html = sheet(shots, dark=scheme == "dark", columns=columns, width=width)
            await compose(studio, html, f"pages-{device}-{scheme}", width, folder, kind)
    pair = PAIR.format(height=840, desk=journeys["desktop", "light"][1].url, phone=journeys["phone", "dark"][1].url)
    await compose(studio, pair, "end-user", 1400, folder, kind)
    over, within = await modal(studio, site), await inline(studio, site)
    await compose(studio, PAIR.format(height=840, desk=over.url, phone=within.url), "widget", 1400, folder, kind)


async def start_page(studio: Studio, folder: Path, kind: str) -> None:
    """The picture of what `passerelle dev` shows at `/`."""
    async with studio.page(DESK) as page:
        await page.goto("/")
        html = sheet(
            [await shot(page, "The start page of passerelle dev", whole=True)], dark=False, columns=1, width=1236
        )
        await compose(studio, html, "start-page", 1236, folder, kind)


async def main(folder: Path, kind: str) -> None:
    """Start Passerelle and a customer's site, and take the pictures."""
    with tempfile.TemporaryDirectory() as data, serving("") as site:
        dev = await asyncio.to_thread(start_dev, Path(data) / "data")
        widget = f"http://127.0.0.1:{urlsplit(dev.demo['baseUrl']).port}/widget.js"
        site.files["/modal"] = SHOP.format(widget=widget, inside="<button>Open an account</button>")
        site.files["/inline"] = SHOP.format(widget=widget, inside="<passerelle-widget></passerelle-widget>")
        try:
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
                await start_page(Studio(browser, dev, ""), folder, kind)
                with dev.api() as api:
                    waiting = pushed(api, WAITING)
                await take(Studio(browser, dev, waiting), site, folder, kind)
                await browser.close()
        finally:
            await asyncio.to_thread(dev.stop)


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES, sys.argv[2] if len(sys.argv) > 2 else "webp"))
