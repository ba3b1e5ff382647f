"""Links, looks, definitions, integration and the first steps in the dashboard, as people use them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import re
import time
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
from playwright.async_api import Page, expect

from tests.acceptance.running import Dev, pushed, until
from tests.browser.browsing import Browse, accessible, fits
from tests.browser.furnished import settled
from tests.browser.signing_in import at_work

ASKING = """
name: flows-asking
title: {en: Asking, pl: Pytanie}
steps:
  - id: details
    form: {title: {en: Details, pl: Dane}, schema: {type: object, properties: {name: {type: string}}}}
"""
TRIED = """
name: flows-tried
title: Tried
parameters: {amount: {type: number, required: true}}
steps:
  - {id: large, when: parameters.amount > 500, fail: {code: TOO_MUCH, message: That is too much}}
  - {id: rest, event: {name: paid}}
  - {id: done, set: {ok: NUMBER}}
"""
REVIEWED = """
name: flows-reviewed
title: Fifty
steps: [{id: decide, review: {title: Do we take them?, outcomes: [approve, reject]}}]
"""
SCENARIOS = """
scenarios:
  - {name: Too much is refused, parameters: {amount: 900}, expect: {status: FAILED}}
  - {name: This one is wrong, parameters: {amount: 1}, expect: {status: COMPLETED}}
"""


async def started(api: httpx.Client, definition: str, parameters: Any = None) -> str:
    """A new execution's id."""
    body = {"workflowDefinitionId": definition, "parameters": parameters or {}}
    answer = await asyncio.to_thread(api.post, "/workflows/run", json=body)
    return str(answer.raise_for_status().json()["id"])


async def test_a_link_is_sent_by_keyboard_sent_again_and_withdrawn(browse: Browse, dev: Dev, api: httpx.Client) -> None:
    definition = await asyncio.to_thread(pushed, api, ASKING)
    page = await at_work(browse, dev, f"/app/links?definition={definition}")
    await page.get_by_role("button", name="Send a link").first.focus()
    await page.keyboard.press("Enter")
    dialogue = page.get_by_role("dialog")
    await expect(dialogue).to_be_visible()
    await accessible(page)
    await dialogue.get_by_role("combobox", name="What they are asked").click()
    await page.get_by_role("option", name="Asking").first.click()
    email = f"{uuid4().hex[:6]}@example.com"
    await dialogue.get_by_role("textbox", name="E-mail address").fill(email)
    await page.keyboard.press("Enter")
    row = page.get_by_role("row").filter(has_text=f"{email[0]}•••")
    await page.keyboard.press("Escape")
    await expect(row.get_by_text("Sent", exact=True)).to_be_visible()
    await row.get_by_role("button", name="Send again").click()
    await page.get_by_role("dialog").get_by_role("button", name="Send again").click()
    await expect(page.get_by_role("dialog").get_by_text("It is shown this once")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(row).to_have_count(1)
    fresh = page.get_by_role("row").filter(has_text="Not used").first
    await fresh.get_by_role("button", name="Withdraw").click()
    await page.get_by_role("dialog").get_by_role("button", name="Withdraw").click()
    await expect(page.get_by_role("row").filter(has_text="Not used")).to_have_count(0)


async def test_a_theme_is_edited_beside_the_page_that_it_makes_and_its_contrast_is_told(
    browse: Browse, dev: Dev, api: httpx.Client
) -> None:
    page = await at_work(browse, dev, "/app/links?tab=theme")
    preview = page.frame_locator("iframe")
    await expect(preview.get_by_role("heading", name="Open an account")).to_be_visible()
    text = page.get_by_role("textbox", name="Text", exact=True)
    before = await text.input_value()
    await text.fill("#eeeeee")
    await expect(page.get_by_text("Needs").or_(page.get_by_text("needs")).first).to_be_visible()
    await page.get_by_role("textbox", name="Name").fill("Harbour")
    await expect(preview.get_by_text("Harbour").first).to_be_visible()
    await page.get_by_text("Desktop", exact=True).click()
    await page.get_by_text("End", exact=True).click()
    await expect(preview.get_by_role("heading", name="Open an account")).to_be_hidden()
    await accessible(page)
    browse.watched(page).refusals_expected = True
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_role("alert").first).to_be_visible()
    await text.fill(before)
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_text("The pages look so from now on.").first).to_be_visible()
    assert (await asyncio.to_thread(api.get, "/theme")).json()["name"] == "Harbour"
    await page.get_by_role("textbox", name="Name").fill("")
    async with page.expect_response(lambda answer: answer.request.method == "PUT") as saved:
        await page.get_by_role("button", name="Save", exact=True).click()
    assert (await saved.value).ok, "without a name it is the workspace's"


