"""Every page of the dashboard as a small picture: light, dark and on a phone, compared with those that were kept.

`python -m tests.browser.looks` takes them into build/looks and says which differ from the newest folder beside this
file; `… keep` makes them that folder, named after the day. A difference is no fault: somebody looks at it.
"""

from __future__ import annotations

import asyncio
import io
import re
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from PIL import Image, ImageChops, ImageStat
from playwright.async_api import Browser, ViewportSize, async_playwright

from tests.acceptance.running import Dev, start_dev
from tests.browser.browsing import ARGUMENTS, DESKTOP, PHONE, Browse, chromium_path
from tests.browser.furnished import PLACES, furnish, settled
from tests.browser.signing_in import at_work

KEPT: Final = Path(__file__).parent / "looks"
TAKEN: Final = Path("build") / "looks"
LOOKS: Final[dict[str, tuple[ViewportSize, bool]]] = {
    "light": (DESKTOP, False),
    "dark": (DESKTOP, True),
    "phone": (PHONE, False),
}
WIDTH: Final = {"light": 960, "dark": 960, "phone": 390}
"""Pixels of a picture that is kept: enough to see a layout."""
HIGHEST: Final = 6000
"""Pixels of a page from its top: what stands below looks as what is above, and no WebP is as high as some pages."""
DIFFERENT: Final = 2.0
"""Of 255, on average over all pixels: more than other times and ids make."""


async def take(browser: Browser, dev: Dev, into: Path) -> None:
    """Every page in every look, as `NAME-LOOK.webp`."""
    things = await asyncio.to_thread(furnish, dev, "Harbour loans", name="harbour-loans")
    browse = Browse(browser, dev.demo["baseUrl"])
    session = await (await at_work(browse, dev, "/app/signed-in")).context.storage_state()
    for look, (viewport, dark) in LOOKS.items():
        page = await browse.open(viewport, dark=dark, storage_state=session)
        for template in (one for addresses in PLACES.values() for one in addresses):
            await page.goto(things.address(template))
            await settled(page)
            await page.wait_for_load_state("networkidle")
            picture = Image.open(io.BytesIO(await page.screenshot(full_page=True)))
            sheet = picture.crop((0, 0, picture.width, min(picture.height, HIGHEST)))
            scale = WIDTH[look] / sheet.width
            small = sheet.convert("RGB").resize((WIDTH[look], round(sheet.height * scale)))
            small.save(into / f"{named(template)}-{look}.webp", quality=60, method=6)


def named(template: str) -> str:
    """The file of a place."""
    return re.sub(r"[^a-z0-9]+", "-", re.sub(r"\{(\w+)\}", r"\1", template).lower()).strip("-") or "today"


def differences(before: Path, now: Path) -> list[str]:
    """What looks otherwise than it did, and what was not there before or is no longer."""
    names = {one.name for folder in (before, now) for one in folder.glob("*.webp")}
    return [told for name in sorted(names) if (told := _difference(before / name, now / name))]


def _difference(before: Path, now: Path) -> str | None:
    if not before.exists() or not now.exists():
        return f"{now.name}: {'new' if now.exists() else 'gone'}"
    old, new = Image.open(before).convert("RGB"), Image.open(now).convert("RGB")
    height = max(old.height, new.height)
    sheets = [Image.new("RGB", (new.width, height)) for _ in range(2)]
    sheets[0].paste(old)
    sheets[1].paste(new)
    mean = sum(ImageStat.Stat(ImageChops.difference(*sheets)).mean) / 3
    return f"{now.name}: differs by {mean:.1f}" if mean > DIFFERENT else None


async def main(keep: bool) -> None:
    """Take the pictures; compare or keep them."""
    into = KEPT / f"{datetime.now(UTC):%Y-%m-%d}" if keep else TAKEN
    into.mkdir(parents=True, exist_ok=True)
    for old in into.glob("*.webp"):
        old.unlink()
    with tempfile.TemporaryDirectory() as data:
        dev = await asyncio.to_thread(start_dev, Path(data) / "data")
        try:
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
                await take(browser, dev, into)
                await browser.close()
        finally:
            await asyncio.to_thread(dev.stop)
    kept = sorted(KEPT.glob("????-??-??"))
    if keep:
        for former in kept:
            if former != into:
                for one in former.glob("*"):
                    one.unlink()
                former.rmdir()
    elif kept:
        print(*differences(kept[-1], into) or ["nothing looks otherwise than on " + kept[-1].name], sep="\n")


if __name__ == "__main__":
    asyncio.run(main(keep=sys.argv[1:] == ["keep"]))
