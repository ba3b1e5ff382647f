"""`make screenshots`, of the dashboard: what the guides for operators, reviewers and administrators show."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from random import Random
from typing import Any, Final

import httpx
from playwright.async_api import Page, ViewportSize, async_playwright, expect

from tests.acceptance.running import Dev, pushed, start_dev
from tests.browser.browsing import ARGUMENTS, chromium_path
from tests.browser.screenshots import DESK, IMAGES, Studio, compose, sheet, shot

WIDTH: Final = 1236
WIDE_DESK: Final[ViewportSize] = {"width": 1500, "height": 820}
"""The builder has three panes beside one another."""
STATUSES: Final = {"new": "New", "checking": "Checking", "approved": "Approved", "rejected": "Rejected"}
FIELDS: Final[list[dict[str, Any]]] = [
    {"name": "name", "type": "text", "title": "Name", "required": True, "indexed": True},
    {"name": "number", "type": "text", "title": "Register number", "unique": True},
    {"name": "status", "type": "singleSelect", "title": "Status", "indexed": True,
     "options": [{"value": value, "title": title} for value, title in STATUSES.items()]},
    {"name": "turnover", "type": "number", "title": "Turnover", "indexed": True},
    {"name": "employees", "type": "integer", "title": "Employees"},
    {"name": "founded", "type": "date", "title": "Founded"},
    {"name": "email", "type": "email", "title": "E-mail"},
]  # fmt: skip
WORDS: Final = [
    "Northwind",
    "Baltic",
    "Vistula",
    "Amber",
    "Harbour",
    "Copper",
    "Meadow",
    "Lantern",
    "Granite",
    "Willow",
    "Falcon",
    "Orchard",
]
PASTED: Final = (
    "Amber Willow Ltd\t0000900001\tapproved\t1 250 000,50\t48\nHarbour Lantern S.A.\t0000900002\twaiting\tmany\t12"
)


async def take(studio: Studio, folder: Path, kind: str) -> None:
    """Every picture of the dashboard."""
    with studio.dev.api() as api:
        companies(api)
    async with studio.page(DESK) as page:
        await sign_in(page, studio.dev, "/app/records/companies")
        await expect(page.get_by_role("gridcell").first).not_to_be_empty()
        await picture(studio, page, "The grid of a table", "records-grid", folder, kind)
        await page.locator("[data-row='0'] [data-column='1']").click()
        await page.evaluate(
            "text => { const data = new DataTransfer(); data.setData('text/plain', text); document.activeElement"
            ".dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true})); }",
            PASTED,
        )
        await expect(page.get_by_text("The field has no such option")).to_be_visible()
        await picture(studio, page, "A pasted block, before it changes anything", "records-paste", folder, kind)
        await page.goto("/app/records/companies?kind=board")
        await expect(page.get_by_role("region", name="New").get_by_role("group").first).to_be_visible()
        await picture(studio, page, "The same records by status", "records-board", folder, kind)
    await administration(studio, folder, kind)


async def administration(studio: Studio, folder: Path, kind: str) -> None:
    """Every picture of the guide for administrators."""
    with studio.dev.api() as api:
        people(api)
        clerks(api, studio.dev.demo["workspaceId"])
    async with studio.page(DESK) as page:
        await sign_in(page, studio.dev, "/app/settings/members?search=nowak")
        await expect(page.locator("tbody tr").first).to_be_visible()
        await picture(studio, page, "Members, found by a word", "admin-members", folder, kind)
        await page.goto("/app/settings/roles")
        await expect(page.get_by_text("Only: companies").first).to_be_attached()
        await page.get_by_role("heading", name="What each role allows").scroll_into_view_if_needed()
        await page.mouse.wheel(0, 500)
        await picture(studio, page, "What each role allows", "admin-roles", folder, kind)
        await page.goto("/app/settings/roles/clerk")
        await page.get_by_role("heading", name="On some things only").scroll_into_view_if_needed()
        await page.mouse.wheel(0, 2000)
        await picture(studio, page, "A permission on one table", "admin-role", folder, kind)
        await page.goto("/app/settings/erasure?search=Amber")
        await page.get_by_role("checkbox").first.check()
        await expect(page.get_by_text("Would be erased:")).to_be_visible()
        await picture(studio, page, "What would be erased", "admin-erasure", folder, kind)
        await page.goto("/app/settings/api?call=listTables")
        await page.get_by_role("button", name="Send GET").click()
        await expect(page.get_by_role("group", name="Answer")).to_be_visible()
        await picture(studio, page, "A call, made with one's own session", "admin-api", folder, kind)
        await page.goto("/app/settings/health")
        await expect(page.get_by_text("Everything works.")).to_be_visible()
        await picture(studio, page, "How the installation stands", "admin-health", folder, kind)


def people(api: httpx.Client) -> None:
    """Invented users of the organization."""
    schema = "urn:ietf:params:scim:schemas:core:2.0:User"
    for first in ("Anna", "Ewa", "Jan", "Marek", "Zofia"):
        for last in ("Nowak", "Kowalska", "Wolska"):
            name = {"givenName": first, "familyName": last}
            body = {
                "schemas": [schema],
                "userName": f"{first}.{last}@example.com".lower(),
                "name": name,
                "active": True,
            }
            api.post("/scim/v2/Users", json=body).raise_for_status()


def clerks(api: httpx.Client, workspace_id: str) -> None:
    """A role with a permission on some records of one table."""
    grant = {"permissions": ["can_read_data", "can_comment"], "table": "companies", "where": 'record.status == "new"'}
    body = {
        "name": "clerk",
        "description": "Answers the desk.",
        "permissions": ["can_view_workspace"],
        "grants": [grant],
    }
    api.post(f"/workspaces/{workspace_id}/roles", json=body).raise_for_status()


ACCOUNT: Final = """
name: account
title: {en: An account for a company}
parameters:
  company: {type: string, required: true}
  person: {type: string, required: true}
  iban: {type: string, required: true}
  monthly: {type: number}
