"""Forms as a person meets them: conditions, lists, mistakes, two tabs, the way back, a lost connection."""

from __future__ import annotations

import re
import time
from collections import Counter
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, Route, expect

from tests.acceptance.running import Dev, pushed
from tests.browser.browsing import PHONE, Browse, accessible, fits, focused
from tests.browser.visiting import (
    JOURNEY,
    at,
    entered,
    fill_you,
    go_on,
    made_link,
    named,
    picture,
    runs_of,
    started,
    through_papers,
    through_you,
    token_in,
)

SCRIPT = (
    "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">\"'><svg onload=alert(1)>"
)


@pytest.fixture(scope="module")
def journey(dev: Dev) -> str:
    """The definition's id."""
    with dev.api() as api:
        return pushed(api, JOURNEY)


async def test_what_is_wrong_stands_in_a_summary_with_the_focus_and_at_each_field(
    browse: Browse, api: httpx.Client, journey: str
) -> None:
    page = await browse.open(PHONE)
    browse.watched(page).refusals_expected = True
    await started(page, made_link(api, journey)[0])
    await named(page, "/name").fill("Ada")
    await named(page, "/born#day").fill("31")
    await named(page, "/born#month").fill("2")
    await named(page, "/born#year").fill("1990")
    await page.locator('[name="/company"][value=true]').check()
    await named(page, "/others/0/age").fill("old")
    await go_on(page).click()
    summary = page.locator("#problems")
    await expect(summary).to_be_focused()
    assert (await page.title()).startswith("Error:")
    said = await summary.get_by_role("listitem").all_inner_texts()
    assert [line.partition(":")[0] for line in said] == [
        "Date of birth",
        "Choose the country.",
        "Enter your phone number.",
        "Their name",
        "Age",
    ]
    await summary.get_by_role("link", name="Date of birth").click()
    assert await focused(page) == "f-born-day"
    await summary.get_by_role("link", name="Choose the country.").click()
    assert await focused(page) == "f-country-0"
    for pointer in ("/others/0/age", "/phone"):
        field = named(page, pointer)
        await expect(field).to_have_attribute("aria-invalid", "true")
        described = (await field.get_attribute("aria-describedby") or "").split()
        assert await page.locator(f"#{described[-1]}").inner_text()
    for pointer, typed in (("/born#day", "31"), ("/born#month", "2"), ("/others/0/age", "old"), ("/name", "Ada")):
        await expect(named(page, pointer)).to_have_value(typed)


async def test_a_field_is_looked_at_when_it_is_left_and_not_before(
    browse: Browse, api: httpx.Client, journey: str
) -> None:
    page = await browse.open()
    await started(page, made_link(api, journey)[0])
    await page.locator('[name="/company"][value=true]').check()
    problem = page.locator("#f-others-0-age-problem")
    await named(page, "/others/0/age").fill("200")
    await expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    await expect(problem).to_be_hidden()
    await named(page, "/others/0/name").focus()
    await expect(problem).to_contain_text("130")
    await expect(named(page, "/others/0/age")).to_have_attribute("aria-invalid", "true")
    await named(page, "/others/0/age").fill("20")
    await expect(problem).to_be_hidden()
    await expect(named(page, "/others/0/age")).not_to_have_attribute("aria-invalid", "true")


async def test_nothing_moves_away_under_a_pressed_finger(desktop: Page, api: httpx.Client, journey: str) -> None:
    """A problem that appears above a button between press and release would take the click away."""
    await started(desktop, made_link(api, journey)[0])
    await named(desktop, "/born#day").fill("31")
    radio = desktop.locator('[name="/company"][value=true]')
    await radio.scroll_into_view_if_needed()
    box = await radio.bounding_box()
    assert box is not None
    async with desktop.expect_response("**/draft"):
        await desktop.mouse.move(box["x"] + 8, box["y"] + 8)
        await desktop.mouse.down()
    problem = desktop.locator("#f-born-problem")
    await expect(problem).to_be_hidden()
    await desktop.mouse.up()
    await expect(problem).to_be_visible()
    await expect(radio).to_be_checked()


