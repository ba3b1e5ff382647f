"""Records in the dashboard: found, made, changed and brought back, by mouse and by keyboard alone."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.async_api import FilePayload, Locator, Page, Route, expect

from tests.acceptance.running import Dev
from tests.browser.browsing import NARROW, Browse, accessible, fits
from tests.browser.signing_in import at_work

FIELDS = [
    {"name": "name", "type": "text", "title": {"en": "Name", "pl": "Nazwa"}, "required": True, "indexed": True},
    {"name": "email", "type": "email", "unique": True},
    {"name": "age", "type": "integer", "indexed": True},
    {"name": "state", "type": "singleSelect", "options": [{"value": "new"}, {"value": "known"}], "indexed": True},
    {"name": "good", "type": "checkbox"},
    {"name": "more", "type": "json"},
]


@pytest.fixture
def table(api: httpx.Client) -> str:
    """A table of this test's own, with three records."""
    name = f"crew_{uuid4().hex[:8]}"
    assert api.post("/tables", json={"name": name, "fields": FIELDS}).status_code == 201
    for number, person in enumerate(("Ada", "Bartek", "<b>Zoë</b>")):
        values = {"name": person, "email": f"{number}@example.com", "age": 30 + number, "state": "new"}
        assert api.post(f"/tables/{name}/records", json=values).status_code == 201
    return name


def rows(page: Page) -> Locator:
    """The records of the grid that are drawn."""
    return page.get_by_role("rowheader")


def cell(page: Page, row: int, column: int) -> Locator:
    """A cell of the grid; row 0 is the first record, column 0 the row's own cell."""
    return page.locator(f"[data-row='{row}'] [data-column='{column}']")


def unsaved(page: Page) -> Locator:
    """The cells whose text is not in the server's answer."""
    return page.locator("[data-column][data-state]")


async def pasted(page: Page, text: str) -> None:
    """A spreadsheet's block comes from the clipboard into what has the focus."""
    await page.evaluate(
        "text => { const data = new DataTransfer(); data.setData('text/plain', text);"
        " document.activeElement.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true})); }",
        text,
    )


async def told(api: httpx.Client, method: str, path: str, body: Any = None) -> Any:
    answer = await asyncio.to_thread(api.request, method, path, json=body)
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


async def values(api: httpx.Client, table: str, field: str) -> list[Any]:
    """A field of every record, newest first, as the grid has them."""
    return [record[field] for record in (await told(api, "GET", f"/tables/{table}/records"))["data"]]


async def test_records_are_found_by_words_and_conditions_that_stand_in_the_address(
    browse: Browse, dev: Dev, table: str
) -> None:
    page = await at_work(browse, dev, f"/app/records/{table}")
    await expect(rows(page)).to_have_count(3)
    await expect(page.get_by_role("gridcell", name="<b>Zoë</b>")).to_be_visible()
    await page.get_by_role("searchbox", name="Search").fill("bartek")
    await expect(rows(page)).to_have_count(1)
    assert "text=bartek" in page.url
    await page.get_by_role("searchbox", name="Search").fill("")
    await expect(rows(page)).to_have_count(3)
    await page.get_by_role("button", name="Add filter").click()
    await page.get_by_role("combobox", name="Field").click()
    await page.get_by_role("option", name="age").click()
    await page.get_by_role("combobox", name="Comparison").click()
    await page.get_by_role("option", name="at least").click()
    await page.get_by_role("textbox", name="Value").fill("31")
    await expect(rows(page)).to_have_count(2)
    await page.reload()
    await expect(rows(page)).to_have_count(2)
    await accessible(page)


async def test_a_search_that_lacks_an_index_says_so_offers_one_and_goes_on(
    browse: Browse, dev: Dev, api: httpx.Client, table: str
) -> None:
    """The table is small: that its search takes too long is what the server says of a large one."""
    page = await at_work(browse, dev, f"/app/records/{table}")
    browse.watched(page).refusals_expected = True

    async def too_slow(route: Route) -> None:
        [good] = [one for one in (await told(api, "GET", f"/tables/{table}"))["fields"] if one["name"] == "good"]
        if "good" not in (route.request.post_data or "") or good["index"] == "ready":
            return await route.continue_()
        errors = [{"code": "SEARCH_TOO_SLOW", "message": "the search took more than 2 s", "pointer": "/sort"}]
        return await route.fulfill(status=400, json={"fingerprint": str(uuid4()), "errors": errors})

    await page.route("**/records/search", too_slow)
    await page.goto(f"/app/records/{table}?sort=good")
    failure = page.get_by_role("alert").filter(has_text="This search takes too long")
    await expect(failure).to_contain_text("“good” has no index")
    await accessible(page)
    await failure.get_by_role("button", name="Take away order and filters").click()
    await expect(rows(page)).to_have_count(3)
    await page.goto(f"/app/records/{table}?sort=good&kind=gallery")
    await failure.get_by_role("button", name="Make the index").click()
    await expect(page.get_by_role("link", name="Ada")).to_be_visible()
    [good] = [one for one in (await told(api, "GET", f"/tables/{table}"))["fields"] if one["name"] == "good"]
    assert good["indexed"]


