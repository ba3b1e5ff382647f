"""From the link to the end: with a mouse on a phone, by the keyboard alone, with script off, on two devices."""

from __future__ import annotations

import asyncio
import re

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.acceptance.running import Dev, pushed
from tests.browser.browsing import PHONE, Browse, accessible, fits, focused
from tests.browser.visiting import (
    JOURNEY,
    at,
    code_for,
    entered,
    fed,
    fill_you,
    go_on,
    made_link,
    named,
    picture,
    result_of,
    started,
    through_papers,
    through_terms,
    through_you,
    token_in,
    with_noscript,
)


@pytest.fixture(scope="module")
def journey(dev: Dev) -> str:
    """The definition's id."""
    with dev.api() as api:
        return pushed(api, JOURNEY)


async def test_on_a_phone_from_the_link_to_the_end_without_a_reload(
    phone: Page, api: httpx.Client, journey: str
) -> None:
    link, execution = made_link(api, journey, parameters={"name": "Ada"})
    await started(phone, link)
    await phone.evaluate("window.still = true")
    await expect(named(phone, "/name")).to_have_value("Ada")
    await through_you(phone)
    await expect(phone.get_by_text("Step 2 of 5")).to_be_visible()
    await through_papers(phone)
    await through_terms(phone)
    await expect(phone.get_by_text("asking for seats")).to_be_visible()
    fed(api, execution)
    await at(phone, "news")
    await expect(phone).to_have_title(re.compile("^There are seats"))
    assert await focused(phone) == "title", "whoever listens hears the new heading"
    await phone.get_by_role("button", name="Ask me").click()
    await named(phone, "/row").fill("12")
    await go_on(phone).click()
    await expect(phone.get_by_text("Row 12 is yours.")).to_be_visible()
    assert await phone.evaluate("window.still")
    result = result_of(api, execution)
    assert result["you"] == {
        "name": "Ada", "born": "1990-12-31", "country": "PL", "phone": "+48600100200", "company": False,
    }  # fmt: skip
    assert result["papers"]["files"][0]["resourceName"] == "passport.png"
    assert result["terms"]["accepted"] is True
    assert result["seat"] == {"row": 12}
    await phone.goto(link)
    await expect(phone.get_by_text("Row 12 is yours.")).to_be_visible()


async def test_by_the_keyboard_alone(desktop: Page, api: httpx.Client, journey: str) -> None:
    """No click, no `focus()`: Tab, Space, arrows, Enter and letters only."""
    link, execution = made_link(api, journey)
    desktop.on("filechooser", lambda chooser: asyncio.ensure_future(chooser.set_files(picture())))
    await desktop.goto(link)

    async def tab_to(wanted: str, back: bool = False) -> None:
        for _ in range(40):
            await desktop.keyboard.press("Shift+Tab" if back else "Tab")
            if await desktop.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
                return
        raise AssertionError(f"the focus never comes to {wanted}, it is at {await focused(desktop)}")

    async def typed(pointer: str, text: str) -> None:
        await tab_to(f'[name="{pointer}"]')
        await desktop.keyboard.type(text)

    await tab_to("main button.primary")
    await desktop.keyboard.press("Enter")
    await at(desktop, "you")
    await typed("/name", "Grace")
    for part, text in (("day", "9"), ("month", "12"), ("year", "1906")):
        await typed(f"/born#{part}", text)
    await tab_to('[name="/country"][type=radio]')
    await desktop.keyboard.press("ArrowDown")
    await expect(named(desktop, "/where")).to_be_visible()
    await typed("/where", "Arlington")
    await tab_to(".phone input[role=combobox]")
    await desktop.keyboard.type("United States")
    await desktop.keyboard.press("Enter")
    await typed("/phone", "212 555 0123")
    await tab_to('[name="/company"][type=radio]')
    await desktop.keyboard.press("Space")
    await typed("/others/0/name", "Howard")
    await tab_to('button[value="add:/others"]')
    await desktop.keyboard.press("Enter")
    await expect(named(desktop, "/others/1/name")).to_be_focused()
    await desktop.keyboard.type("Betty")
    await desktop.keyboard.press("Enter")
    await at(desktop, "papers")
    await tab_to("#file")
    await desktop.keyboard.press("Enter")
    await expect(desktop.get_by_role("button", name="Remove: passport.png")).to_be_visible()
    await tab_to("main .actions .primary")
    await desktop.keyboard.press("Enter")
    await at(desktop, "terms")
    await tab_to("#accepted")
    await desktop.keyboard.press("Space")
    await tab_to("main .actions .primary")
    await desktop.keyboard.press("Enter")
    await expect(desktop.locator("#screen[data-kind=waiting]")).to_be_visible()
    fed(api, execution)
    await at(desktop, "news")
    await tab_to("main .actions .primary")
    await desktop.keyboard.press("Enter")
    await typed("/row", "7")
    await desktop.keyboard.press("Enter")
    await expect(desktop.get_by_text("Row 7 is yours.")).to_be_visible()
    you = result_of(api, execution)["you"]
    assert you["where"] == "Arlington"
    assert you["others"] == [{"name": "Howard"}, {"name": "Betty"}]


