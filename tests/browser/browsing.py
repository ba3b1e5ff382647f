"""Debian's Chromium, driven by Playwright: pages that report everything which a good page does not do.

A test takes `browse` and opens pages with it, or one of the ready ones (`desktop`, `phone`, `no_script`). At the end
of the test each page is asked: was there an error in the console, an exception, a request to another host? Any fails
the test. `accessible(page)` and `fits(page)` check what the page shows now.
"""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import axe_playwright_python
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Frame,
    Page,
    Request,
    Route,
    ViewportSize,
    expect,
)

DESKTOP: Final[ViewportSize] = {"width": 1280, "height": 800}
PHONE: Final[ViewportSize] = {"width": 390, "height": 844}
NARROW: Final[ViewportSize] = {"width": 320, "height": 640}
"""What WCAG 1.4.10 asks for: also a window of 1280 pixels at 400 %, and half of one at 200 %."""

ARGUMENTS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

_RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_COLOUR_RULES: Final = ["color-contrast", "link-in-text-block"]
_REFUSED: Final = re.compile(r"Failed to load resource: (the server responded with a status of 4|net::ERR_)")

_WITHOUT_SCRIPT: Final[WeakKeyDictionary[BrowserContext, dict[str, Any]]] = WeakKeyDictionary()
"""How the pages look whose scripts are off."""

expect.set_options(timeout=10_000)


def chromium_path() -> str:
    """Where Chromium is. Raises `RuntimeError` that says how it comes here."""
    # The shell is the same browser without its own windows and pages, of which each context would get some.
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    given = os.environ.get("PASSERELLE_TEST_CHROMIUM")
    found = given or next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        raise RuntimeError("there is no Chromium: `make browser` installs it, or name one in PASSERELLE_TEST_CHROMIUM")
    return found


