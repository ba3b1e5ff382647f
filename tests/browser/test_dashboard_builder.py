"""The builder in Chromium: made by mouse alone and by keyboard alone, every kind of step and of field, and two people."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import httpx
from playwright.async_api import Locator, Page, Route, expect

from passerelle.definitions.schema import definition_schema
from passerelle.definitions.source import read_source
from passerelle.engine.checks import load_checks
from passerelle.engine.registry import load_kinds
from tests.acceptance.running import Dev
from tests.browser.browsing import Browse, accessible
from tests.browser.signing_in import at_work
from tests.integration.kit.outgoing.loopback import answering, serving

WIDE = {"width": 1500, "height": 950}
KINDS: Mapping[str, str] = {
    "form": "Form", "upload": "Upload", "consent": "Consent", "message": "Message", "http": "HTTP call", "check": "Check",
    "record": "Record", "email": "E-mail", "set": "Values", "workflow": "Definition", "review": "Review",
    "switch": "Choice", "parallel": "Side by side", "each": "For each", "wait": "Wait", "event": "Event", "end": "End",
    "fail": "Failure",
}  # fmt: skip
"""What the builder calls the kinds of Passerelle's own; a kind of a plug-in has its own name."""
FIELDS = (
    "Text", "Long text", "E-mail address", "Phone number", "Date", "Number", "Whole number", "Yes or no",
    "One of several", "Several of several", "List of texts", "List of entries", "Group of fields", "Country",
)  # fmt: skip
FORMATS: Mapping[str, str] = {
    "date-time": "Date and time", "time": "Time of day", "uri": "Web address", "iban": "Bank account (IBAN)",
    "nip": "Tax number (NIP)", "pesel": "Personal number (PESEL)", "vat": "VAT number",
    "lei": "Company identifier (LEI)",
}  # fmt: skip
"""What the builder calls formats; another has its own name."""
KINDS_OF_THEIR_OWN = {"multiline", "email", "phone", "date", "country"}
BY_HAND = {
    "type", "format", "title", "description", "visibleWhen", "enum", "oneOf", "items", "properties", "required",
    "currency", "defaultCountry",
}  # fmt: skip
"""Keywords of a field that have a place of their own in its form; the others are behind `More…`."""
MOST_CLICKS = 60
TEXT = "name: {name}\ntitle: Opening  # for people\nsteps:\n  # who they are\n  - id: person\n    form:\n      title: 'You'\n      schema: {{type: object, properties: {{email: {{type: string, format: email}}}}}}\n\n  - id: done\n    message: {{title: Thank you, text: Bye}}\n"


def a_field() -> dict[str, Any]:
    """What the published schema says of a field's keywords."""
    form = definition_schema(load_kinds())["$defs"]["step"]["properties"]["form"]["properties"]["schema"]
    return dict(form["properties"]["properties"]["additionalProperties"]["properties"])


class Mouse:
    """Clicks, and counts them."""

    def __init__(self) -> None:
        self.clicks = 0

    async def click(self, what: Locator) -> None:
        await what.click()
        self.clicks += 1


def palette(page: Page, name: str) -> Locator:
    return page.get_by_role("group", name="Add a step").get_by_role("button", name=name, exact=True)


async def kept(page: Page) -> dict[str, Any]:
    """The draft of a page, once all is saved."""
    await page.wait_for_url("**/app/drafts/*")
    await expect(page.get_by_text("Draft saved")).to_be_visible()
    answer = await page.request.get(page.url.replace("/app/drafts/", "/drafts/"), headers=_VERSION)
    return dict(await answer.json())


_VERSION = {"Accept": "application/json;version=2", "X-Passerelle-Client": "dashboard"}