steps:
  - id: account
    check: {name: iban, with: {value: "${parameters.iban}"}}
  - id: decide
    review:
      title: {en: Do we open this account?}
      outcomes: [approve, reject]
      fourEyes: true
      within: 2d
"""
ACCOUNTS: Final = (
    ("Baltic Amber sp. z o.o.", "Ewa Lis", "PL61109010140000071219812874", 42_000),
    ("Vistula Copper S.A.", "Jan Dudek", "PL27114020040000300201355387", 900_000),
    ("Willow Lantern GmbH", "Mia Vogel", "DE89370400440532013000", 12_500),
)


RUNS: Final = """
name: card
title: {en: A payment card}
parameters:
  holder: {type: string, required: true}
  iban: {type: string, required: true}
steps:
  - id: account
    title: {en: The account}
    check: {name: iban, with: {value: "${parameters.iban}"}}
  - id: refuse
    title: {en: Not without an account}
    when: "!steps.account.passed"
    fail: {code: ACCOUNT_WRONG, message: The number of the account is wrong}
  - id: made
    title: {en: The card is made}
    event: {name: card-made}
"""
HOLDERS: Final = (
    ("Ewa Lis", "PL61109010140000071219812874"),
    ("Jan Dudek", "PL00000000000000000000000000"),
    ("Mia Vogel", "DE89370400440532013000"),
    ("Ada Nowak", "DE00000000000000000000"),
)


async def take_operations(studio: Studio, folder: Path, kind: str) -> None:
    """The day of an operator: what fails and waits, the executions, and one of them."""
    with studio.dev.api() as api:
        definition = pushed(api, RUNS)
        for holder, iban in HOLDERS:
            body = {"workflowDefinitionId": definition, "parameters": {"holder": holder, "iban": iban}}
            one = api.post("/workflows/run", json=body).raise_for_status().json()["id"]
        asked = studio.dev.demo["definitions"]["customer-onboarding"]
        for email in ("ewa.lis@example.com", "jan.dudek@example.com"):
            api.post("/link/send", json={"workflowDefinitionId": asked, "email": email}).raise_for_status()
    async with studio.page(DESK) as page:
        await sign_in(page, studio.dev, "/app")
        await page.get_by_role("button", name="Not now").click()
        await expect(page.get_by_text("ACCOUNT_WRONG").first).to_be_visible()
        await page.mouse.move(0, 0)
        await picture(studio, page, "Today", "operator-today", folder, kind)
        await page.goto("/app/executions")
        await expect(page.get_by_role("row").nth(4)).to_be_visible()
        await picture(studio, page, "Executions", "operator-executions", folder, kind)
        await page.goto(f"/app/executions/{one}")
        await expect(page.get_by_role("button", name="The account: done")).to_be_visible()
        await picture(studio, page, "One execution", "operator-execution", folder, kind)


async def take_reviews(studio: Studio, folder: Path, kind: str) -> None:
    """The queue, and a case."""
    with studio.dev.api() as api:
        definition = pushed(api, ACCOUNT)
        for company, person, iban, monthly in ACCOUNTS:
            parameters = {"company": company, "person": person, "iban": iban, "monthly": monthly}
            body = {"workflowDefinitionId": definition, "parameters": parameters}
            case = api.post("/workflows/run", json=body).raise_for_status().json()["id"]
        api.post(
            f"/workflows/{case}/comments", json={"text": "The register extract came by mail; it is in the record."}
        )
    async with studio.page(DESK) as page:
        await sign_in(page, studio.dev, "/app/reviews")
        await expect(page.get_by_role("row").nth(3)).to_be_visible()
        await picture(studio, page, "What waits, the oldest first", "reviews", folder, kind)
        await page.goto(f"/app/reviews/{case}/decide")
        await expect(page.get_by_text("The register extract")).to_be_visible()
        await picture(studio, page, "A case on one screen", "review", folder, kind)


async def take_builder(studio: Studio, folder: Path, kind: str) -> None:
    """A definition as it is drawn, filled in and written."""
    with studio.dev.api() as api:
        definition = pushed(api, ACCOUNT)
    async with studio.page(WIDE_DESK) as page:
        await sign_in(page, studio.dev, f"/app/definitions/{definition}/edit")
        await page.get_by_role("button", name="Do we open this account? Review").click()
        await expect(page.get_by_text("No problems")).to_be_visible()
        await picture(studio, page, "One definition: drawn, filled in, written", "builder", folder, kind)


async def picture(studio: Studio, page: Page, title: str, name: str, folder: Path, kind: str) -> None:
    """Write what the page shows."""
    html = sheet([await shot(page, title)], dark=False, columns=1, width=WIDTH)
    await compose(studio, html, name, WIDTH, folder, kind)


async def sign_in(page: Page, dev: Dev, path: str) -> None:
    """Sign in as the demo's owner."""
    await page.goto(f"/sign-in?next={path}")
    await page.locator("input[type=email]").fill(dev.demo["user"]["email"])
    await page.locator("input[type=password]").fill(dev.demo["user"]["password"])
    await page.keyboard.press("Enter")
    await page.wait_for_url(lambda address: "/sign-in" not in address.partition("?")[0])


