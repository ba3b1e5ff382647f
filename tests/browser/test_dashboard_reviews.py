"""Reviews in the dashboard: the case on one screen, decided by keyboard, and why somebody may not."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from playwright.async_api import expect

from tests.acceptance.running import Dev, pushed, until
from tests.browser.browsing import Browse, accessible
from tests.browser.dashboard import signed_in

REVIEWED = """
name: dashboard-reviewed
title: {en: Reviewed, pl: Sprawdzane}
parameters: {number: {type: string, required: true, pii: identity}, iban: {type: string, required: true}}
steps:
  - id: account
    check: {name: iban, with: {value: "${parameters.iban}"}}
  - id: decide
    review: {title: {en: Do we take them?, pl: Czy przyjmujemy?}, outcomes: [approve, reject]ASSIGNED, within: 1h}
"""
EVIL = "<img src=x onerror=window.evil=1>"


def waiting(api: httpx.Client, number: str = EVIL, assigned: str = "") -> str:
    definition = pushed(api, REVIEWED.replace("ASSIGNED", f", assignTo: {assigned}" if assigned else ""))
    parameters = {"number": number, "iban": "PL61109010140000071219812875"}
    answer = api.post("/workflows/run", json={"workflowDefinitionId": definition, "parameters": parameters})
    return str(answer.raise_for_status().json()["id"])


def review_step(api: httpx.Client, execution: str) -> dict[str, Any]:
    steps = api.get(f"/workflows/{execution}/timeline").json()["steps"]
    return next(step for step in steps if step["kind"] == "review")


def comments(api: httpx.Client, execution: str) -> list[dict[str, Any]]:
    return list(api.get(f"/workflows/{execution}/comments").json()["data"])


def invited(api: httpx.Client) -> dict[str, Any]:
    made: dict[str, Any] = api.post("/link", json={"workflowDefinitionId": pushed(api, ASKING)}).json()
    return made


def reject(api: httpx.Client, execution: str) -> None:
    api.post(f"/workflows/{execution}/reviews/decide", json={"outcome": "reject"}).raise_for_status()


async def test_a_case_is_decided_by_keyboard_with_a_reason_and_the_next_one_opens(
    browse: Browse, dev: Dev, api: httpx.Client
) -> None:
    first, second = waiting(api, "80010112345"), waiting(api)
    page = await signed_in(browse, dev, f"/app/reviews/{first}/decide")
    await expect(page.get_by_text("80010112345")).to_be_visible()
    await page.keyboard.press("c")
    await page.keyboard.type("a r: letters that are shortcuts elsewhere")
    assert until(api, first, "AWAITING")["status"] == "AWAITING", "what is typed decides nothing"
    await page.keyboard.press("Escape")
    await page.keyboard.press("a")
    await expect(page).not_to_have_url(re.compile(first))
    assert until(api, first, "COMPLETED")
    decided = review_step(api, first)
    assert decided["output"]["outcome"] == "approve"
    assert decided["output"]["comment"].startswith("a r:")
    await page.goto(f"/app/reviews/{second}/decide")
    await expect(page.get_by_text(EVIL)).to_be_visible()
    assert await page.evaluate("window.evil") is None


async def test_who_may_not_decide_is_told_why(browse: Browse, dev: Dev, api: httpx.Client) -> None:
    execution = waiting(api, assigned="board-of-directors")
    page = await signed_in(browse, dev, f"/app/reviews/{execution}/decide")
    await expect(page.get_by_text("It is for board-of-directors").first).to_be_visible()
    await expect(page.get_by_role("button", name=re.compile("Approve"))).to_have_attribute("aria-disabled", "true")
    await page.keyboard.press("a")
    assert until(api, execution, "AWAITING")["status"] == "AWAITING"


async def test_a_case_is_taken_by_keyboard_is_mine_and_given_back(browse: Browse, dev: Dev, api: httpx.Client) -> None:
    execution = waiting(api)
    page = await signed_in(browse, dev, f"/app/reviews/{execution}/decide")
    await expect(page.get_by_text("Nobody has taken it")).to_be_visible()
    await page.keyboard.press("m")
    await expect(page.get_by_text("You have taken it.")).to_be_visible()
    with pytest.raises(httpx.HTTPStatusError, match="409"):
        reject(api, execution)
    await page.goto("/app/reviews")
    await expect(page.get_by_role("row").nth(1)).to_be_visible()
    await page.keyboard.press("m")
    await expect(page).to_have_url(re.compile("whose=taken"))
    await expect(page.get_by_role("row").filter(has_text="you")).to_have_count(1)
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Give back").click()
    await page.get_by_role("button", name="Undo").click()
    await expect(page.get_by_text("You have taken it.")).to_be_visible()


async def test_a_reason_that_was_not_sent_is_kept_for_who_typed_it_and_goes_when_they_sign_out(
    browse: Browse, dev: Dev, api: httpx.Client
) -> None:
    address = f"/app/reviews/{waiting(api)}/decide"
    page = await signed_in(browse, dev, address)
    reason = page.locator("textarea").first
    await reason.fill("not sent yet")
    await page.reload()
    await expect(reason).to_have_value("not sent yet")
    kept = await page.evaluate("Object.entries(sessionStorage).filter(([, text]) => text === 'not sent yet')")
    person = (await (await page.request.get("/me")).json())["id"]
    assert [person in key for key, _ in kept] == [True]

    await page.goto("/sign-out")
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_text("You have signed out")).to_be_visible()
    assert await page.evaluate("sessionStorage.length") == 0


async def test_a_comment_mentions_somebody_who_gets_a_mail_that_leads_here(
    browse: Browse, dev: Dev, api: httpx.Client
) -> None:
    execution = waiting(api)
    page = await signed_in(browse, dev, f"/app/reviews/{execution}/decide")
    box = page.get_by_role("textbox", name="Write a comment")
    await box.focus()
    await page.keyboard.type(f"{EVIL} see @Demo")
    await expect(page.get_by_role("option").first).to_be_visible()
    await accessible(page)
    await page.keyboard.press("Enter")
    await page.reload()
    await expect(box, "what was typed is kept").to_have_value(re.compile("see @Demo"))
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Comment", exact=True).click()
    await expect(page.get_by_role("listitem").filter(has_text="see @Demo")).to_be_visible()
    (comment,) = comments(api, execution)
    assert comment["text"].startswith(EVIL)
    assert await page.evaluate("window.evil") is None


ASKING = """
name: dashboard-asking
title: Asking
steps:
  - id: details
    form: {title: Details, schema: {type: object, properties: {name: {type: string, title: Name}}}}
  - id: decide
    review: {title: Do we take them?, outcomes: [approve, reject], fourEyes: true}