async def test_an_onboarding_of_eight_steps_is_made_by_mouse_alone(browse: Browse, dev: Dev) -> None:
    page = await at_work(browse, dev, "/app/definitions/new", viewport=WIDE)
    mouse = Mouse()
    for name in ("Form", "Upload", "Consent", "Check", "Review", "Choice", "E-mail", "Message"):
        await mouse.click(palette(page, name))
    await mouse.click(page.get_by_role("button", name="Fit View"))
    await mouse.click(page.get_by_role("button", name="About you Form"))
    for field in ("E-mail address", "Date", "Country"):
        await mouse.click(page.get_by_role("combobox", name="Add a field", exact=True))
        await mouse.click(page.get_by_role("option", name=field, exact=True))
    await mouse.click(page.get_by_role("button", name="switch Choice"))
    await mouse.click(page.get_by_role("combobox", name="Goes to"))
    await mouse.click(page.get_by_role("option", name="message", exact=True))
    await expect(page.get_by_text("No problems")).to_be_visible()
    draft = await kept(page)
    assert draft["text"].count("  - id: ") == 8
    await mouse.click(page.get_by_role("button", name="Publish…"))
    await mouse.click(page.get_by_role("dialog").get_by_role("button", name="Publish", exact=True))
    await page.wait_for_url("**/app/definitions/*-*-*")
    await expect(page.get_by_text("Published", exact=True).first).to_be_visible()
    assert mouse.clicks <= MOST_CLICKS
    gone = await page.request.get(f"/drafts/{draft['id']}", headers=_VERSION)
    assert gone.status == 404, "what was published is no draft any more"


async def test_every_kind_of_step_is_made_changed_and_removed(browse: Browse, dev: Dev) -> None:
    """It walks the schema: a kind that is new is in the palette, and has a form."""
    page = await at_work(browse, dev, "/app/definitions/new", viewport=WIDE)
    kinds = [one["required"][0] for one in definition_schema(load_kinds())["$defs"]["step"]["oneOf"]]
    assert len(kinds) >= len(KINDS)
    await palette(page, "Values").click()
    for kind in kinds:
        await palette(page, KINDS.get(kind, kind)).click()
        name = page.get_by_label("Name in expressions")
        await expect(name).to_have_value("set2" if kind == "set" else kind)
        await name.fill(f"{kind}Changed")
        await name.press("Enter")
        await expect(page.get_by_role("region", name=f"Step {kind}Changed")).to_be_visible()
        await page.get_by_role("button", name=f"Remove {kind}Changed").click()
        await expect(page.get_by_role("region", name=f"Step {kind}Changed")).to_have_count(0)
    draft = await kept(page)
    assert draft["text"].endswith("steps:\n  - id: set\n    set:\n      value: true\n"), draft["text"]


async def test_every_check_is_chosen_with_its_inputs_and_every_definition_is_offered(browse: Browse, dev: Dev) -> None:
    """It walks the checks that are installed: a new one is in the list, with what it takes."""
    page = await at_work(browse, dev, "/app/definitions/new", viewport=WIDE)
    await palette(page, "Check").click()
    for name, check in load_checks().items():
        await page.get_by_role("combobox", name="Name", exact=True).click()
        await page.get_by_role("option", name=name, exact=True).click()
        for wanted in check.inputs["required"]:
            described, *_ = check.inputs["properties"][wanted]["description"].split("`")
            await expect(page.get_by_text(described.strip()).first).to_be_visible()
    await palette(page, "Definition").click()
    await page.get_by_role("combobox", name="Definition", exact=True).click()
    await page.get_by_role("option", name="company-check", exact=True).click()
    draft = await kept(page)
    assert "name: vat-vies" in draft["text"]
    assert "definition: company-check" in draft["text"]


async def test_every_kind_of_field_is_made_and_removed_and_all_of_them_are_sound(browse: Browse, dev: Dev) -> None:
    """It walks the schema: a format that is new is in the list."""
    page = await at_work(browse, dev, "/app/definitions/new", viewport=WIDE)
    await palette(page, "Form").click()
    published = a_field()["format"]["examples"]
    others = [FORMATS.get(one, one) for one in published if one not in KINDS_OF_THEIR_OWN]
    for field in (*FIELDS, *others):
        await page.get_by_role("combobox", name="Add a field", exact=True).click()
        await page.get_by_role("option", name=field, exact=True).click()
    await expect(page.get_by_text("No problems")).to_be_visible()
    draft = await kept(page)
    for keyword in ("type: integer", "type: boolean", "enum:", "type: array", *(f"format: {one}" for one in published)):
        assert keyword in draft["text"]
    for name in ("email", "phone", "iban", "texts", "group"):
        await page.get_by_role("button", name=f"Remove {name}", exact=True).click()
        await expect(page.get_by_role("button", name=f"Remove {name}", exact=True)).to_have_count(0)


