"""`make screenshots`, of the templates: each one's first page, as a phone shows it, beside its text in the package."""

from __future__ import annotations

import asyncio
import io
import tempfile
from pathlib import Path
from typing import Any, Final

import httpx
from PIL import Image
from playwright.async_api import ViewportSize, async_playwright

from passerelle.templates.library import Onboarding, templates
from tests.acceptance.running import Dev, pushed, start_dev
from tests.browser.browsing import ARGUMENTS, chromium_path
from tests.browser.screenshots import Studio

PHONE: Final[ViewportSize] = {"width": 390, "height": 560}
WIDTH: Final = 360
QUALITY: Final = 62
STARTED_WITH: Final[dict[str, dict[str, Any]]] = {
    "new-employee": {"firstName": "Ewa", "lastName": "Nowak", "email": "ewa@example.com", "position": "Welder", "startsOn": "2030-04-01"},
}  # fmt: skip


def used(api: httpx.Client, one: Onboarding) -> str:
    """Make the template's tables and push its definition; the definition's id."""
    for table in one.tables:
        body = table.body.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        if api.get(f"/tables/{table.body.name}").status_code == 404:
            api.post("/tables", json=body).raise_for_status()
    return pushed(api, one.definition)


def link(api: httpx.Client, one: Onboarding) -> str:
    """A link to a new execution of it, for a new record where it is about one."""
    body: dict[str, Any] = {"workflowDefinitionId": used(api, one), "parameters": STARTED_WITH.get(one.name, {})}
    if "create: true" not in one.definition:
        record = {"number": one.name, "firstName": "Ewa", "lastName": "Nowak", "email": "ewa@example.com"}
        made = api.post("/tables/accounts/records", json={**record, "documentValidUntil": "2040-01-01"})
        body["recordId"] = made.raise_for_status().json()["id"]
    return str(api.post("/link", json=body).raise_for_status().json()["link"])


async def take(studio: Studio) -> None:
    """Every template's picture."""
    for one in templates():
        with studio.dev.api() as api:
            address = link(api, one)
        async with studio.page(PHONE) as page:
            await page.goto(address)
            await page.get_by_role("button", name="Start").click()
            await page.locator("main form h1, main h1").first.wait_for()
            await page.wait_for_load_state("networkidle")
            await page.evaluate("scrollTo(0, 0)")
            write(await page.screenshot(), one.picture)
        print(f"{one.picture}  {one.picture.stat().st_size:,} bytes", flush=True)


def write(png: bytes, path: Path) -> None:
    """A screenshot as the small picture that a card shows."""
    with Image.open(io.BytesIO(png)) as picture:
        height = picture.height * WIDTH // picture.width
        picture.convert("RGB").resize((WIDTH, height), Image.Resampling.LANCZOS).save(path, quality=QUALITY, method=6)


async def main() -> None:
    """Start Passerelle and take the pictures."""
    with tempfile.TemporaryDirectory() as data:
        dev: Dev = await asyncio.to_thread(start_dev, Path(data) / "data")
        try:
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
                await take(Studio(browser, dev, ""))
                await browser.close()
        finally:
            await asyncio.to_thread(dev.stop)


if __name__ == "__main__":
    asyncio.run(main())