@dataclass
class Watched:
    """What a page did that a good page does not."""

    hosts: set[str]
    """Whom it may ask."""
    errors: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    refusals_expected: bool = False
    """Whether requests may be refused, or cut."""

    def page(self, page: Page) -> None:
        """Watch a page from now on."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.errors.append(f"exception: {error}"))
        page.on("request", self._request)

    def require_good(self) -> None:
        """Fails the test if there was anything."""
        assert not self.errors, "in the browser's console: " + "; ".join(self.errors)
        assert not self.elsewhere, "requests to other hosts: " + ", ".join(self.elsewhere)

    def _console(self, message: ConsoleMessage) -> None:
        expected = self.refusals_expected and _REFUSED.match(message.text)
        where = str(message.location.get("url", ""))
        # What is typed is saved as it is typed; what is still on its way when the step is left is refused.
        late = where.endswith("/draft") and "409" in message.text
        if message.type in ("error", "warning") and not (expected or late):
            self.errors.append(f"{message.text} ({where})")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc not in self.hosts:
            self.elsewhere.append(request.url)


class Browse:
    """Opens pages for one test. Each has a context of its own: no cookie of another."""

    def __init__(self, browser: Browser, base_url: str) -> None:
        self._browser = browser
        self._base_url = base_url
        self._opened: list[tuple[BrowserContext, Watched]] = []

    async def open(
        self,
        viewport: ViewportSize = DESKTOP,
        *,
        dark: bool = False,
        script: bool = True,
        locale: str = "en",
        also: tuple[str, ...] = (),
        **options: Any,
    ) -> Page:
        """A page in a new context. `also`: other hosts (`host:port`) that it may ask."""
        phone = viewport["width"] <= PHONE["width"]
        look: dict[str, Any] = {
            "viewport": viewport,
            "color_scheme": "dark" if dark else "light",
            "has_touch": phone,
            "is_mobile": phone,
            "reduced_motion": "reduce",
        }
        context = await self._browser.new_context(
            java_script_enabled=script, locale=locale, base_url=self._base_url, **look, **options
        )
        context.set_default_timeout(10_000)
        if not script:
            _WITHOUT_SCRIPT[context] = look
        watched = Watched({urlsplit(self._base_url).netloc, *also})
        context.on("page", watched.page)
        self._opened.append((context, watched))
        return await context.new_page()

    def watched(self, page: Page) -> Watched:
        """What was seen of a page, and of others in its context."""
        return next(watched for context, watched in self._opened if context is page.context)

    async def close(self) -> None:
        """Close every page. Raises if one did what it should not."""
        for context, _ in self._opened:
            await context.close()
        for _, watched in self._opened:
            watched.require_good()


_STANDS_STILL = """async () => {
    const drawn = () => new Promise(resolve => requestAnimationFrame(resolve));
    await drawn();
    await drawn();
    const moving = document.getAnimations().filter(one => one.effect.getComputedTiming().endTime !== Infinity);
    await Promise.allSettled(moving.map(one => one.finished));
}"""


async def accessible(page: Page, *, only_colours: bool = False) -> None:
    """axe finds nothing to say, in any frame of the page, by the rules of WCAG 2.2 AA and good practice.

    only_colours: the page was looked at before, in other colours.
    """
    options = _WITHOUT_SCRIPT.get(page.context)
    if options is not None:
        return await _accessible_twin(page, options)
    found = []
    for frame in page.frames:
        if not await _may_run(frame):
            continue
        # A press may have led to another page that is not there yet, or to colours that are on their way.
        await frame.wait_for_load_state("domcontentloaded")
        await frame.evaluate(_STANDS_STILL)
        if not await frame.evaluate("Boolean(window.axe)"):
            await frame.evaluate(_axe())
        result = await frame.evaluate(
            "rules => axe.run(document, {iframes: false, runOnly: rules, resultTypes: ['violations']})",
            _COLOUR_RULES if only_colours else _RULES,
        )
        found += [
            f"{violation['id']}: {node['html'][:200]} – {node['failureSummary']}"
            for violation in result["violations"]
            for node in violation["nodes"]
        ]
    assert not found, "\n".join(found)
    return None


async def _may_run(frame: Frame) -> bool:
    """Whether axe can look into a frame: a sandbox may allow no scripts. What is in it has an address of its own."""
    if frame.parent_frame is None:
        return True
    sandbox = await (await frame.frame_element()).get_attribute("sandbox")
    return sandbox is None or "allow-scripts" in sandbox


async def fits(page: Page) -> None:
    """Nothing has to be scrolled sideways: neither the page nor anything that sticks out of it."""
    wide = await page.evaluate(
        """() => {
            const width = document.documentElement.clientWidth;
            const out = [...document.querySelectorAll('body *')].filter(element => {
                const box = element.getBoundingClientRect();
                return box.width > 1 && box.height > 1 && box.right > width + 1
                    && getComputedStyle(element).visibility !== 'hidden';
            });
            const name = element => element.tagName.toLowerCase() + '.' + element.className;
            return document.documentElement.scrollWidth > width ? ['the page', ...out.map(name)] : [];
        }"""
    )
    assert not wide, f"sticks out at {page.viewport_size}: {', '.join(wide)}"


async def focused(page: Page) -> str:
    """What has the focus: its id, else its text, else its tag."""
    found: str = await page.evaluate(
        "() => { const one = document.activeElement;"
        " return one.id || one.textContent.trim() || one.tagName.toLowerCase(); }"
    )
    return found


async def _accessible_twin(page: Page, options: dict[str, Any]) -> None:
    """axe cannot run where scripts are off: it looks at a page of the same HTML and style, whose scripts are not loaded."""
    html = (await page.content()).replace("<noscript>", "<div>").replace("</noscript>", "</div>")
    assert page.context.browser is not None
    context = await page.context.browser.new_context(**options)
    twin = await context.new_page()

    async def answer(route: Route) -> None:
        if route.request.resource_type == "script":
            await route.abort()
        elif route.request.is_navigation_request():
            await route.fulfill(body=html, content_type="text/html")
        else:
            await route.continue_()

    await twin.route("**/*", answer)
    await twin.goto(page.url if page.url.startswith("http") else "http://twin.invalid/")
    await accessible(twin)
    await context.close()


@lru_cache(maxsize=1)
def _axe() -> str:
    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