async def test_by_keyboard_alone_cells_are_written_refused_and_taken_back(
    browse: Browse, dev: Dev, api: httpx.Client, table: str
) -> None:
    page = await at_work(browse, dev, f"/app/records/{table}")
    await expect(rows(page)).to_have_count(3)
    await cell(page, 0, 1).focus()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.type("Bronisław")
    await page.keyboard.press("Tab")
    await expect(cell(page, 1, 2)).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Escape")
    await expect(cell(page, 1, 2)).to_be_focused()
    await page.keyboard.press("ArrowRight")
    await page.keyboard.type("old")
    await page.keyboard.press("Enter")
    await page.keyboard.press("ArrowUp")
    await expect(cell(page, 1, 3)).to_have_attribute("aria-invalid", "true")
    await expect(page.get_by_role("alert").filter(has_text="age is not saved")).to_be_visible()
    await expect(cell(page, 1, 3)).to_have_text("old")
    await accessible(page)
    await page.keyboard.press("Escape")
    await expect(cell(page, 1, 3)).to_have_text("31")
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Enter")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(cell(page, 1, 4)).to_have_text("known")
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Space")
    await expect(cell(page, 1, 5)).to_have_text("Yes")
    await expect(unsaved(page)).to_have_count(0)
    record = (await told(api, "GET", f"/tables/{table}/records"))["data"][1]
    assert (record["name"], record["age"], record["state"], record["good"]) == ("Bronisław", 31, "known", True)
    for _ in range(4):
        await page.keyboard.press("Control+z")
    await expect(cell(page, 1, 1)).to_have_text("Bartek")
    await page.keyboard.press("Control+Shift+Z")
    await expect(cell(page, 1, 1)).to_have_text("Bronisław")
    await page.keyboard.press("Home")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("tab", name="Fields")).to_be_visible()


async def test_a_pasted_block_is_shown_before_it_changes_anything(
    browse: Browse, dev: Dev, api: httpx.Client, table: str
) -> None:
    page = await at_work(browse, dev, f"/app/records/{table}")
    await expect(rows(page)).to_have_count(3)
    await cell(page, 1, 1).click()
    await pasted(page, "Basia\tbasia@example.com\tmany\nAdela\t0@example.org\t41\n=1+1\tnew@example.com\t7\n")
    dialog = page.get_by_role("dialog", name="Paste 3 rows?")
    await expect(dialog.get_by_text("This is no whole number")).to_be_visible()
    await expect(dialog.get_by_role("row", name="New record")).to_be_visible()
    await accessible(page)
    assert await values(api, table, "name") == ["<b>Zoë</b>", "Bartek", "Ada"]
    await dialog.get_by_role("button", name="Do only what is right: 2 records").click()
    await expect(dialog).to_have_count(0)
    await expect(rows(page)).to_have_count(4)
    assert await values(api, table, "name") == ["=1+1", "<b>Zoë</b>", "Bartek", "Adela"]
    await cell(page, 0, 1).focus()
    await page.keyboard.press("Control+z")
    await expect(rows(page)).to_have_count(3)
    assert await values(api, table, "name") == ["<b>Zoë</b>", "Bartek", "Ada"]


async def test_what_two_people_write_into_one_cell_is_told_to_the_second(
    browse: Browse, dev: Dev, api: httpx.Client, table: str
) -> None:
    page = await at_work(browse, dev, f"/app/records/{table}")
    await expect(rows(page)).to_have_count(3)
    record = (await told(api, "GET", f"/tables/{table}/records"))["data"][0]
    await cell(page, 0, 1).click()
    await page.keyboard.type("Mine")
    await told(api, "PATCH", f"/tables/{table}/records/{record['id']}", {"name": "Theirs", "age": 77})
    await page.keyboard.press("Enter")
    await page.keyboard.press("ArrowUp")
    await expect(page.get_by_text("somebody else has written “Theirs” meanwhile")).to_be_visible()
    await expect(cell(page, 0, 3)).to_have_text("77")
    await page.get_by_role("button", name="Write mine").click()
    await expect(unsaved(page)).to_have_count(0)
    assert await values(api, table, "name") == ["Mine", "Bartek", "Ada"]