async def test_fields_come_and_go_with_the_answers_and_hidden_ones_are_not_sent(
    desktop: Page, api: httpx.Client, journey: str
) -> None:
    link, execution = made_link(api, journey)
    await started(desktop, link)
    await fill_you(desktop)
    await expect(named(desktop, "/where")).to_be_hidden()
    await desktop.get_by_label("Elsewhere").check()
    await named(desktop, "/where").fill("Oslo")
    await desktop.get_by_label("Poland", exact=True).check()
    await expect(named(desktop, "/where")).to_be_hidden()
    await desktop.get_by_label("Elsewhere").check()
    await expect(named(desktop, "/where")).to_have_value("Oslo")
    await desktop.get_by_label("Poland", exact=True).check()
    await expect(named(desktop, "/where")).to_be_hidden()
    await go_on(desktop).click()
    await at(desktop, "papers")
    assert "Oslo" not in str(runs_of(api, execution, "you"))


async def test_a_list_grows_to_its_most_and_shrinks(desktop: Page, api: httpx.Client, journey: str) -> None:
    await started(desktop, made_link(api, journey)[0])
    await desktop.locator('[name="/company"][value=true]').check()
    add = desktop.get_by_role("button", name="Add: Companion")
    await named(desktop, "/others/0/name").fill("One")
    await add.click()
    await named(desktop, "/others/1/name").fill("Two")
    await add.click()
    await expect(named(desktop, "/others/2/name")).to_be_focused()
    await expect(add).to_have_count(0)
    await desktop.get_by_role("button", name="Remove: Companion 1").click()
    await expect(named(desktop, "/others/2/name")).to_have_count(0)
    await expect(named(desktop, "/others/0/name")).to_have_value("Two")
    await expect(add).to_be_visible()


async def test_back_keeps_everything_on_both_pages_by_the_page_and_by_the_browser(
    desktop: Page, api: httpx.Client, journey: str
) -> None:
    await started(desktop, made_link(api, journey)[0])
    await through_you(desktop, "Ada")
    await through_papers(desktop)
    await desktop.locator("#accepted").check()
    await desktop.get_by_role("button", name="Back").click()
    await at(desktop, "papers")
    await expect(desktop.get_by_role("button", name="Remove: passport.png")).to_be_visible()
    await desktop.go_back()
    await at(desktop, "you")
    await desktop.go_forward()
    await expect(named(desktop, "/name")).to_have_value("Ada")
    await at(desktop, "you")
    await expect(named(desktop, "/phone")).to_have_value("600100200")
    await go_on(desktop).click()
    await at(desktop, "papers")
    await go_on(desktop).click()
    await at(desktop, "terms")
    await expect(desktop.locator("#accepted")).to_be_checked()


async def test_the_language_is_switched_in_the_middle_and_nothing_is_lost(
    browse: Browse, api: httpx.Client, journey: str
) -> None:
    page = await browse.open(locale="pl")
    link, _ = made_link(api, journey)
    await started(page, link)
    await expect(page.get_by_role("heading", name="O Tobie")).to_be_visible()
    await named(page, "/name").fill("Ada")
    await page.get_by_role("button", name="English").click()
    await expect(page.get_by_role("heading", name="About you")).to_be_visible()
    assert await page.locator("html").get_attribute("lang") == "en"
    await expect(named(page, "/name")).to_have_value("Ada")
    await page.goto(link)
    await expect(page.get_by_role("heading", name="About you")).to_be_visible()


async def test_texts_of_the_definition_and_our_own_words_are_each_in_the_best_language(
    browse: Browse, api: httpx.Client
) -> None:
    """`pt-BR` is there in the definition and not among our words: those are in the reader's next language."""
    text = """
name: offered-languages
steps:
  - id: you
    form:
      title: {pt-BR: Sobre você, zh-Hans: 关于您, ar: عنك, en: About you}
      schema:
        type: object
        required: [a]
        properties: {a: {type: string, title: {pt-BR: Nome, zh-Hans: 姓名, ar: الاسم, en: Name}}}
"""
    definition = pushed(api, text)
    page = await browse.open(PHONE, locale="fr")
    browse.watched(page).refusals_expected = True
    link, _ = made_link(api, definition, lang="pt-BR")
    await page.goto(link)
    await go_on(page).click()
    await expect(page.get_by_role("heading", name="Sobre você")).to_be_visible()
    assert await page.locator("html").get_attribute("lang") == "pt-BR"
    await expect(go_on(page)).to_have_text("Continuer")
    await expect(go_on(page)).to_have_attribute("lang", "fr")
    await go_on(page).click()
    await expect(page.locator("#problems")).to_contain_text("Il y a un problème")
    await page.locator(".language-choice summary").click()
    await page.get_by_role("button", name="العربية").click()
    await expect(page.get_by_role("heading", name="عنك")).to_be_visible()
    assert await page.locator("html").get_attribute("dir") == "rtl"
    await expect(go_on(page)).to_have_text("متابعة")
    await named(page, "/a").fill("Ada")
    await go_on(page).click()
    await expect(page.locator("#screen[data-step]")).to_have_count(0)