async def test_everything_that_a_field_may_say_is_set_and_taken_away(browse: Browse, dev: Dev) -> None:
    page = await at_work(browse, dev, "/app/definitions/new", viewport=WIDE)
    await palette(page, "Form").click()
    await page.get_by_role("button", name="name Text", exact=True).click()
    field = page.get_by_role("listitem").filter(has=page.get_by_role("button", name="name Text", exact=True))
    keywords = a_field().keys() - BY_HAND
    for _ in keywords:
        await field.get_by_role("button", name="More…").click()
        await page.get_by_role("menuitem").first.click()
    await expect(field.get_by_role("button", name="More…")).to_have_count(0)
    text = (await kept(page))["text"]
    for keyword in keywords:
        assert f"{keyword}: " in text, text
    remove = field.get_by_role("button", name="Remove ")
    for left in range(len(keywords), 0, -1):
        # The first one removes the field itself.
        await expect(remove).to_have_count(left + 1)
        await remove.nth(1).click()
    await expect(page.get_by_text("No problems")).to_be_visible()


async def test_options_have_texts_in_each_language_and_a_phone_has_its_country(browse: Browse, dev: Dev) -> None:
    page = await at_work(browse, dev, "/app/definitions/new", viewport=WIDE)
    await palette(page, "Form").click()
    for field in ("One of several", "Phone number"):
        await page.get_by_role("combobox", name="Add a field", exact=True).click()
        await page.get_by_role("option", name=field, exact=True).click()
    await page.get_by_role("combobox", name="Country of the number").click()
    await page.get_by_role("option", name="Poland (PL)").click()
    await page.get_by_role("button", name="choice One of several").click()
    await page.get_by_role("button", name="Give them texts").click()
    await page.get_by_label("Option 1", exact=True).fill("PL")
    await page.get_by_role("button", name="Translate Text of option 1").click()
    await page.get_by_role("group", name="Text of option 1").get_by_label("Polish").fill("Polska")
    await page.get_by_role("button", name="Add an option").click()
    await page.get_by_role("button", name="Remove Option 2").click()
    await page.get_by_role("combobox", name="Shown only if").fill("form.")
    await page.get_by_role("option", name="form.phone").click()
    await expect(page.get_by_role("combobox", name="Shown only if")).to_have_value("form.phone")
    await page.get_by_role("combobox", name="Shown only if").fill("has(form.phone)")
    await expect(page.get_by_text("No problems")).to_be_visible()
    form = read_source((await kept(page))["text"]).value["steps"][0]["form"]["schema"]["properties"]
    assert form["phone"]["defaultCountry"] == "PL"
    assert form["choice"]["oneOf"] == [
        {"const": "PL", "title": {"en": "first", "pl": "Polska"}},
        {"const": "option", "title": "option"},
    ]


async def test_what_is_drawn_changes_only_its_own_place_of_the_text(browse: Browse, dev: Dev) -> None:
    name = f"opening-{uuid4().hex[:6]}"
    text = TEXT.format(name=name)

    def push() -> str:
        with dev.api() as api:
            answer = api.post("/definitions", content=text.encode(), headers={"Content-Type": "text/yaml"})
            answer.raise_for_status()
            return str(answer.json()["id"])

    definition = await asyncio.to_thread(push)
    page = await at_work(browse, dev, f"/app/definitions/{definition}/edit", viewport=WIDE)
    await page.get_by_role("button", name="You Form").click()
    await page.get_by_label("Title", exact=True).fill("It's you")
    draft = await kept(page)
    assert draft["text"] == text.replace("'You'", "'It''s you'")
    assert (draft["definitionId"], draft["baseRevision"]) == (definition, 1)
    await page.get_by_role("button", name="Undo").click()
    await expect(page.get_by_label("Title", exact=True)).to_have_value("You")
    await page.get_by_role("button", name="Redo").click()
    await page.get_by_role("button", name="Publish…").click()
    await expect(page.get_by_role("dialog").get_by_text("form.title")).to_be_visible()