async def test_the_first_run_shows_around_and_ends_with_a_link_to_oneself(browse: Browse, dev: Dev) -> None:
    page = await at_work(browse, dev, "/app")
    await settled(page)
    await page.get_by_role("button", name="Show me around").click()
    for _ in range(20):
        following = page.get_by_role("button", name=re.compile("^(Next|Done)"))
        if not await following.count():
            break
        await accessible(page)
        await following.click()
    await page.goto("/app")
    await page.get_by_role("button", name="Send one to myself").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await accessible(page)


async def test_scenarios_are_played_in_the_page_and_kept_while_one_looks_elsewhere(
    browse: Browse, dev: Dev, api: httpx.Client
) -> None:
    definition = await asyncio.to_thread(pushed, api, TRIED.replace("NUMBER", "1"))
    page = await at_work(browse, dev, f"/app/definitions/{definition}?tab=scenarios")
    play = page.get_by_role("button", name=re.compile("Play"))
    await expect(play).to_have_attribute("aria-disabled", "true")
    await page.get_by_role("textbox", name="Scenarios").fill(SCENARIOS)
    await play.click()
    results = page.get_by_role("status", name=re.compile("result", re.IGNORECASE))
    await expect(results.get_by_text("Too much is refused")).to_be_visible()
    await expect(results.get_by_text("This one is wrong")).to_be_visible()
    await accessible(page)
    await page.reload()
    await expect(page.get_by_role("textbox", name="Scenarios")).to_have_value(SCENARIOS)


async def test_changes_of_a_definition_are_told_by_step_and_its_executions_move_and_come_back(
    browse: Browse, dev: Dev, api: httpx.Client
) -> None:
    definition = await asyncio.to_thread(pushed, api, TRIED.replace("NUMBER", "1"))
    execution = await started(api, definition, {"amount": 1})
    newest = TRIED.replace("NUMBER", f'"{uuid4().hex[:6]}"')
    await asyncio.to_thread(pushed, api, newest)
    page = await at_work(browse, dev, f"/app/definitions/{definition}?tab=changes")
    await expect(page.get_by_text("Changed", exact=True).first).to_be_visible()
    await page.get_by_role("tab", name="Move executions").click()
    await page.get_by_role("button", name="Look what would happen").click()
    await page.get_by_role("button", name=re.compile("^Move ")).click()
    moved = page.get_by_role("button", name="Move back")
    await expect(moved.first).to_be_visible()
    await accessible(page)
    await moved.first.click()
    await expect(page.get_by_text(re.compile("Moved back|are back|is back|back by")).first).to_be_visible()
    assert (await asyncio.to_thread(until, api, execution, "AWAITING"))["status"] == "AWAITING"


async def test_events_come_by_themselves_and_are_held_still_while_they_are_read(
    browse: Browse, dev: Dev, api: httpx.Client
) -> None:
    definition = await asyncio.to_thread(pushed, api, TRIED.replace("NUMBER", "1"))
    page = await at_work(browse, dev, "/app/executions")
    async with page.expect_response(lambda answer: "/events" in answer.url):
        await page.goto("/app/webhooks?tab=events")
    # Who does not listen yet has no event told again.
    await expect(page.get_by_role("switch", name="Hold still")).to_be_visible()
    await started(api, definition, {"amount": 1})
    await expect(page.get_by_text("workflow.started").first).to_be_visible()
    await page.get_by_role("switch", name="Hold still").press("Space")
    there = await page.get_by_role("main").get_by_role("listitem").count()
    await started(api, definition, {"amount": 1})
    await expect(page.get_by_role("button", name=re.compile("[0-9]"))).to_be_visible()
    assert await page.get_by_role("main").get_by_role("listitem").count() == there
    await accessible(page)