async def test_what_is_typed_without_a_connection_or_a_session_is_kept_and_sent_later(
    browse: Browse, dev: Dev, api: httpx.Client, table: str
) -> None:
    page = await at_work(browse, dev, f"/app/records/{table}")
    browse.watched(page).refusals_expected = True
    await expect(rows(page)).to_have_count(3)
    await page.context.set_offline(True)
    await cell(page, 0, 1).click()
    await page.keyboard.type("Typed while away")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("1 cell waits for the connection; it is kept")).to_be_visible()
    await expect(page.get_by_text("The server cannot be reached")).to_be_visible()
    await page.context.set_offline(False)
    await page.evaluate("dispatchEvent(new Event('online'))")
    await expect(unsaved(page)).to_have_count(0)
    assert (await values(api, table, "name"))[0] == "Typed while away"
    await page.context.clear_cookies()
    await cell(page, 1, 1).click()
    await page.keyboard.type("Typed without a session")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog", name="Your session has ended")).to_be_visible()
    beside = await page.context.new_page()
    await beside.goto("/sign-in")
    await beside.locator("input[type=email]").fill(dev.demo["user"]["email"])
    await beside.locator("input[type=password]").fill(dev.demo["user"]["password"])
    await beside.keyboard.press("Enter")
    await beside.wait_for_url(lambda address: "/sign-in" not in address)
    await page.bring_to_front()
    await page.evaluate("dispatchEvent(new Event('focus'))")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(unsaved(page)).to_have_count(0)
    assert (await values(api, table, "name"))[1] == "Typed without a session"


async def test_a_field_of_several_records_is_set_after_a_look_at_what_changes(
    browse: Browse, dev: Dev, api: httpx.Client, table: str
) -> None:
    page = await at_work(browse, dev, f"/app/records/{table}")
    await expect(rows(page)).to_have_count(3)
    await cell(page, 0, 0).click(position={"x": 14, "y": 16})
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Space")
    await expect(page.get_by_text("2 selected")).to_be_visible()
    await accessible(page)
    await page.get_by_role("button", name="Set a field").click()
    dialog = page.get_by_role("dialog", name="Set a field of 2 records")
    await dialog.get_by_role("combobox", name="Field").click()
    await page.get_by_role("option", name="state").click()
    await dialog.get_by_role("combobox", name="Value").click()
    await page.get_by_role("option", name="known").click()
    await dialog.get_by_role("button", name="See what changes").click()
    await expect(dialog.get_by_text("2 records change.")).to_be_visible()
    await dialog.get_by_role("button", name="Do it for 2 records").click()
    await expect(dialog).to_have_count(0)
    assert await values(api, table, "state") == ["known", "known", "new"]
    await cell(page, 0, 0).focus()
    await page.keyboard.press("Control+z")
    await expect(cell(page, 0, 4)).to_have_text("new")
    assert await values(api, table, "state") == ["new", "new", "new"]


async def test_a_record_is_made_and_what_is_wrong_stands_at_its_field(browse: Browse, dev: Dev, table: str) -> None:
    page = await at_work(browse, dev, f"/app/records/{table}/new")
    browse.watched(page).refusals_expected = True
    await page.get_by_role("textbox", name="email", exact=True).fill("0@example.com")
    await page.get_by_role("button", name="Create").click()
    await expect(page.get_by_role("textbox", name="Name", exact=True)).to_have_attribute("aria-invalid", "true")
    await expect(page.get_by_role("textbox", name="email", exact=True)).to_have_value("0@example.com")
    await page.get_by_role("textbox", name="Name", exact=True).fill("Celina")
    await page.get_by_role("textbox", name="email", exact=True).fill("celina@example.com")
    await page.get_by_role("textbox", name="more", exact=True).fill('{"a": [1, 2]}')
    await page.get_by_role("button", name="Create").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Celina")
    await page.get_by_role("tab", name="History").click()
    await expect(page.get_by_text("celina@example.com")).to_be_visible()
    await accessible(page)


