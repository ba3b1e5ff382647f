"""The end user's first page: its weight, whom it asks, how soon a slow phone can use it, and how soon it answers 32."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from bench.harness import Load, Passerelle, chromium_path, drive, running

HEADERS = {"Accept-Encoding": "gzip", "Accept-Language": "en"}

READING = "delay = function() return math.random(150, 250) end"
"""A reader opens the next page after a fifth of a second: 32 of them open 150 in each second."""

SLOWER = 4
"""How many times the phone's processor takes what this one does."""
SLOW_4G = {"offline": False, "latency": 562.5, "downloadThroughput": 1474.56 * 128, "uploadThroughput": 675 * 128}
"""Milliseconds a request and bytes a second: what Lighthouse gives Chromium as slow 4G."""
SLOW_TIMES = 7

_LONG_TASKS = """window.busyUntil = 0;
new PerformanceObserver(list => {
    for (const task of list.getEntries()) window.busyUntil = Math.max(window.busyUntil, task.startTime + task.duration);
}).observe({type: 'longtask', buffered: true});"""
_INTERACTIVE = """() => Math.max(
    performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd,
    performance.getEntriesByName('first-contentful-paint')[0].startTime,
    window.busyUntil,
)"""


@dataclass(frozen=True)
class Weight:
    """What a browser that knows nothing yet loads for a page."""

    bytes: int
    """On the wire, headers among them."""
    requests: int
    elsewhere: int
    """Requests to other hosts."""


async def first_page(report: Any) -> None:
    """The page at a fresh link, the form behind *Start*, and the widget's script and frame."""
    with running() as passerelle:
        link = await _link(passerelle)
        path = chromium_path()
        if path is None:
            report.note("the weights: there is no Chromium (`make browser`)")
            return
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            weight, form = await _weights(browser, link)
            await _slow_phone(report, browser, passerelle)
            form_url, cookie = await _session(browser, await _link(passerelle))
            await browser.close()
        _say(report, "first page, all of it", weight)
        _say(report, "form behind Start, after it", form)
        await _answers(report, "first page, 32 readers", link, lua=READING)
        await _answers(report, "form, 32 readers", form_url, {"Cookie": cookie}, lua=READING)
        await _answers(report, "  beside it: /health/live", f"{passerelle.url}/health/live", lua=READING)
        await _answers(report, "first page, 32 without a pause", link)
        await _answers(report, "  beside it: /health/live", f"{passerelle.url}/health/live")


async def _link(passerelle: Passerelle) -> str:
    body = {"workflowDefinitionId": passerelle.demo["definitions"]["customer-onboarding"]}
    async with httpx.AsyncClient(headers=passerelle.headers) as client:
        answer = await client.post(f"{passerelle.url}/link", json=body)
    return str(answer.raise_for_status().json()["link"])


async def _weights(browser: Browser, link: str) -> tuple[Weight, Weight]:
    """Of the page at a link, and of what comes after *Start* to the same browser."""
    context = await browser.new_context(locale="en")
    page = await context.new_page()
    first = await _watched(page, link, lambda: page.goto(link, wait_until="networkidle"))
    second = await _watched(page, link, lambda: _start(page))
    await context.close()
    return first, second


async def _watched(page: Page, link: str, act: Any) -> Weight:
    session = await page.context.new_cdp_session(page)
    sizes: list[float] = []
    hosts: list[str] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    session.on("Network.requestWillBeSent", lambda event: hosts.append(urlsplit(event["request"]["url"]).netloc))
    await session.send("Network.enable")
    await act()
    await session.detach()
    foreign = [host for host in hosts if host not in (urlsplit(link).netloc, "")]
    return Weight(round(sum(sizes)), len(sizes), len(foreign))


async def _slow_phone(report: Any, browser: Browser, passerelle: Passerelle) -> None:
    """From opening until it is drawn and the processor is free to answer a touch, with nothing cached."""
    first, form = [], []
    for _ in range(SLOW_TIMES):
        context = await browser.new_context(
            locale="en", viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True
        )
        page = await context.new_page()
        await page.add_init_script(_LONG_TASKS)
        session = await context.new_cdp_session(page)
        await session.send("Network.enable")
        await session.send("Network.emulateNetworkConditions", SLOW_4G)
        await session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        await page.goto(await _link(passerelle), wait_until="networkidle")
        first.append(await page.evaluate(_INTERACTIVE))
        await _start(page)
        form.append(await page.evaluate(_INTERACTIVE))
        await context.close()
    for name, times in (("first page", first), ("form behind Start", form)):
        report.line(f"{name}, slow phone", interactive_ms=round(statistics.median(times)), slowest_ms=round(max(times)))


async def _start(page: Page) -> None:
    await page.get_by_role("button", name="Start").click()
    await page.wait_for_url("**/x/**", wait_until="networkidle")


async def _session(browser: Browser, link: str) -> tuple[str, str]:
    """The address of a form, and the cookie that opens it."""
    context: BrowserContext = await browser.new_context(locale="en")
    page = await context.new_page()
    await page.goto(link)
    await _start(page)
    url = page.url
    cookies = await context.cookies(url)
    await context.close()
    return url, "; ".join(f"{one['name']}={one['value']}" for one in cookies)


async def _answers(report: Any, name: str, url: str, headers: dict[str, str] | None = None, *, lua: str = "") -> None:
    load: Load = await drive(url, {**HEADERS, **(headers or {})}, lua)
    report.line(name, per_second=round(load.requests), p50_ms=load.p50, p99_ms=load.p99, errors=load.errors)


def _say(report: Any, name: str, weight: Weight) -> None:
    report.line(name, kilobytes=round(weight.bytes / 1000, 1), requests=weight.requests, elsewhere=weight.elsewhere)