async def test_the_language_that_the_caller_names_comes_before_the_browsers(
    desktop: Page, api: httpx.Client, journey: str
) -> None:
    link, _ = made_link(api, journey, lang="pl")
    await desktop.goto(link)
    await expect(desktop.get_by_role("button", name="Rozpocznij")).to_be_visible()


async def test_of_two_tabs_the_late_one_is_told_and_loses_nothing(
    browse: Browse, api: httpx.Client, journey: str
) -> None:
    link, _ = made_link(api, journey)
    one = await browse.open()
    browse.watched(one).refusals_expected = True
    await started(one, link)
    other = await one.context.new_page()
    await other.goto(link)
    await at(other, "you")
    await one.bring_to_front()
    await through_you(one, "First")
    await other.bring_to_front()
    await named(other, "/name").fill("Second")
    await at(other, "papers")
    await expect(other.get_by_text("This part was sent already.")).to_be_visible()
    await other.get_by_role("button", name="Back").click()
    await expect(named(other, "/name")).to_have_value("First")


async def test_a_double_click_submits_once(desktop: Page, api: httpx.Client, journey: str) -> None:
    link, execution = made_link(api, journey)
    await started(desktop, link)
    await fill_you(desktop)
    sent: list[str] = []
    desktop.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    await go_on(desktop).dblclick()
    await at(desktop, "papers")
    assert Counter(sent)[next(url for url in sent if url.endswith("/you/1"))] == 1
    assert len(runs_of(api, execution, "you")) == 1


def test_the_same_form_sent_twice_is_taken_once_and_another_one_is_late(
    dev: Dev, api: httpx.Client, journey: str
) -> None:
    """A browser without script, whose user presses Continue again while nothing seems to happen."""
    link, execution = made_link(api, journey)
    answers: dict[str, Any] = {
        "/name": "Ada", "/born#day": "1", "/born#month": "2", "/born#year": "1990",
        "/company": "false", "/phone#country": "PL", "/phone": "600100200",
        "_shown": ["/properties/where", "/properties/others"],
    }  # fmt: skip
    with entered(dev, link) as (client, page):
        answers |= {"_token": token_in(page), "/country": _key_of(page, "Poland")}
        for name, status in (("Ada", 200), ("Ada", 409), ("Eve", 409)):
            sent = client.post(f"/x/{execution}/you/1", data={**answers, "/name": name})
            assert (sent.status_code, "Your papers" in sent.text) == (status, True)


def _key_of(page: str, label: str) -> str:
    found = re.search(r'value="([^"]+)"[^>]*><span>' + label, page)
    assert found is not None
    return found[1]


async def test_a_lost_connection_is_said_and_the_next_try_goes_through(
    browse: Browse, api: httpx.Client, journey: str
) -> None:
    page = await browse.open()
    browse.watched(page).refusals_expected = True
    await started(page, made_link(api, journey)[0])
    await fill_you(page)
    await page.context.set_offline(True)
    await go_on(page).click()
    await expect(page.get_by_role("alert")).to_contain_text("There is no connection")
    await expect(named(page, "/name")).to_have_value("Ada")
    await page.context.set_offline(False)
    await go_on(page).click()
    await at(page, "papers")


async def test_what_people_type_and_what_definitions_say_is_shown_and_never_run(
    browse: Browse, api: httpx.Client, journey: str
) -> None:
    page = await browse.open()
    browse.watched(page).refusals_expected = True
    link, _ = made_link(api, journey, parameters={"name": SCRIPT[:60]})
    await started(page, link)
    await expect(named(page, "/name")).to_have_value(SCRIPT[:60])
    await named(page, "/remarks").fill(SCRIPT)
    await go_on(page).click()
    await expect(page.locator("#problems")).to_be_focused()
    await expect(named(page, "/remarks")).to_have_value(SCRIPT)
    await fill_you(page, SCRIPT[:60])
    await go_on(page).click()
    await at(page, "papers")
    await page.set_input_files("#file", picture("<img src=x onerror=alert(1)>.png"))
    await expect(page.get_by_role("button", name="Remove: <img")).to_be_visible()
    await go_on(page).click()
    await at(page, "terms")
    await expect(page.get_by_text("<script>document.title")).to_be_visible()
    await page.reload()
    assert "taken" not in await page.title()
    assert await page.locator("main script, main img, main svg[onload]").count() == 0