async def test_two_people_change_one_record_and_nobody_loses_what_they_typed(
    browse: Browse, dev: Dev, api: httpx.Client, table: str
) -> None:
    record = await asyncio.to_thread(lambda: api.get(f"/tables/{table}/records").json()["data"][0])
    page = await at_work(browse, dev, f"/app/records/{table}/{record['id']}")
    browse.watched(page).refusals_expected = True
    await page.get_by_role("textbox", name="Name", exact=True).fill("Typed by me")
    address = f"/tables/{table}/records/{record['id']}"
    assert (await asyncio.to_thread(api.patch, address, json={"age": 77})).status_code == 200
    await expect(page.get_by_text("Somebody else has changed this record")).to_be_visible()
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("textbox", name="age", exact=True)).to_have_value("77")
    await expect(page.get_by_role("textbox", name="Name", exact=True)).to_have_value("Typed by me")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Typed by me")
    now = (await asyncio.to_thread(api.get, address)).json()
    assert (now["name"], now["age"]) == ("Typed by me", 77)


async def test_by_keyboard_alone_a_record_is_opened_commented_on_deleted_and_brought_back(
    browse: Browse, dev: Dev, table: str
) -> None:
    page = await at_work(browse, dev, f"/app/records/{table}")
    await expect(rows(page)).to_have_count(3)
    await cell(page, 0, 0).focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("tab", name="Fields")).to_be_visible()
    await page.get_by_role("tab", name="Comments").focus()
    await page.keyboard.press("Enter")
    await page.get_by_label("Comment", exact=True).focus()
    await page.keyboard.type("Seen <script>alert(1)</script>")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    # In the list: the text of the box would be found as well, before the comment is written.
    await expect(page.get_by_role("listitem").filter(has_text="Seen <script>alert(1)</script>")).to_be_visible()
    await page.get_by_role("button", name="Delete").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog").get_by_role("button", name="Delete")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(rows(page)).to_have_count(2)
    await page.get_by_role("button", name="Bring it back").focus()
    await page.keyboard.press("Enter")
    await expect(rows(page)).to_have_count(3)


async def test_dark_polish_and_narrow(browse: Browse, dev: Dev, table: str) -> None:
    page = await at_work(browse, dev, f"/app/records/{table}", dark=True, locale="pl", viewport=NARROW)
    # A spreadsheet is of no use on a phone: records are cards there, unless a grid is asked for.
    await expect(page.get_by_role("link", name="<b>Zoë</b>")).to_be_visible()
    await accessible(page)
    await fits(page)
    await page.get_by_text("Siatka").click()
    await expect(rows(page)).to_have_count(3)
    await accessible(page)
    await fits(page)
    await page.get_by_role("row").nth(1).get_by_role("link").click()
    await expect(page.get_by_role("textbox", name="Nazwa", exact=True)).to_be_visible()
    await accessible(page)
    await fits(page)


async def test_a_view_is_saved_shared_and_opened_again_and_a_card_of_its_board_moves_by_keyboard(
    browse: Browse, dev: Dev, api: httpx.Client, table: str
) -> None:
    page = await at_work(browse, dev, f"/app/records/{table}")
    await page.get_by_text("Board", exact=True).click()
    await expect(page.get_by_role("region", name="new").get_by_role("group")).to_have_count(3)
    await page.get_by_role("button", name="All records").click()
    await page.get_by_role("menuitem", name="Save as a new view").click()
    dialog = page.get_by_role("dialog", name="Save this view")
    await dialog.get_by_role("textbox", name="Name").fill("Crew by state")
    await dialog.get_by_role("checkbox", name="Share it").check()
    await dialog.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("button", name="Crew by state")).to_be_visible()
    await accessible(page)
    await page.get_by_role("region", name="new").get_by_role("group", name="Ada").focus()
    await page.keyboard.press("Space")
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Space")
    await expect(page.get_by_role("region", name="known").get_by_role("group", name="Ada")).to_be_visible()
    await expect(page.get_by_role("button", name="Undo")).to_be_visible()
    assert await values(api, table, "state") == ["new", "new", "known"]
    await page.get_by_role("button", name="Undo").click()
    await expect(page.get_by_role("region", name="new").get_by_role("group")).to_have_count(3)
    await page.goto(f"/app/records/{table}")
    await expect(rows(page)).to_have_count(3)
    await page.get_by_role("button", name="All records").click()
    await page.get_by_role("menuitem", name="Crew by state").click()
    await expect(page.get_by_role("region", name="new")).to_be_visible()
    assert "kind=board" in page.url