"""


async def test_the_person_is_asked_again_reads_why_and_finds_what_they_entered(
    browse: Browse, dev: Dev, api: httpx.Client
) -> None:
    made = invited(api)
    guest = await browse.open()
    await guest.goto(made["link"])
    await guest.get_by_role("button", name="Start").click()
    await guest.get_by_role("textbox", name="Name").fill("Eve")
    await guest.get_by_role("button", name="Continue").click()
    assert until(api, made["workflowId"], "AWAITING")
    page = await signed_in(browse, dev, f"/app/reviews/{made['workflowId']}/decide")
    await expect(page.get_by_text("Two people have to decide the same.")).to_be_visible()
    await page.keyboard.press("q")
    dialogue = page.get_by_role("dialog", name="Ask the person again")
    await expect(dialogue).to_be_visible()
    await accessible(page)
    await dialogue.get_by_role("textbox", name="What they should do").fill(f"The whole name, please {EVIL}")
    await dialogue.get_by_role("textbox", name="To").fill("eve@example.com")
    await page.keyboard.press("Enter")
    link = await page.get_by_text(re.compile("^http")).inner_text()
    again = await browse.open()
    await again.goto(link)
    await again.get_by_role("button", name="Start").click()
    await expect(again.get_by_text("asks you to look at this once more")).to_be_visible()
    await expect(again.get_by_text(f"The whole name, please {EVIL}")).to_be_visible()
    await accessible(again)
    await expect(again.get_by_role("textbox", name="Name")).to_have_value("Eve")
    await again.get_by_role("textbox", name="Name").fill("Eve Nowak")
    await again.get_by_role("button", name="Continue").click()
    assert until(api, made["workflowId"], "AWAITING")
    assert await again.evaluate("window.evil") is None


async def test_a_review_that_somebody_else_decided_meanwhile_says_so(
    browse: Browse, dev: Dev, api: httpx.Client
) -> None:
    execution = waiting(api)
    page = await signed_in(browse, dev, f"/app/reviews/{execution}/decide")
    await page.get_by_role("textbox", name="Reason").fill("half a sentence")
    reject(api, execution)
    await expect(page.get_by_role("heading", name="This review is no longer open")).to_be_visible()
    await expect(page.get_by_text("decided: reject")).to_be_visible()
    await expect(page.get_by_text("half a sentence")).to_be_visible()
