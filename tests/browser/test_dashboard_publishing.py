"""Publishing by two persons, the audit and the evidence of consents in the dashboard."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest
from playwright.async_api import expect

from tests.acceptance.running import Dev, start_dev
from tests.browser.browsing import Browse, accessible
from tests.browser.signing_in import at_work

FIRST = "name: {name}\nsteps:\n  - id: keep\n    set: {{said: one}}\n  - id: last\n    wait: {{for: 30d}}\n"
NEXT = FIRST.replace("  - id: last", "  - id: extra\n    set: {{more: two}}\n  - id: last")


def _push(dev: Dev, text: str) -> httpx.Response:
    with dev.api() as api:
        answer = api.post("/definitions", content=text.encode(), headers={"Content-Type": "text/yaml"})
        answer.raise_for_status()
        return answer


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    """A Passerelle of this file's own: how many persons publish would hold for every other test."""
    folder = tmp_path_factory.mktemp("published")
    running = start_dev(folder / "data", log=folder / "log")
    yield running
    running.stop()


@pytest.fixture
def by_two(api: httpx.Client) -> None:
    """The demo wants two persons."""
    api.put("/publishing", json={"secondPerson": True}).raise_for_status()


async def test_the_owner_says_how_many_persons_publish(browse: Browse, dev: Dev) -> None:
    page = await at_work(browse, dev, "/app/settings/publishing")
    await page.get_by_role("radio", name="Two").click()  # it moves once the server is asked
    await expect(page.get_by_text("Publishing takes two persons now.")).to_be_visible()
    await accessible(page)
    await page.get_by_role("radio", name="As the installation says").click()  # it moves once that is confirmed
    dialog = page.get_by_role("dialog", name="Let one person publish alone?")
    await dialog.get_by_role("button", name="Let one person publish").click()
    await expect(page.get_by_text("One person publishes alone now.")).to_be_visible()


async def test_what_a_build_proposes_is_looked_at_by_step_and_approved(browse: Browse, dev: Dev, by_two: None) -> None:
    name = f"two-{uuid4().hex[:6]}"
    first = (await asyncio.to_thread(_push, dev, FIRST.format(name=name))).json()
    page = await at_work(browse, dev, f"/app/definitions/{first['id']}")
    await page.get_by_role("button", name="Look and decide").click()
    dialog = page.get_by_role("dialog", name=f"Publish {name}, revision 1?")
    await dialog.get_by_role("button", name="Approve and publish").click()
    await expect(page.get_by_text("Published by two.")).to_be_visible()
    await expect(page.get_by_text("Published by demo token and")).to_be_visible()

    with dev.api() as api:
        api.post("/workflows", json={"workflowDefinitionId": first["id"], "parameters": {}}).raise_for_status()
    second = (await asyncio.to_thread(_push, dev, NEXT.format(name=name))).json()
    await page.goto(f"/app/definitions/{first['id']}?proposal={second['proposal']}")
    dialog = page.get_by_role("dialog", name=f"Publish {name}, revision 2?")
    await expect(dialog.get_by_text("extra", exact=True).first).to_be_visible()
    await expect(dialog.get_by_text("1 can move")).to_be_visible()
    await accessible(page)
    await dialog.get_by_label("Comment").fill("not yet")
    await dialog.get_by_role("button", name="Decline").click()
    await expect(page.get_by_text("Declined.")).to_be_visible()
    await expect(page.get_by_role("button", name="Look and decide")).to_have_count(0)


async def test_nobody_approves_what_they_proposed_and_who_proposed_withdraws(
    browse: Browse, dev: Dev, by_two: None
) -> None:
    name = f"own-{uuid4().hex[:6]}"
    pushed = (await asyncio.to_thread(_push, dev, FIRST.format(name=name))).json()
    page = await at_work(browse, dev, f"/app/definitions/{pushed['id']}")
    await page.get_by_role("button", name="Look and decide").click()
    await page.get_by_role("dialog").get_by_role("button", name="Decline").click()
    await page.get_by_role("button", name="Propose").click()
    await page.get_by_role("dialog").get_by_role("button", name="Propose").click()
    await page.get_by_role("button", name="Look at it").click()
    dialog = page.get_by_role("dialog", name=f"Publish {name}, revision 1?")
    approve = dialog.get_by_role("button", name="Approve and publish")
    await expect(approve).to_have_attribute("aria-disabled", "true")
    await expect(approve).to_have_accessible_description(
        "You proposed this, in person or with a key of yours: somebody else has to decide it"
    )
    await dialog.get_by_role("button", name="Withdraw").click()
    await expect(page.get_by_text("Withdrawn.")).to_be_visible()


async def test_the_audit_is_narrowed_by_its_address_read_and_verified(browse: Browse, dev: Dev) -> None:
    with dev.api() as api:
        made = api.post("/keys", json={"name": "audited", "permissions": ["can_run"]}).json()
        api.delete(f"/keys/{made['id']}").raise_for_status()
    page = await at_work(browse, dev, f"/app/settings/audit?object={made['id']}")
    rows = page.locator("tbody tr")
    await expect(rows).to_have_count(2)  # made, and revoked
    await page.get_by_role("link", name="revokeKey").click()
    entry = page.locator("section").filter(has=page.get_by_role("heading", name="revokeKey"))
    await expect(entry.get_by_text("revoked").first).to_be_visible()
    await accessible(page)
    await page.get_by_role("link", name="Only what they did").click()
    assert "actor=" in page.url
    await page.get_by_role("button", name="Verify").click()
    await expect(page.get_by_text("as they were written")).to_be_visible()
    async with page.expect_download() as waiting:
        await page.get_by_role("link", name="Export as JSON lines").click()
    download = await waiting.value
    assert download.suggested_filename.endswith(".jsonl")
    await page.get_by_role("textbox", name="Action", exact=True).fill("nothing")
    await expect(page.get_by_text("No entry fits")).to_be_visible()
    assert "action=nothing" in page.url