async def test_a_file_is_mapped_tried_imported_and_its_wrong_rows_are_told(
    browse: Browse, dev: Dev, api: httpx.Client, table: str
) -> None:
    page = await at_work(browse, dev, f"/app/records/{table}/import")
    rows_of_file = "Nazwa;E-mail;Remarks;AGE\nCelina;c@example.com;x;41\nDaniel;0@example.com;y;old\n"
    file: FilePayload = {"name": "crew.csv", "mimeType": "text/csv", "buffer": rows_of_file.encode()}
    await page.locator("input[type=file]").set_input_files(file)
    await expect(page.get_by_role("combobox", name="Field of the column Nazwa")).to_have_value("Name")
    await expect(page.get_by_role("combobox", name="Field of the column Remarks")).to_have_value("")
    await page.get_by_role("button", name="Try it without writing").click()
    await expect(page.get_by_text("1 would be created, 0 updated, 1 refused. Nothing is written yet.")).to_be_visible()
    await expect(page.get_by_role("cell", name="must be a whole number")).to_be_visible()
    await accessible(page)
    assert len(await values(api, table, "name")) == 3
    await page.get_by_role("button", name="Import", exact=True).click()
    await expect(page.get_by_text("1 created, 0 updated, 1 refused.")).to_be_visible()
    assert await values(api, table, "age") == [41, 32, 31, 30]


async def test_duplicates_are_seen_side_by_side_and_merged(
    browse: Browse, dev: Dev, api: httpx.Client, table: str
) -> None:
    await told(api, "POST", f"/tables/{table}/records", {"name": "Adda", "age": 99})
    page = await at_work(browse, dev, f"/app/records/{table}/duplicates")
    await page.get_by_role("button", name="Find", exact=True).click()
    await expect(page.get_by_text("1 pair among 4 records.")).to_be_visible()
    await accessible(page)
    await page.get_by_role("button", name="Merge…").click()
    dialog = page.get_by_role("dialog", name="Merge two records")
    await dialog.get_by_role("row", name="age").get_by_role("radio").nth(1).check()
    await accessible(page)
    await dialog.get_by_role("button", name="Merge").click()
    await expect(dialog).to_have_count(0)
    found = await values(api, table, "age")
    assert (found, await values(api, table, "name")) == ([32, 31, 99], ["<b>Zoë</b>", "Bartek", "Ada"])


async def test_fields_are_changed_after_a_look_at_what_that_does(
    browse: Browse, dev: Dev, api: httpx.Client, table: str
) -> None:
    page = await at_work(browse, dev, f"/app/records/{table}/settings")
    await expect(page.get_by_text(f"name: {table}")).to_be_visible()
    await page.get_by_role("button", name="Remove age").click()
    await page.get_by_role("button", name="Add a field").click()
    new = page.get_by_role("group", name="New field")
    await new.get_by_role("textbox", name="Name").fill("city")
    await accessible(page)
    await page.get_by_role("button", name="See what it does").click()
    dialog = page.get_by_role("dialog", name="What this does")
    await expect(dialog.get_by_text("field city: text")).to_be_visible()
    await expect(dialog.get_by_role("button", name="Change the table")).to_be_disabled()
    await dialog.get_by_role("checkbox", name="Do it all the same").check()
    await expect(dialog.get_by_role("button", name="Change the table")).to_be_enabled()
    await accessible(page)
    await dialog.get_by_role("button", name="Change the table").click()
    await expect(dialog).to_have_count(0)
    fields = (await told(api, "GET", f"/tables/{table}"))["fields"]
    assert [field["name"] for field in fields] == ["name", "email", "state", "good", "more", "city"]


async def test_stored_script_is_a_text_wherever_a_record_is_shown(
    browse: Browse, dev: Dev, api: httpx.Client, table: str
) -> None:
    script = "<img src=x onerror=alert(1)>"
    record = await told(api, "POST", f"/tables/{table}/records", {"name": script, "more": {script: script}})
    await told(api, "POST", f"/tables/{table}/records/{record['id']}/comments", {"text": script})
    page = await at_work(browse, dev, f"/app/records/{table}")
    await expect(page.get_by_role("gridcell", name=script).first).to_be_visible()
    for kind in ("board", "gallery"):
        await page.goto(f"/app/records/{table}?kind={kind}")
        await expect(page.get_by_role("link", name=script)).to_be_visible()
    await page.get_by_role("link", name=script).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(script)
    for tab in ("Comments", "History", "Related"):
        await page.get_by_role("tab", name=tab).click()
    # What ran would have asked for the picture, or opened a dialogue, which the end of the test finds.
    assert await page.locator("img[src=x]").count() == 0