def companies(api: httpx.Client) -> None:
    """A table of invented companies."""
    title = {"en": "Companies", "pl": "Firmy"}
    api.post("/tables", json={"name": "companies", "title": title, "fields": FIELDS}).raise_for_status()
    random = Random(1)
    changes = [
        {
            "values": {
                "name": f"{random.choice(WORDS)} {random.choice(WORDS)} {random.choice(['Ltd', 'S.A.', 'GmbH', 'sp. z o.o.'])}",
                "number": f"{number:010d}",
                "status": random.choice(list(STATUSES)),
                "turnover": round(random.random() * 1e7, 2),
                "employees": random.randint(1, 5000),
                "founded": f"{random.randint(1970, 2025)}-{random.randint(1, 12):02d}-{random.randint(1, 28):02d}",
                "email": f"office{number}@example.com",
            }
        }
        for number in range(400)
    ]
    api.post("/tables/companies/records/changes", json={"changes": changes}).raise_for_status()


async def main(folder: Path, kind: str) -> None:
    """Start Passerelle and take the pictures."""
    with tempfile.TemporaryDirectory() as data:
        dev = await asyncio.to_thread(start_dev, Path(data) / "data")
        try:
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
                studio = Studio(browser, dev, "")
                await take(studio, folder, kind)
                await take_reviews(studio, folder, kind)
                await take_operations(studio, folder, kind)
                await take_builder(studio, folder, kind)
                await browser.close()
        finally:
            await asyncio.to_thread(dev.stop)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES, sys.argv[2] if len(sys.argv) > 2 else "webp"))
