"""Executions in the dashboard: found, looked at, acted on, by mouse and by keyboard alone."""

from __future__ import annotations

import re

import httpx
from playwright.async_api import expect

from tests.acceptance.running import Dev, pushed, until
from tests.browser.browsing import Browse, accessible, fits
from tests.browser.dashboard import signed_in

LIMITS = """
name: dashboard-limits
title: {en: Account limits, pl: Limity konta}
parameters: {amount: {type: number, required: true}, name: {type: string, required: true}}
steps:
  - id: large
    when: parameters.amount > 500
    fail: {code: TOO_MUCH, message: That is too much}
  - id: greet
    title: {en: Prepare the case, pl: Przygotuj sprawę}
    set: {text: "Hello ${parameters.name}"}
  - id: rest
    event: {name: bank-confirmed}
  - id: done
    set: {done: true}
"""
EVIL = "<img src=x onerror=window.evil=1>"


def started(api: httpx.Client, amount: int, name: str = EVIL) -> str:
    body = {"workflowDefinitionId": pushed(api, LIMITS), "parameters": {"amount": amount, "name": name}}
    return str(api.post("/workflows/run", json=body).raise_for_status().json()["id"])


def confirmed(api: httpx.Client) -> str:
    """One that has come to its end."""
    execution = started(api, 50)
    api.post(f"/workflows/{execution}/events/bank-confirmed", json={}).raise_for_status()
    until(api, execution, "COMPLETED")
    return execution


async def test_filters_stand_in_the_address_and_come_back_with_it(browse: Browse, dev: Dev, api: httpx.Client) -> None:
    started(api, 1000)
    page = await signed_in(browse, dev, "/app/executions")
    await page.get_by_role("combobox", name="Status").click()
    await page.get_by_role("option", name="Failed").click()
    await page.get_by_role("textbox", name="Error code").fill("TOO_MUCH")
    await expect(page).to_have_url(re.compile(r"status=FAILED.*error=TOO_MUCH"))
    await expect(page.get_by_role("textbox", name="Error code")).to_be_focused()
    await page.get_by_role("textbox", name="Step").fill("large")
    await expect(page).to_have_url(re.compile(r"step=large"))
    await page.reload()
    await expect(page.get_by_role("textbox", name="Error code")).to_have_value("TOO_MUCH")
    await expect(page.get_by_role("row").filter(has_text="That is too much").first).to_be_visible()
    await expect(page.get_by_role("row").filter(has_text="Completed")).to_have_count(0)


async def test_by_keyboard_alone_from_the_list_to_a_cancelled_execution(
    browse: Browse, dev: Dev, api: httpx.Client
) -> None:
    execution = started(api, 50)
    page = await signed_in(browse, dev, "/app/executions?waiting=event")
    await expect(page.get_by_role("row").nth(1)).to_be_visible()
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(execution))
    await page.get_by_role("button", name="Cancel").focus()
    await page.keyboard.press("Enter")
    await page.get_by_role("textbox", name="Why").type("entered twice")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("main").get_by_text("Cancelled", exact=True)).to_be_visible()
    assert until(api, execution, "CANCELLED")["status"] == "CANCELLED"
    await expect(page.get_by_role("button", name="Retry")).to_have_attribute("aria-disabled", "true")


async def test_an_event_is_sent_and_the_page_shows_by_itself_what_came_of_it(
    browse: Browse, dev: Dev, api: httpx.Client
) -> None:
    execution = started(api, 50)
    page = await signed_in(browse, dev, f"/app/executions/{execution}")
    await page.get_by_role("button", name="Send event bank-confirmed").click()
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.get_by_role("main").get_by_text("Completed", exact=True)).to_be_visible()
    await page.get_by_role("button", name=re.compile("greet set")).click()
    await expect(page).to_have_url(re.compile("step=greet"))
    await expect(page.get_by_text(f"Hello {EVIL}").first).to_be_visible()
    assert await page.evaluate("window.evil") is None


async def test_new_rows_are_announced_and_nothing_moves(browse: Browse, dev: Dev, api: httpx.Client) -> None:
    started(api, 50)
    page = await signed_in(browse, dev, "/app/executions")
    rows = page.get_by_role("row")
    await expect(rows.nth(1)).to_be_visible()
    before = await rows.all_inner_texts()
    async with page.expect_response(lambda answer: "/events" in answer.url):
        await page.reload()
    await expect(rows.nth(1)).to_be_visible()
    before = await rows.all_inner_texts()
    started(api, 50)
    news = page.get_by_role("button", name=re.compile("new"))
    await expect(news).to_be_visible()
    assert len(await rows.all_inner_texts()) == len(before)
    await news.click()
    await expect(news).to_be_hidden()
    # The head, and at most the fifty rows of a page.
    await expect(rows).to_have_count(min(len(before) + 1, 51))


async def test_it_speaks_polish(browse: Browse, dev: Dev, api: httpx.Client) -> None:
    started(api, 50)
    page = await signed_in(browse, dev, "/app/executions", locale="pl")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Przebiegi")
    assert await page.evaluate("document.documentElement.lang") == "pl"
    await accessible(page)