@pytest.mark.parametrize(
    ("more", "status", "says"),
    [
        ({"/invented": "1"}, 400, "There is a problem"),
        ({"/name": "x" * 61}, 400, "too long"),
        ({"/name": "x" * 300_000}, 400, "There is a problem"),
        ({"/name": "a\0b"}, 400, 'value="ab"'),
        ({"/country": "Atlantis"}, 400, "Country"),
        ({"/others": "999", "/company": "true", "_shown": "/properties/others"}, 400, "There is a problem"),
        ({"_action": "add:/invented"}, 200, "About you"),
        ({"_action": "remove:/others/99999999999999999999"}, 200, "About you"),
        ({"_action": "language:xx"}, 200, "About you"),
        ({"_action": "back"}, 200, "About you"),
        ({"_action": "remove-file:../../etc/passwd"}, 200, "About you"),
        ({"_action": "invented"}, 400, "There is a problem"),
    ],
)  # fmt: skip
def test_what_no_page_sends_is_answered_kindly(
    dev: Dev, api: httpx.Client, journey: str, more: dict[str, str], status: int, says: str
) -> None:
    link, execution = made_link(api, journey)
    with entered(dev, link) as (client, page):
        answer = client.post(f"/x/{execution}/you/1", data={"_token": token_in(page), "/name": "", **more})
        assert answer.status_code == status
        assert says in answer.text
        assert "text/html" in answer.headers["content-type"]


def test_bodies_that_are_no_forms_are_refused(dev: Dev, api: httpx.Client, journey: str) -> None:
    link, execution = made_link(api, journey)
    with entered(dev, link) as (client, page):
        url = f"/x/{execution}/you/1"
        token = token_in(page)
        large = client.post(url, data={"_token": token, "/remarks": "x" * 1_100_000})
        assert large.status_code == 413
        for body in (b"\xff\xfe", b"&&==&", b"%zz=%ff"):
            answer = client.post(url, content=body, headers={"Content-Type": "application/x-www-form-urlencoded"})
            assert answer.status_code in (400, 403), body
            assert "text/html" in answer.headers["content-type"]
        assert client.post(f"{url}/files", content=b"x").status_code in (400, 409)
        many = {f"/f{number}": "" for number in range(11_000)}
        assert client.post(url, data={"_token": token, **many}).status_code == 400
        assert client.get(f"/x/{execution}").status_code == 200