async def test_with_script_off(browse: Browse, dev: Dev, api: httpx.Client, journey: str) -> None:
    """A code by e-mail stands for the page's script; a page that waits loads itself again."""
    page, address = await browse.open(PHONE, script=False), "no.script@example.com"
    browse.watched(page).refusals_expected = True
    link, execution = made_link(api, journey, email=address)
    await with_noscript(page)
    await page.goto(link)
    await expect(page.get_by_text("we send a code to your e-mail address")).to_be_visible()
    await accessible(page)
    await page.get_by_role("button", name="Start").click()
    await page.get_by_role("button", name="Send me a code").click()
    await page.get_by_label("Code").fill(await code_for(dev, address))
    await page.get_by_role("button", name="Continue").click()
    await at(page, "you")
    await fill_you(page)
    await page.locator('[name="/company"][value=true]').check()
    await go_on(page).click()
    await expect(page.get_by_text("Your answers brought up new questions")).to_be_visible()
    await accessible(page)
    await named(page, "/others/0/name").fill("Howard")
    await page.get_by_role("button", name="Add: Companion").click()
    await expect(named(page, "/others/0/name")).to_have_value("Howard")
    await page.get_by_role("button", name="Remove: Companion 2").click()
    await expect(named(page, "/others/1/name")).to_have_count(0)
    await go_on(page).click()
    await at(page, "papers")
    await page.set_input_files("#file", [picture("front.png"), picture("back.pdf", b"no PDF", "application/pdf")])
    await page.get_by_role("button", name="Send the chosen files").click()
    await expect(page.locator("#problems")).to_contain_text("back.pdf")
    await expect(page.get_by_role("button", name="Remove: front.png")).to_be_visible()
    await accessible(page)
    await go_on(page).click()
    await page.locator("#accepted").check()
    await go_on(page).click()
    # Without script a page that waits loads itself again: axe is not asked, for it minds that on principle.
    await page.get_by_role("link", name="Refresh").click()
    await expect(page.get_by_role("heading", name="We are checking your details")).to_be_visible()
    fed(api, execution)
    await at(page, "news")
    await go_on(page).click()
    await named(page, "/row").fill("forty-one")
    await go_on(page).click()
    await expect(page.locator("#problems")).to_contain_text("Enter a whole number")
    await expect(named(page, "/row")).to_have_value("forty-one")
    await named(page, "/row").fill("4")
    await go_on(page).click()
    await expect(page.get_by_text("Row 4 is yours.")).to_be_visible()


async def test_the_tab_is_closed_in_the_middle_and_everything_typed_is_there(
    browse: Browse, api: httpx.Client, journey: str
) -> None:
    link, _ = made_link(api, journey)
    page = await browse.open(PHONE)
    await started(page, link)
    await named(page, "/name").fill("Ada")
    await named(page, "/born#day").fill("31")
    await page.locator('[name="/company"][value=true]').check()
    await named(page, "/others/0/name").fill("Charl")
    await expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    # In the middle of a word, with no time to save: the page does it on its way out.
    await named(page, "/others/0/name").press_sequentially("es")
    await page.goto("about:blank")
    again = await page.context.new_page()
    await page.close()
    await again.goto(link)
    await at(again, "you")
    for pointer, value in (("/name", "Ada"), ("/born#day", "31"), ("/others/0/name", "Charles")):
        await expect(named(again, pointer)).to_have_value(value)
    await expect(again.locator('[name="/company"][value=true]')).to_be_checked()


async def test_another_device_gets_in_by_a_code_at_the_same_place_and_the_first_is_out(
    browse: Browse, dev: Dev, api: httpx.Client, journey: str
) -> None:
    address = "two.devices@example.com"
    link, _ = made_link(api, journey, email=address)
    desk, phone = await browse.open(), await browse.open(PHONE)
    for page in (desk, phone):
        browse.watched(page).refusals_expected = True
    await started(desk, link)
    await through_you(desk)
    await phone.goto(link)
    await expect(phone.get_by_text("t•••@example.com")).to_be_visible()
    await phone.get_by_role("button", name="Send me a code").click()
    await phone.get_by_label("Code").fill("1234")
    await phone.get_by_role("button", name="Continue").click()
    await expect(phone.locator("#problems")).to_contain_text("This code is not right")
    await phone.get_by_label("Code").fill(await code_for(dev, address))
    await phone.get_by_role("button", name="Continue").click()
    await at(phone, "papers")
    await go_on(desk).click()
    await expect(desk.get_by_role("heading", name="Please open your link again")).to_be_visible()
    await through_papers(phone)