async def test_the_outline_is_worked_by_keyboard_alone_and_is_accessible(browse: Browse, dev: Dev) -> None:
    page = await at_work(browse, dev, "/app/definitions/new", viewport=WIDE)
    for name in ("Form", "Values", "Message"):
        await palette(page, name).focus()
        await page.keyboard.press("Enter")
    await page.get_by_role("radio", name="Outline").focus()
    await page.keyboard.press("Space")
    await page.get_by_role("treeitem", selected=True).focus()
    await page.keyboard.press("Alt+ArrowUp")
    await expect(page.get_by_role("treeitem").nth(2)).to_contain_text("Message")
    await page.keyboard.press("ArrowUp")
    await expect(page.get_by_role("treeitem", selected=True)).to_contain_text("Form")
    await page.keyboard.press("End")
    await page.keyboard.press("Delete")
    await expect(page.get_by_role("treeitem")).to_have_count(3)
    await accessible(page)
    await page.emulate_media(color_scheme="dark")
    await accessible(page, only_colours=True)


async def test_the_page_is_clicked_through_and_kept_as_a_scenario(browse: Browse, dev: Dev) -> None:
    page = await at_work(browse, dev, "/app/definitions/new", viewport=WIDE)
    for name in ("Form", "Consent", "Message"):
        await palette(page, name).click()
    await expect(page.get_by_text("No problems")).to_be_visible()
    await page.get_by_role("button", name="About you Form").click()
    await page.get_by_role("radio", name="Page", exact=True).focus()
    await page.keyboard.press("Space")
    frame = page.frame_locator("iframe")
    await frame.get_by_role("textbox").fill("Ada")
    await frame.get_by_role("button", name="Continue").click()
    await frame.get_by_role("checkbox").check()
    await frame.get_by_role("button", name="Continue").click()
    await expect(frame.get_by_role("checkbox"), "the next page is there").to_have_count(0)
    await page.get_by_role("button", name="Keep as a scenario").click()
    await expect(page.get_by_text("1 passed")).to_be_visible()
    draft = await kept(page)
    assert "name: Ada" in draft["scenarios"]


async def test_who_comes_second_sees_what_the_first_saved_and_loses_nothing(browse: Browse, dev: Dev) -> None:
    def make(api: httpx.Client) -> dict[str, Any]:
        body = {"name": "Together", "text": TEXT.format(name="together"), "shared": True}
        answer = api.post("/drafts", json=body)
        assert answer.is_success, answer.text
        return dict(answer.json())

    def other(api: httpx.Client, draft: dict[str, Any]) -> None:
        text = draft["text"].replace("'You'", "'Them'")
        api.patch(f"/drafts/{draft['id']}", json={"text": text}, headers={"If-Match": '"1"'}).raise_for_status()

    with dev.api() as api:
        draft = await asyncio.to_thread(make, api)
        page = await at_work(browse, dev, f"/app/drafts/{draft['id']}", viewport=WIDE)
        browse.watched(page).refusals_expected = True
        faster = [other]

        async def hold(route: Route) -> None:
            """The page's own save goes on once somebody else's is in."""
            if route.request.method == "PATCH" and faster:
                await asyncio.to_thread(faster.pop(), api, draft)
            await route.continue_()

        await page.route("**/drafts/*", hold)
        await page.get_by_role("button", name="You Form").click()
        await page.get_by_label("Title", exact=True).fill("Me")
        await expect(page.get_by_role("button", name="Take theirs, and undo to see mine")).to_be_visible()
    await page.get_by_role("button", name="Take theirs, and undo to see mine").click()
    await expect(page.get_by_label("Title", exact=True)).to_have_value("Them")
    await page.get_by_role("button", name="Undo").click()
    await expect(page.get_by_label("Title", exact=True)).to_have_value("Me")