def test_a_thousand_submissions_a_minute_meet_a_kind_page_that_says_how_long(
    dev: Dev, api: httpx.Client, journey: str
) -> None:
    link, execution = made_link(api, journey)
    with entered(dev, link) as (client, page):
        data = {"_token": token_in(page), "/name": "Ada", "_shown": ["/properties/where", "/properties/others"]}
        answers: Counter[int] = Counter()
        began = time.monotonic()
        for _ in range(1000):
            answer = client.post(f"/x/{execution}/you/1", data=data)
            answers[answer.status_code] += 1
            if answer.status_code == 429:
                break
        assert set(answers) == {400, 429}
        # Minutes are the clock's: sixty in each of those in which something was sent.
        assert answers[400] <= 60 * (2 + int((time.monotonic() - began) // 60))
        assert 0 < int(answer.headers["retry-after"]) <= 60
        assert "That was too fast" in answer.text
        assert 'value="Ada"' in answer.text, "what was typed is there"


def _theme_with(api: httpx.Client, **more: Any) -> dict[str, Any]:
    """Change the workspace's theme; as it was before."""
    before: dict[str, Any] = api.get("/theme").json()
    kept = {name: before[name] for name in ("name", "font", "allowedOrigins")}
    api.put("/theme", json={**kept, **more}).raise_for_status()
    return before


async def test_a_redirect_leads_to_allowed_places_only(browse: Browse, api: httpx.Client, dev: Dev) -> None:
    definition = pushed(
        api,
        """
name: leading-away
parameters: {to: {type: string, required: true}}
steps:
  - id: ask
    form: {title: Name, schema: {type: object, properties: {name: {type: string}}}}
  - id: thanks
    message: {title: Thank you, text: Done., button: Back to the shop, redirect: "${parameters.to}"}
""",
    )
    theme = _theme_with(api, redirectTargets=["https://shop.example/"])
    page = await browse.open()
    for target, allowed in (
        ("https://shop.example/done?order=1", True),
        ("https://shop.example.evil.example/", False),
        ("javascript:alert(1)", False),
        ("//evil.example", False),
    ):
        link, _ = made_link(api, definition, parameters={"to": target})
        await page.goto(link)
        await page.get_by_role("button", name="Start").click()
        await at(page, "ask")
        await go_on(page).click()
        await expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
        leave = page.get_by_role("link", name="Back to the shop")
        assert await leave.count() == allowed, target
        if allowed:
            assert await leave.get_attribute("href") == target
    _theme_with(api, redirectTargets=theme["redirectTargets"])


async def test_typing_that_could_not_be_saved_is_said_and_saved_later(
    desktop: Page, api: httpx.Client, journey: str
) -> None:
    await started(desktop, made_link(api, journey)[0])
    broken = {"left": 1}

    async def answer(route: Route) -> None:
        if broken["left"]:
            broken["left"] -= 1
            await route.fulfill(status=200, content_type="text/plain", body="a proxy's page")
        else:
            await route.continue_()

    await desktop.route("**/draft", answer)
    status = desktop.locator("[data-status]")
    await named(desktop, "/name").fill("Ada")
    await expect(status).to_have_text("Not saved yet. We keep trying.Try again")
    await expect(status).to_have_text("Saved")


FIELDS = """
name: fields
title: {en: Fields, ar: الحقول}
steps:
  - id: you
    form:
      title: {en: About you, ar: عنك}
      schema:
        type: object
        required: [firstName, nip]
        properties:
          firstName: {type: string, title: {en: First name, ar: الاسم}}
          nip: {type: string, format: nip, title: {en: Tax number, ar: الرقم الضريبي}}
          land: {type: string, format: country, title: {en: Country of birth, ar: بلد الميلاد}}
          pay: {type: number, currency: PLN, minimum: 10, title: {en: Pay, ar: الأجر}}
  - id: thanks
    message: {title: {en: Done, ar: تم}, text: {en: "${steps.you.firstName}: ${steps.you.land}", ar: "${steps.you.land}"}}
"""


@pytest.mark.parametrize("locale", ["en", "ar"])
async def test_what_is_mended_leaves_the_summary_and_a_country_is_found_by_a_part_of_its_name(
    browse: Browse, api: httpx.Client, locale: str
) -> None:
    page = await browse.open(PHONE, locale=locale)
    browse.watched(page).refusals_expected = True
    link, execution = made_link(api, pushed(api, FIELDS))
    await page.goto(link)
    await go_on(page).click()
    await at(page, "you")
    await accessible(page)
    await named(page, "/nip").fill("5252248482")
    await go_on(page).click()
    lines = page.locator("#problems li")
    await expect(lines).to_have_count(2)
    if locale == "en":
        assert await lines.all_inner_texts() == [
            "Enter your first name.",
            "Tax number: A character is wrong, or two are swapped. Compare it with your document.",
        ]
    await named(page, "/nip").fill("525-224-84-81")
    await named(page, "/firstName").focus()
    await expect(lines).to_have_count(1)
    await named(page, "/firstName").fill("Ada")
    await named(page, "/pay").fill("1 200,50 zł" if locale == "en" else "١٢٠٠")
    await expect(page.locator("#problems")).to_have_count(0)
    country = page.get_by_role("combobox").and_(page.locator("input"))
    await country.click()
    await expect(page.get_by_role("option")).not_to_have_count(0)
    await accessible(page)
    await country.fill("pola" if locale == "en" else "بولن")
    await expect(page.get_by_role("option")).to_have_count(1)
    await country.press("Enter")
    await expect(country).to_have_value("Poland" if locale == "en" else "بولندا")
    await fits(page)
    await go_on(page).click()
    await expect(page.locator("#screen[data-end]")).to_be_visible()
    assert result_of(api, execution)["you"] == {
        "firstName": "Ada",
        "nip": "5252248481",
        "land": "PL",
        "pay": 1200.5 if locale == "en" else 1200,
    }


def result_of(api: httpx.Client, execution: str) -> Any:
    """What an execution came to."""
    return api.get(f"/workflows/{execution}/result").json()["result"]