async def test_many_are_retried_by_keyboard_after_a_preview_with_a_report(
    browse: Browse, dev: Dev, api: httpx.Client
) -> None:
    started(api, 1000), started(api, 1000)
    page = await signed_in(browse, dev, "/app/executions?status=FAILED&error=TOO_MUCH")
    await expect(page.get_by_role("row").nth(2)).to_be_visible()
    await page.keyboard.press("j")
    await page.keyboard.press("x")
    await page.keyboard.press("j")
    await page.keyboard.press("x")
    region = page.get_by_role("region", name="Chosen executions")
    await expect(region.get_by_text("2 chosen")).to_be_visible()
    await accessible(page)
    await region.get_by_role("button", name="Retry").focus()
    await page.keyboard.press("Enter")
    dialogue = page.get_by_role("dialog", name="Retry executions")
    await expect(dialogue.get_by_text("goes on with large")).to_be_visible()
    await accessible(page)
    await dialogue.get_by_role("button", name="Retry 2").click()
    await expect(dialogue.get_by_text("This has happened:")).to_be_visible()
    async with page.expect_download() as report:
        await dialogue.get_by_role("link", name="Report").click()
    lines = (await (await report.value).path()).read_text().splitlines()
    assert lines[0].startswith("execution,definition,outcome")
    assert len(lines) == 3


async def test_filters_are_saved_under_a_name_and_come_back(browse: Browse, dev: Dev, api: httpx.Client) -> None:
    started(api, 50)
    page = await signed_in(browse, dev, "/app/executions?waiting=event")
    await page.get_by_role("button", name="Saved filters").click()
    await page.get_by_role("menuitem", name="Save these filters").click()
    await page.get_by_role("textbox", name="Name").fill(f"Bank {EVIL}")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Bank")).to_be_visible()
    await page.goto("/app/executions")
    await page.get_by_role("button", name="Saved filters").click()
    await accessible(page)
    await page.get_by_role("menuitem", name="Bank").click()
    await expect(page).to_have_url(re.compile("waiting=event"))
    assert await page.evaluate("window.evil") is None


async def test_a_failed_one_goes_on_from_a_chosen_step_and_is_compared_with_another(
    browse: Browse, dev: Dev, api: httpx.Client
) -> None:
    started(api, 50, "Anna")
    failed = started(api, 1000, "Ben")
    page = await signed_in(browse, dev, f"/app/executions/{failed}?step=large")
    await page.get_by_role("button", name="Retry from here").click()
    await page.get_by_role("dialog").get_by_role("button", name="Retry").click()
    await expect(page.get_by_text("visit 2")).to_be_visible()
    await page.get_by_role("link", name="Compare").click()
    await expect(page.get_by_role("heading", name="Two executions compared")).to_be_visible()
    row = page.get_by_role("row").filter(has_text="name")
    await expect(row.get_by_text("Anna")).to_be_visible()
    await expect(row.get_by_text("Ben")).to_be_visible()
    await fits(page)
    await accessible(page)


async def test_executions_are_moved_to_another_revision_and_back(browse: Browse, dev: Dev, api: httpx.Client) -> None:
    execution = started(api, 50, "Mover")
    pushed(api, LIMITS.replace("set: {done: true}", "set: {done: 2}"))
    page = await signed_in(browse, dev, "/app/executions?waiting=event")
    await page.get_by_role("checkbox", name="Choose this row").first.check()
    await page.get_by_role("button", name="Move to a revision").click()
    dialogue = page.get_by_role("dialog", name="Move executions")
    await dialogue.get_by_role("combobox", name="To revision").click()
    await page.get_by_role("option").first.click()
    await expect(dialogue.get_by_text("1 can move")).to_be_visible()
    await accessible(page)
    await dialogue.get_by_role("button", name="Move 1").click()
    await page.get_by_role("button", name="Undo").click()
    assert until(api, execution, "AWAITING")
    pushed(api, LIMITS)


async def test_many_are_cancelled_by_the_server_after_it_said_what_would_come_of_it(
    browse: Browse, dev: Dev, api: httpx.Client
) -> None:
    waiting = [started(api, 50) for _ in range(3)]
    ended = confirmed(api)
    definition = pushed(api, LIMITS)
    page = await signed_in(browse, dev, f"/app/executions?definition={definition}&status=AWAITING")
    await page.get_by_role("checkbox").first.check()
    chosen = page.get_by_role("region", name="Chosen executions")
    await chosen.get_by_role("button", name="Cancel").click()
    dialogue = page.get_by_role("dialog", name="Cancel executions")
    await expect(dialogue.get_by_text("Will be done")).to_be_visible()
    await accessible(page)
    await dialogue.get_by_role("textbox", name="Why").fill("entered by mistake")
    await dialogue.get_by_role("button", name=re.compile(r"^Cancel \d+")).click()
    await expect(dialogue.get_by_text("This has happened:")).to_be_visible()
    await expect(dialogue.get_by_text("Done", exact=True)).to_be_visible()
    async with page.expect_download() as loading:
        await dialogue.get_by_role("link", name="Report (CSV)").click()
    report = (await (await loading.value).path()).read_text()
    assert all(f"{execution},dashboard-limits,done" in report for execution in waiting)
    await dialogue.get_by_role("button", name="Close").last.click()
    await expect(dialogue).to_be_hidden()
    assert {until(api, one, "CANCELLED")["error"]["message"] for one in waiting} == {"entered by mistake"}
    until(api, ended, "COMPLETED")


async def test_who_asked_for_an_execution_is_said(browse: Browse, dev: Dev, api: httpx.Client) -> None:
    page = await signed_in(browse, dev, f"/app/executions/{started(api, 50)}")
    await expect(page.get_by_text("By the key demo token")).to_be_visible()