async def test_two_people_in_one_draft_see_each_other_and_keep_both_changes(browse: Browse, dev: Dev) -> None:
    def make(api: httpx.Client) -> dict[str, Any]:
        body = {"name": "Both", "text": TEXT.format(name="both"), "shared": True}
        return dict(api.post("/drafts", json=body).raise_for_status().json())

    def save(api: httpx.Client, path: str) -> None:
        api.post(f"{path}/presence").raise_for_status()
        there = api.get(path).json()
        text, version = there["text"].replace("Bye", "See you"), there["version"]
        api.patch(path, json={"text": text}, headers={"If-Match": f'"{version}"'}).raise_for_status()

    with dev.api() as api:
        path = f"/drafts/{(await asyncio.to_thread(make, api))['id']}"
        page = await at_work(browse, dev, f"/app{path}", viewport=WIDE)
        browse.watched(page).refusals_expected = True
        await page.get_by_role("button", name="You Form").click()
        await asyncio.to_thread(save, api, path)
        await page.get_by_label("Title", exact=True).fill("Me")
        await expect(page.get_by_text("Also here:")).to_be_visible()
        await expect(page.get_by_text("text: See you")).to_be_visible()
        await expect(page.get_by_label("Title", exact=True)).to_have_value("Me")
        text = (await kept(page))["text"]
    assert "'Me'" in text
    assert "See you" in text


async def test_a_draft_is_compared_with_what_is_published_and_with_another_draft(browse: Browse, dev: Dev) -> None:
    name = f"compared-{uuid4().hex[:6]}"
    text = TEXT.format(name=name)

    def make() -> str:
        with dev.api() as api:
            pushed = api.post("/definitions", content=text.encode(), headers={"Content-Type": "text/yaml"})
            about = {"definitionId": pushed.raise_for_status().json()["id"], "baseRevision": 1, "shared": True}
            api.post("/drafts", json={"name": f"{name} B", "text": text.replace("Bye", "Later"), **about})
            mine = api.post("/drafts", json={"name": f"{name} A", "text": text.replace("'You'", "Me"), **about})
            return str(mine.raise_for_status().json()["id"])

    draft = await asyncio.to_thread(make)
    page = await at_work(browse, dev, f"/app/drafts/{draft}", viewport=WIDE)
    await page.get_by_role("button", name="Compare…").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_text("form.title")).to_be_visible()
    await expect(dialog.get_by_text("message.text")).to_have_count(0)
    await dialog.get_by_role("combobox", name="What changes from").click()
    await page.get_by_role("option", name=f"{name} B").click()
    await expect(dialog.get_by_text("message.text")).to_be_visible()
    await expect(dialog.get_by_text("form.title")).to_be_visible()
    await accessible(page)


async def test_what_an_expression_gives_is_shown_while_it_is_typed(browse: Browse, dev: Dev) -> None:
    page = await at_work(browse, dev, "/app/definitions/new", viewport=WIDE)
    for name in ("Form", "Choice"):
        await palette(page, name).click()
    condition = page.get_by_role("combobox", name="Only if").first
    await condition.fill("steps.form.n")
    await page.get_by_role("option", name="steps.form.name").click()
    await condition.fill("size(steps.form.name) > 3")
    await expect(page.get_by_text("= true", exact=True)).to_be_visible()
    await page.get_by_role("textbox", name="steps.form.name").fill("Ada")
    await expect(page.get_by_text("= false", exact=True)).to_be_visible()
    await accessible(page)