async def test_a_signature_is_checked_without_sending_the_secret_anywhere(browse: Browse, dev: Dev) -> None:
    page = await at_work(browse, dev, "/app/webhooks?tab=signature")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.post_data or ""))
    key = base64.b64encode(b"a secret of thirty-two characters").decode()
    now, body = str(int(time.time())), '{"a": "ż"}'
    signed = hmac.new(base64.b64decode(key), f"msg_1.{now}.{body}".encode(), hashlib.sha256).digest()
    await page.get_by_label("The endpoint's secret").fill(f"whsec_{key}")
    await page.get_by_label("webhook-id").fill("msg_1")
    await page.get_by_label("webhook-timestamp").fill(now)
    await page.get_by_label("webhook-signature").fill(f"v1,{base64.b64encode(signed).decode()}")
    await page.get_by_label("Body").fill(body)
    await page.get_by_role("button", name="Check", exact=True).click()
    verdict = page.get_by_role("main").get_by_role("status").filter(has_text=re.compile("."))
    good = await verdict.last.inner_text()
    await accessible(page)
    await page.get_by_label("Body").fill(body + " ")
    await page.get_by_role("button", name="Check", exact=True).click()
    await expect(verdict.last).not_to_have_text(good)
    await expect(verdict.last.get_by_text("v1,")).to_be_visible()
    assert not any(key in text for text in asked)


async def test_who_still_calls_version_1_is_told_with_the_day(browse: Browse, dev: Dev) -> None:
    with dev.api(version=1) as former:
        await asyncio.to_thread(former.get, "/workflows")
        await asyncio.to_thread(former.get, "/cases")
    page = await at_work(browse, dev, "/app/webhooks?tab=version1")
    await expect(page.get_by_role("link", name="How to leave version 1")).to_be_visible()
    await fits(page)


async def test_ten_cases_in_a_row_are_decided_by_keyboard_alone(browse: Browse, dev: Dev, api: httpx.Client) -> None:
    definition = await asyncio.to_thread(pushed, api, REVIEWED)
    executions = [await started(api, definition) for _ in range(10)]
    page = await at_work(browse, dev, f"/app/reviews?definition={definition}")
    await expect(page.get_by_role("row").nth(10)).to_be_visible()
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    for place in range(10):
        await _decides(page, "a" if place % 2 == 0 else "r", last=place == 9)
    outcomes = []
    for execution in executions:
        await asyncio.to_thread(until, api, execution, "COMPLETED")
        steps = (await asyncio.to_thread(api.get, f"/workflows/{execution}/timeline")).json()["steps"]
        outcomes.append(steps[0]["output"]["outcome"])
    assert sorted(outcomes) == ["approve"] * 5 + ["reject"] * 5
    await expect(page).to_have_url(re.compile(r"/app/reviews\?definition="))


async def _decides(page: Page, key: str, *, last: bool) -> None:
    """Press a key on an open case, and wait for the next one."""
    await expect(page.get_by_role("button", name="Approve")).to_be_enabled()
    here = page.url
    await page.keyboard.press(key)
    await expect(page).not_to_have_url(here)
    if not last:
        # The address is there before the case is, and a key pressed in between is nobody's.
        execution = urlsplit(page.url).path.split("/")[3]
        await expect(page.locator(f"a[href*='/executions/{execution}']").first).to_be_visible()
        await expect(page.get_by_role("heading", name="Do we take them?")).to_be_visible()


async def test_a_key_has_an_end_networks_and_a_version(browse: Browse, dev: Dev, api: httpx.Client) -> None:
    name = f"fields {uuid4().hex[:6]}"
    page = await at_work(browse, dev, "/app/settings/keys")
    await page.get_by_role("button", name="New key").click()
    await page.get_by_label("Name", exact=True).fill(name)
    dialogue = page.get_by_role("dialog")
    await dialogue.get_by_role("combobox", name="Expires").click()
    await page.get_by_role("option", name="After 30 days").click()
    await dialogue.get_by_placeholder("192.0.2.0/24").fill("192.0.2.0/24")
    await page.keyboard.press("Enter")
    await page.get_by_role("checkbox", name="can_view_workspace").check()
    await accessible(page)
    await page.get_by_role("button", name="Make key").click()
    await page.get_by_role("button", name="I have copied both").click()
    await expect(page.locator("tbody tr").filter(has_text=name)).to_contain_text("1 permission")
    keys = (await asyncio.to_thread(api.get, "/keys")).json()["data"]
    made = next(key for key in keys if key["name"] == name)
    assert made["networks"] == ["192.0.2.0/24"]
    assert made["apiVersion"] == 2
    assert made["expiresAt"] is not None
