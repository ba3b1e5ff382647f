"""The builder with 500 steps: frames while graph and outline are moved, and how soon a change is checked."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from playwright.async_api import Page

from bench.harness import percentile, running
from bench.lighthouse import chromium, signed_in

STEPS = 500
FRAMES = 180
CHANGES = 12
WIDE = {"width": 1500, "height": 950}

_FRAMES = """async ([kind, frames]) => {
    const pane = document.querySelector('.react-flow__pane');
    const tree = document.querySelector('[role=tree]')?.parentElement;
    const box = (pane ?? tree).getBoundingClientRect();
    const at = {clientX: box.x + box.width / 2, clientY: box.y + box.height / 2, bubbles: true, cancelable: true};
    const move = {
        pan: frame => pane.dispatchEvent(new WheelEvent('wheel', {...at, deltaY: frame < frames / 2 ? 90 : -90})),
        zoom: frame => pane.dispatchEvent(
            new WheelEvent('wheel', {...at, ctrlKey: true, deltaY: frame % 60 < 30 ? 8 : -8})
        ),
        outline: () => { tree.scrollTop += 120; },
    }[kind];
    const times = [];
    let last = performance.now();
    for (let frame = 0; frame < frames; frame += 1) {
        move(frame);
        await new Promise(resolve => requestAnimationFrame(resolve));
        const now = performance.now();
        times.push(now - last);
        last = now;
    }
    return times;
}"""
"""One movement before each frame, and how long each frame took."""

_WATCH = """() => {
    window.waits = [];
    let began = 0;
    const start = event => { began = event.timeStamp; };
    addEventListener('keydown', start, true);
    addEventListener('click', start, true);
    const header = document.querySelector('header [data-tone]').closest('header');
    let busy = false;
    new MutationObserver(() => {
        const isBusy = header.querySelector('[data-tone]')?.getAttribute('aria-busy') !== 'false';
        if (busy && !isBusy && began > 0) {
            requestAnimationFrame(() => { window.waits.push(performance.now() - began); began = 0; });
        }
        busy = isBusy;
    }).observe(header, {subtree: true, childList: true, attributes: true});
}"""
"""From a key or a click to the frame in which the check of what it changed stands there."""


async def builder(report: Any) -> None:
    """Draw, scroll and change a definition of 500 steps."""
    with running() as passerelle, tempfile.TemporaryDirectory() as folder:
        definition_id = passerelle.push(definition(STEPS))
        async with chromium(Path(folder)) as context:
            page = await signed_in(context, passerelle)
            await page.set_viewport_size(WIDE)  # type: ignore[arg-type]
            await page.goto(f"{passerelle.url}/app/definitions/{definition_id}/edit")
            await page.locator(".react-flow__node").first.wait_for()
            await page.locator("header [data-tone][aria-busy=false]").wait_for()
            for kind in ("pan", "zoom"):
                await _moved(report, page, kind)
            await _checked(report, page)
            await page.get_by_text("Outline", exact=True).click()
            await page.get_by_role("tree").wait_for()
            await _moved(report, page, "outline")


async def _moved(report: Any, page: Page, kind: str) -> None:
    times = await page.evaluate(_FRAMES, [kind, FRAMES])
    report.line(
        f"builder, {STEPS} steps, {kind}",
        frames_a_second=round(1000 * len(times) / sum(times)),
        frame_p50_ms=round(percentile(times, 0.5), 1),
        frame_p95_ms=round(percentile(times, 0.95), 1),
    )


async def _checked(report: Any, page: Page) -> None:
    """Keys in a form, keys in the text, and steps added in the graph."""
    await page.locator(".react-flow__node button").first.click()
    await page.evaluate(_WATCH)
    name = page.locator("[data-builder-form] input").nth(1)
    await name.click()
    await page.evaluate("window.waits = []")
    for place in range(CHANGES):
        await page.keyboard.press("x")
        await _heard(page, place + 1)
    await _waits(report, page, "a key in a form")
    await page.locator(".cm-content").click()
    await page.keyboard.press("Control+End")
    await page.keyboard.type("#")
    await page.wait_for_timeout(1_500)
    await page.evaluate("window.waits = []")
    for place in range(CHANGES):
        await page.keyboard.press("a")
        await _heard(page, place + 1)
    await _waits(report, page, "a key in the text")
    for place in range(CHANGES):
        await page.get_by_role("group", name="Add a step").get_by_role("button", name="Wait", exact=True).click()
        await _heard(page, place + 1)
    await _waits(report, page, "a step added")


async def _heard(page: Page, times: int) -> None:
    """Until so many checks stand there. The page's policy forbids what would wait inside of it."""
    async with asyncio.timeout(10):
        while len(await page.evaluate("window.waits")) < times:
            await asyncio.sleep(0.02)


async def _waits(report: Any, page: Page, what: str) -> None:
    times = await page.evaluate("() => { const waits = window.waits; window.waits = []; return waits; }")
    report.line(
        f"builder, checked after {what}",
        p50_ms=round(percentile(times, 0.5)),
        p95_ms=round(percentile(times, 0.95)),
        longest_ms=round(max(times)),
    )


def definition(steps: int) -> str:
    """An onboarding as long as nobody should write one: pages, calls, values, ways and waits in turn."""
    parts = [_page(number) if number % 5 == 0 else _step(number, number - number % 5) for number in range(steps - 1)]
    head = "name: large\ntitle: {en: A large onboarding, pl: Duża rejestracja}\nsteps:\n"
    return head + "".join(parts) + "  - id: done\n    message: {title: Thank you, text: Bye}\n"


def _page(number: int) -> str:
    return (
        f"  - id: s{number}\n    form:\n      title: {{en: Page {number}, pl: Strona {number}}}\n      schema:\n"
        "        type: object\n        required: [name, age, email]\n        properties:\n"
        "          name: {type: string, title: {en: Name, pl: Nazwa}}\n"
        "          email: {type: string, format: email, title: {en: E-mail, pl: E-mail}}\n"
        "          age: {type: integer, minimum: 0, title: {en: Age, pl: Wiek}}\n"
    )


def _step(number: int, page: int) -> str:
    kinds = {
        1: f'http: {{url: "https://registry.example/${{steps.s{page}.name}}", timeout: 5s}}',
        2: f'set: {{value: "${{steps.s{page}.age + {number}}}"}}',
        3: f'email: {{to: "${{steps.s{page}.email}}", subject: Hello, body: "Hi ${{steps.s{page}.name}}"}}',
        4: "wait: {for: 1h}",
    }
    return f"  - id: s{number}\n    {kinds[number % 5]}\n"