async def test_a_request_is_tried_for_real_and_what_changes_something_is_asked_about_first(
    browse: Browse, dev: Dev
) -> None:
    page = await at_work(browse, dev, "/app/definitions/new", viewport=WIDE)
    await palette(page, "Values").click()
    await palette(page, "HTTP call").click()
    echo = answering("HTTP/1.1 200 OK\nContent-Type: application/json\nX-Api-Key: hidden", b'{"found": true}')
    async with serving(echo) as server:
        address = page.get_by_role("textbox", name="Address")
        await address.fill("")
        # The field becomes another one with the first `${`: who types goes on typing.
        await address.press_sequentially(f"http://127.0.0.1:{server.port}/of/${{steps.set.value}}")
        address = page.get_by_role("combobox", name="Address")
        await expect(address).to_have_value(f"http://127.0.0.1:{server.port}/of/${{steps.set.value}}")
        await expect(page.locator("header [data-tone][aria-busy=false]")).to_be_visible()
        tried = page.get_by_role("group", name="Try", exact=True)
        await tried.get_by_role("textbox", name="steps.set.value").fill("7")
        await tried.get_by_role("button", name="Send now").click()
        await expect(tried.get_by_text(f"GET http://127.0.0.1:{server.port}/of/7")).to_be_visible()
        await expect(tried.get_by_text('"found": true').first).to_be_visible()
        await expect(tried.get_by_text("The step gives")).to_be_visible()
        await expect(tried.get_by_text("hidden")).to_have_count(0)
        await accessible(page)
        await page.get_by_role("combobox", name="Method").click()
        await page.get_by_role("option", name="POST", exact=True).click()
        await expect(page.locator("header [data-tone][aria-busy=false]")).to_be_visible()
        await tried.get_by_role("button", name="Send now").click()
        await page.get_by_role("dialog").get_by_role("button", name="Send POST").click()
        await expect(tried.get_by_text(f"POST http://127.0.0.1:{server.port}/of/7")).to_be_visible()
        assert [head.split(b" ")[0] for head in server.heads] == [b"GET", b"POST"]
    await address.fill("http://10.0.0.1/")
    await expect(page.locator("header [data-tone][aria-busy=false]")).to_be_visible()
    await tried.get_by_role("button", name="Send now").click()
    await page.get_by_role("dialog").get_by_role("button", name="Send POST").click()
    await expect(tried.get_by_text("EGRESS_REFUSED")).to_be_visible()


async def test_an_email_is_formatted_by_buttons_and_shown_as_it_will_be_sent(browse: Browse, dev: Dev) -> None:
    page = await at_work(browse, dev, "/app/definitions/new", viewport=WIDE)
    await palette(page, "Form").click()
    await palette(page, "E-mail").click()
    await page.get_by_label("To", exact=True).fill("ada@example.com")
    body = page.get_by_role("textbox", name="Text", exact=True).or_(
        page.get_by_role("textbox", name="Body", exact=True)
    )
    await body.fill("Hello")
    await body.select_text()
    await page.get_by_role("button", name="Bold").click()
    await expect(body).to_have_value("**Hello**")
    await body.press("End")
    await body.press_sequentially(" ${steps.form.n")
    await page.get_by_role("option", name="steps.form.name").click()
    await expect(body).to_have_value("**Hello** ${steps.form.name}")
    letter = page.get_by_role("group", name="As its receiver sees it")
    await letter.get_by_role("textbox", name="steps.form.name").fill("*Ada*")
    frame = page.frame_locator("iframe[title='The e-mail as it will be']")
    await expect(frame.locator("strong")).to_have_text("Hello")
    await expect(frame.locator("p")).to_have_text("Hello *Ada*")
    assert await frame.locator("body").evaluate("body => getComputedStyle(body).fontSize") == "16px"
    await letter.get_by_text("Dark").click()
    assert await frame.locator("html").evaluate("html => getComputedStyle(html).colorScheme") == "dark"
    await letter.get_by_text("Text alone").click()
    await expect(letter.locator("pre")).to_have_text("Hello *Ada*")
    await accessible(page)
    draft = await kept(page)
    assert "format: markdown" in draft["text"]


async def test_new_steps_have_names_of_their_own(browse: Browse, dev: Dev) -> None:
    page = await at_work(browse, dev, "/app/definitions/new", viewport=WIDE)
    for name in ("Form", "Upload", "Consent", "Message", "E-mail", "Review"):
        await palette(page, name).click()
    await page.get_by_text("Outline", exact=True).click()
    titles = await page.get_by_role("treeitem").all_inner_texts()
    assert len(set(titles)) == 7, titles
    assert not [title for title in titles if "page" in title], titles


async def test_the_text_completes_keys_of_every_level(browse: Browse, dev: Dev) -> None:
    page = await at_work(browse, dev, "/app/definitions/new", viewport=WIDE)
    await palette(page, "Form").click()
    await page.locator(".cm-line", has_text="name:").last.click()
    await page.keyboard.press("End")
    await page.keyboard.type("\n        age: {type: integer, mini", delay=20)
    await page.locator(".cm-tooltip-autocomplete").get_by_text("minimum", exact=True).click()
    await expect(page.locator(".cm-content")).to_contain_text("age: {type: integer, minimum: ")