async def test_whoever_has_no_session_sees_nothing(browse: Browse, api: httpx.Client, journey: str) -> None:
    link, execution = made_link(api, journey)
    await started(await browse.open(), link)
    stranger = await browse.open()
    browse.watched(stranger).refusals_expected = True
    await stranger.goto(f"/x/{execution}")
    await expect(stranger.get_by_role("heading", name="Please open your link again")).to_be_visible()
    await stranger.goto(link)
    await expect(stranger.get_by_role("heading", name="This link was already opened")).to_be_visible()


TERMS = """
name: terms-to-keep
steps:
  - id: terms
    consent:
      title: Terms of use
      text: |
TEXT
      version: "7"
"""


async def test_terms_are_printed_whole_saved_and_sent(browse: Browse, dev: Dev, api: httpx.Client) -> None:
    paragraphs = "\n\n".join(f"        Paragraph {number}. " + "It binds nobody. " * 20 for number in range(1, 41))
    page = await browse.open(PHONE)
    terms = pushed(api, TERMS.replace("TEXT", paragraphs))
    await page.goto(made_link(api, terms, email="grace@example.com")[0])
    await page.get_by_role("button", name="Start").click()
    await at(page, "terms")
    await page.emulate_media(media="print")
    hidden = "one => one.scrollHeight - one.clientHeight"
    assert await page.locator(".paper").evaluate(hidden) <= 1, "what cannot be scrolled on paper is all there"
    await page.emulate_media(media="screen")
    await accessible(page)
    await fits(page)
    async with page.expect_download() as saving:
        await page.get_by_role("link", name="Save this text").click()
    saved = await saving.value
    assert saved.suggested_filename == "Terms of use.html"
    assert "Paragraph 40." in (await saved.path()).read_text()
    await page.locator("#accepted").check()
    await page.get_by_role("button", name="Send me a copy to g•••@example.com").click()
    await expect(page.get_by_text("A copy is on its way to g•••@example.com.")).to_be_visible()
    await expect(page.locator("#accepted")).to_be_checked()
    async with httpx.AsyncClient(base_url=dev.demo["baseUrl"]) as client:
        for _ in range(400):
            caught = [one for one in (await client.get("/dev/mail.json")).json()["data"] if "grace@" in str(one)]
            if caught:
                break
            await asyncio.sleep(0.05)
    assert "Paragraph 40." in caught[0]["text"]
    await go_on(page).click()
    await expect(page.locator("#screen[data-status=COMPLETED]")).to_be_visible()
    async with page.expect_download() as keeping:
        await page.get_by_role("link", name="What you agreed to: Terms of use (PDF)").click()
    kept = await keeping.value
    assert kept.suggested_filename == "Terms of use.pdf"
    assert (await kept.path()).read_bytes().startswith(b"%PDF-")


def test_what_was_agreed_to_is_a_file_for_both_sides(dev: Dev, api: httpx.Client) -> None:
    link, execution = made_link(api, pushed(api, TERMS.replace("TEXT", "        Be kind.")))
    copy = f"/workflows/{execution}/consents/terms/copy"
    with entered(dev, link) as (client, page):
        early = api.get(copy)
        assert (early.status_code, early.json()["errors"][0]["code"]) == (404, "CONSENT_NOT_FOUND")
        assert client.get(f"/x/{execution}/terms/1/agreed").status_code == 404
        client.post(f"/x/{execution}/terms/1", data={"_token": token_in(page), "/accepted": "true"})
        mine, theirs = client.get(f"/x/{execution}/terms/1/agreed"), api.get(copy)
    for answer in (mine, theirs):
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
        assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''Terms%20of%20use.pdf"
    with httpx.Client(base_url=dev.demo["baseUrl"]) as stranger:
        assert stranger.get(f"/x/{execution}/terms/1/agreed").status_code in (401, 403, 404)


def test_without_an_address_nothing_can_be_sent(dev: Dev, api: httpx.Client) -> None:
    link, execution = made_link(api, pushed(api, TERMS.replace("TEXT", "        Be kind.")))
    with entered(dev, link) as (client, page):
        assert 'value="copy"' not in page
        answer = client.post(f"/x/{execution}/terms/1", data={"_token": token_in(page), "_action": "copy"})
        assert answer.status_code == 404
