"""Administration in the dashboard: each page by mouse, and by the keyboard alone."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Download, Locator, Page, Route, expect

from tests.acceptance.running import Dev
from tests.browser.browsing import Browse, accessible
from tests.browser.signing_in import at_work

STEP_UP = {"fingerprint": "f", "errors": [{"code": "STEP_UP_REQUIRED", "message": "prove who you are"}]}
HEAD = (
    '"id","schema","name","aliases","birth_date","countries","addresses","identifiers","sanctions","phones","emails",'
    '"dataset","first_seen","last_seen","last_change"\n'
)
ENTRY = (
    '"a-1","Person","Ewa Testowa","","1970-01-01","pl","","","","","","test","2026-01-01","2026-01-01","2026-01-01"\n'
)
MOST_STOPS = 200


async def call(api: httpx.Client, method: str, path: str, **more: Any) -> httpx.Response:
    """Call the API without holding up the page."""
    return await asyncio.to_thread(api.request, method, path, **more)


async def text_of(download: Awaitable[Download]) -> str:
    """What a file has that was handed to the person."""
    path = await (await download).path()
    return await asyncio.to_thread(path.read_text)


async def reach(page: Page, wanted: Locator) -> None:
    """Go to a control with Tab alone."""
    await expect(wanted).to_be_visible()
    for _ in range(MOST_STOPS):
        if await wanted.evaluate("one => one === document.activeElement"):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {wanted}")


async def press(page: Page, wanted: Locator, key: str = "Enter") -> None:
    """Use a control with the keyboard alone."""
    await reach(page, wanted)
    await page.keyboard.press(key)


async def typed(page: Page, wanted: Locator, text: str) -> None:
    """Write into a field with the keyboard alone, in the place of what is there."""
    await reach(page, wanted)
    await page.keyboard.press("Control+a")
    await page.keyboard.type(text)


async def invited(dev: Dev, name: str) -> dict[str, Any]:
    """A user of the organization, made as a provider of SCIM makes them."""
    body = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": f"{name}@example.com", "active": True,
            "name": {"givenName": name.capitalize(), "familyName": "Testowa"}}  # fmt: skip

    def make() -> dict[str, Any]:
        with dev.api() as api:
            answer = api.post("/scim/v2/Users", json=body)
            assert answer.status_code == 201, answer.text
            made: dict[str, Any] = answer.json()
            return made

    return await asyncio.to_thread(make)


@pytest_asyncio.fixture(loop_scope="session")
async def somebody(dev: Dev) -> AsyncIterator[str]:
    """The first name of a user who is there."""
    name = f"ewa{uuid4().hex[:8]}"
    await invited(dev, name)
    yield name


async def test_members_are_searched_filtered_and_the_address_says_so(browse: Browse, dev: Dev, somebody: str) -> None:
    page = await at_work(browse, dev, "/app/settings/members")
    await page.get_by_role("searchbox", name="Search by name or address").fill(f"testowa {somebody}")
    row = page.locator("tbody tr")
    await expect(row).to_have_count(1)
    await expect(row).to_contain_text(f"{somebody}@example.com")
    await expect(page.get_by_text("1–1 of 1")).to_be_visible()
    assert "search=testowa" in page.url
    await page.get_by_role("combobox", name="Role").click()
    await page.get_by_role("option", name="Owner").click()
    await expect(page.get_by_text("Nobody is found")).to_be_visible()
    await accessible(page)
    await page.reload()
    await expect(page.get_by_text("Nobody is found")).to_be_visible()


async def test_members_by_keyboard(browse: Browse, dev: Dev, somebody: str) -> None:
    page = await at_work(browse, dev, "/app/settings/members")
    await typed(page, page.get_by_role("searchbox", name="Search by name or address"), somebody)
    await expect(page.locator("tbody tr")).to_have_count(1)
    await press(page, page.get_by_role("button", name=f"Deactivate {somebody.capitalize()} Testowa"))
    await press(page, page.get_by_role("dialog").get_by_role("button", name="Deactivate"))
    await expect(page.get_by_text("can sign in no more.")).to_be_visible()
    await expect(page.locator("tbody tr")).to_contain_text("Deactivated")


async def test_somebody_gets_access_another_role_and_is_removed(browse: Browse, dev: Dev, somebody: str) -> None:
    page = await at_work(browse, dev, "/app/settings/access")
    await page.get_by_role("button", name="Add a member").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("combobox", name="User").fill(somebody)
    await page.get_by_role("option", name=somebody).click()
    await accessible(page)
    await dialog.get_by_role("button", name="Add a member").click()
    await expect(page.get_by_text("The member is added.")).to_be_visible()
    await page.get_by_role("searchbox").fill(somebody)
    row = page.locator("tbody tr").filter(has_text=somebody)
    await expect(row).to_have_count(1)
    await expect(page.locator("tbody tr")).to_have_count(1)
    await row.get_by_role("button", name="Role of").click()
    await page.get_by_role("menuitemradio", name="Viewer Sees").click()
    await expect(row.get_by_role("button", name="Role of")).to_contain_text("Viewer")
    await row.get_by_role("button", name="Remove").click()
    await page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    await expect(page.get_by_text("Nobody is found")).to_be_visible()


async def test_access_by_keyboard(browse: Browse, dev: Dev, somebody: str) -> None:
    page = await at_work(browse, dev, "/app/settings/access")
    await press(page, page.get_by_role("button", name="Add a member"))
    dialog = page.get_by_role("dialog")
    await typed(page, dialog.get_by_role("combobox", name="User"), somebody)
    await expect(page.get_by_role("option")).to_have_count(1)
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await press(page, dialog.get_by_role("button", name="Add a member"))
    await typed(page, page.get_by_role("searchbox"), somebody)
    await expect(page.locator("tbody tr")).to_have_count(1)
    await expect(page.locator("tbody tr")).to_contain_text("Operator")


async def test_a_role_is_made_with_a_grant_shown_in_the_matrix_changed_and_deleted(
    browse: Browse, dev: Dev, api: httpx.Client
) -> None:
    name, table = f"clerk-{uuid4().hex[:6]}", f"desk_{uuid4().hex[:6]}"
    fields = [{"name": "country", "type": "text"}, {"name": "note", "type": "text"}]
    assert (await call(api, "POST", "/tables", json={"name": table, "fields": fields})).status_code == 201
    page = await at_work(browse, dev, "/app/settings/roles/new")
    save = page.get_by_role("button", name="Save role")
    await expect(save).to_have_attribute("aria-disabled", "true")
    await page.get_by_label("Name", exact=True).fill(name)
    await page.get_by_role("checkbox", name="can_view_workspace").check()
    await page.get_by_role("button", name="Add a permission on one thing").click()
    grant = page.get_by_role("group", name="Permission 1", exact=True)
    await grant.get_by_role("combobox", name="Which table").click()
    await page.get_by_role("option", name=table).click()
    await grant.get_by_role("checkbox", name="can_read_data").check()
    await grant.get_by_role("combobox", name="Fields").click()
    await page.get_by_role("option", name="note").click()
    await page.keyboard.press("Escape")
    await grant.get_by_label("Records", exact=True).fill('record.country == "PL"')
    await accessible(page)
    await save.click()
    row = page.locator("tbody tr").filter(has_text=name)
    await expect(row.first).to_be_visible()
    await expect(page.get_by_text(f"Only: {table}").first).to_be_visible()
    kept = await asyncio.to_thread(_role, dev, name)
    assert (kept["grants"][0]["fields"], kept["grants"][0]["where"]) == (["note"], 'record.country == "PL"')
    await page.get_by_role("link", name=f"Open the role {name}").click()
    await page.get_by_label("What it is for").fill("Answers the desk's mail")
    await page.get_by_role("button", name="Save role").click()
    await expect(page.get_by_text("Answers the desk's mail")).to_be_visible()
    await page.get_by_role("button", name=f"Delete the role {name}").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(page.get_by_role("link", name=f"Open the role {name}")).to_have_count(0)


async def test_what_is_wrong_with_a_role_is_said_beside_what_was_typed(browse: Browse, dev: Dev) -> None:
    page = await at_work(browse, dev, "/app/settings/roles/new")
    browse.watched(page).refusals_expected = True
    await page.get_by_label("Name", exact=True).fill("viewer")
    await page.get_by_role("checkbox", name="can_view_workspace").check()
    await page.get_by_role("button", name="Save role").click()
    await expect(page.get_by_role("alert").filter(has_text="ROLE_EXISTS")).to_be_visible()
    await expect(page.get_by_label("Name", exact=True)).to_have_value("viewer")


async def test_a_role_by_keyboard(browse: Browse, dev: Dev) -> None:
    name = f"keyboard-{uuid4().hex[:6]}"
    page = await at_work(browse, dev, "/app/settings/roles")
    await press(page, page.get_by_role("link", name="New role"))
    await typed(page, page.get_by_label("Name", exact=True), name)
    await press(page, page.get_by_role("checkbox", name="can_view_workspace"), "Space")
    await press(page, page.get_by_role("button", name="Save role"))
    await expect(page.get_by_role("link", name=f"Open the role {name}")).to_be_visible()


async def test_a_provider_that_is_none_is_refused_when_it_is_tried_and_nothing_typed_is_lost(
    browse: Browse, dev: Dev
) -> None:
    page = await at_work(browse, dev, "/app/settings/single-sign-on")
    browse.watched(page).refusals_expected = True
    await expect(page.get_by_text("/sign-in/callback")).to_be_visible()
    await page.get_by_role("button", name="Add a provider").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Name", exact=True).fill("Nowhere")
    await dialog.get_by_label("Issuer").fill(f"{dev.demo['baseUrl']}/nowhere")
    await dialog.get_by_role("button", name="Try").click()
    await expect(dialog.get_by_text("IDENTITY_PROVIDER_INVALID")).to_be_visible()
    await dialog.get_by_label("Client id").fill("passerelle")
    await dialog.get_by_label("Client secret", exact=True).fill("a secret of the client")
    await dialog.get_by_role("button", name="Add a group").click()
    await dialog.get_by_role("textbox", name="Group 1").fill("chiefs")
    await dialog.get_by_label("Claim with the groups").fill("groups")
    await accessible(page)
    await dialog.get_by_role("button", name="Save provider").click()
    await expect(dialog.get_by_text("IDENTITY_PROVIDER_INVALID").first).to_be_visible()
    await expect(dialog.get_by_role("textbox", name="Group 1")).to_have_value("chiefs")


async def test_a_token_for_scim_is_shown_once_and_works(browse: Browse, dev: Dev) -> None:
    page = await at_work(browse, dev, "/app/settings/single-sign-on")
    await press(page, page.get_by_role("button", name="Make a token"))
    await press(page, page.get_by_role("dialog").get_by_role("button", name="Make a token"))
    made = page.get_by_role("dialog", name="Your new token")
    token = await made.locator("code").inner_text()
    await accessible(page)
    headers = {"Authorization": f"Bearer {token}"}
    answer = await asyncio.to_thread(httpx.get, f"{dev.demo['baseUrl']}/scim/v2/Users", headers=headers)
    assert answer.status_code == 200
    await press(page, made.get_by_role("button", name="I have copied it"))
    await expect(page.get_by_text(token)).to_have_count(0)


async def test_a_list_is_loaded_with_its_versions_and_where_it_is_used(
    browse: Browse, dev: Dev, tmp_path: Path
) -> None:
    name, file = f"list-{uuid4().hex[:6]}", tmp_path / "list.csv"
    file.write_text(HEAD + ENTRY)
    page = await at_work(browse, dev, "/app/settings/lists")
    browse.watched(page).refusals_expected = True
    await page.get_by_role("button", name="Load a list").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Name", exact=True).fill(name)
    async with page.expect_file_chooser() as choosing:
        await dialog.get_by_role("button", name="File").click()
    await (await choosing.value).set_files(file)
    await accessible(page)
    await dialog.get_by_role("button", name="Load a list").click()
    await expect(page.get_by_text(f"{name} has version 1, with 1 entries.")).to_be_visible()
    await page.get_by_role("link", name=name).click()
    await expect(page.get_by_role("heading", name=f"List {name}")).to_be_visible()
    async with page.expect_download() as loading:
        await page.get_by_role("link", name="Download version 1").click()
    assert await text_of(loading.value) == HEAD + ENTRY
    await page.get_by_label(f"Show where {name} is used").click()
    await expect(page.get_by_role("link", name="person-screening")).to_be_visible()


async def test_lists_by_keyboard_and_broken_lines_are_named(browse: Browse, dev: Dev, tmp_path: Path) -> None:
    file = tmp_path / "broken.csv"
    file.write_text('"id","name"\n"1"\n')
    page = await at_work(browse, dev, "/app/settings/lists")
    browse.watched(page).refusals_expected = True
    await press(page, page.get_by_role("button", name="Load a list"))
    dialog = page.get_by_role("dialog")
    await typed(page, dialog.get_by_label("Name", exact=True), "broken")
    async with page.expect_file_chooser() as choosing:
        await press(page, dialog.get_by_role("button", name="File"))
    await (await choosing.value).set_files(file)
    await press(page, dialog.get_by_role("button", name="Load a list"))
    await expect(dialog.get_by_text("LIST_BROKEN").first).to_be_visible()


async def test_a_secret_says_where_it_is_used(browse: Browse, dev: Dev, api: httpx.Client) -> None:
    name = f"USED_{uuid4().hex[:6].upper()}"
    assert (await call(api, "PUT", f"/secrets/{name}", json={"value": "s3cret"})).status_code == 204
    text = (
        f"name: uses-{name.lower().replace('_', '-')}\nsteps:\n  - id: asked\n    http:\n"
        f'      url: https://example.com\n      headers: {{Authorization: "Bearer ${{secrets.{name}}}"}}\n'
    )
    pushed = await call(api, "POST", "/definitions", content=text, headers={"Content-Type": "application/yaml"})
    assert pushed.status_code == 201, pushed.text
    page = await at_work(browse, dev, "/app/settings/secrets")
    await press(page, page.get_by_label(f"Show where {name} is used"))
    row = page.locator("tbody tr").filter(has_text=name)
    await expect(row.get_by_role("link", name="uses-used")).to_be_visible()
    await expect(row).to_contain_text("asked")
    (await call(api, "DELETE", f"/secrets/{name}"))


async def test_the_workspace_gets_another_name_after_a_fresh_proof(browse: Browse, dev: Dev) -> None:
    page = await at_work(browse, dev, "/app/settings/workspace")
    browse.watched(page).refusals_expected = True

    async def refuse(route: Route) -> None:
        await route.fulfill(status=403, json=STEP_UP)

    await page.route("**/name", refuse, times=1)
    name = page.get_by_label("Name of the workspace")
    before = await name.input_value()
    await name.fill("Harbour")
    await page.get_by_role("button", name="Save name").click()
    await page.get_by_label("Your password", exact=True).fill(dev.demo["user"]["password"])
    await page.get_by_role("button", name="Go on").click()
    await expect(page.get_by_text("The workspace is saved.")).to_be_visible()
    side = page.get_by_role("complementary", name="Workspace and pages")
    await expect(side).to_contain_text("Harbour")
    await name.fill(before)
    await page.get_by_role("button", name="Save name").click()
    await expect(side).not_to_contain_text("Harbour")


async def test_the_workspace_by_keyboard(browse: Browse, dev: Dev) -> None:
    page = await at_work(browse, dev, "/app/settings/workspace")
    await reach(page, page.get_by_role("combobox", name="How it is treated here"))
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await press(page, page.get_by_role("button", name="Save", exact=True))
    await expect(page.get_by_text("The workspace is saved.")).to_be_visible()
    with dev.api() as api:
        mode = await asyncio.to_thread(lambda: api.get("/deprecations/mode").json())
        assert mode["own"] is True
        await asyncio.to_thread(api.put, "/deprecations/mode", json={"mode": None})


@pytest.mark.parametrize("by_keyboard", [False, True])
async def test_a_person_is_found_previewed_and_erased_with_a_report(
    browse: Browse, dev: Dev, api: httpx.Client, *, by_keyboard: bool
) -> None:
    table, name = f"people_{uuid4().hex[:6]}", f"Zofia{uuid4().hex[:6]}"
    fields = [{"name": "name", "type": "text", "indexed": True, "pii": "identity"}]
    assert (await call(api, "POST", "/tables", json={"name": table, "fields": fields})).status_code == 201
    made = (await call(api, "POST", f"/tables/{table}/records", json={"name": name})).json()
    (await call(api, "POST", f"/tables/{table}/records/{made['id']}/comments", json={"text": "Called"}))
    page = await at_work(browse, dev, "/app/settings/erasure")
    search = page.get_by_role("searchbox")
    box = page.get_by_role("checkbox", name=name)
    erase = page.get_by_role("button", name="Erase 1 record")
    sure = page.get_by_role("dialog").get_by_role("button", name="Erase 1 record")
    if by_keyboard:
        await typed(page, search, name)
        await press(page, box, "Space")
    else:
        await search.fill(name)
        await box.check()
    await expect(page.get_by_text("Would be erased:")).to_be_visible()
    await expect(page.get_by_role("listitem").filter(has_text="comments").last).to_contain_text("1")
    assert (await call(api, "GET", f"/tables/{table}/records/{made['id']}")).json()["name"] == name
    await accessible(page)
    if by_keyboard:
        await press(page, erase)
        await press(page, sure)
    else:
        await erase.click()
        await sure.click()
    await expect(page.get_by_text("1 record is erased.")).to_be_visible()
    await accessible(page)
    async with page.expect_download() as saving:
        await press(page, page.get_by_role("button", name="Save report"))
    report = json.loads(await text_of(saving.value))
    assert report["records"][0]["erased"]["comments"] == 1
    assert name not in json.dumps(report)
    assert (await call(api, "GET", f"/tables/{table}/records/{made['id']}")).status_code == 404


async def test_a_test_email_is_sent_and_the_servers_answer_shown(browse: Browse, dev: Dev) -> None:
    page = await at_work(browse, dev, "/app/settings/mail")
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.get_by_text("The mail server took the e-mail")).to_be_visible()
    await expect(page.get_by_text("250 ").first).to_be_visible()
    await accessible(page)
    mails = await asyncio.to_thread(httpx.get, f"{dev.demo['baseUrl']}/dev/mail")
    assert "A test of Passerelle's mail" in mails.text.replace("&#39;", "'")


async def test_mail_by_keyboard_with_an_address_that_is_none(browse: Browse, dev: Dev) -> None:
    page = await at_work(browse, dev, "/app/settings/mail")
    browse.watched(page).refusals_expected = True
    await typed(page, page.get_by_label("To", exact=True), "nobody@")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("To", exact=True)).to_be_focused()
    await typed(page, page.get_by_label("To", exact=True), "ewa@example.com")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("The mail server took the e-mail to ewa@example.com")).to_be_visible()


async def test_health_says_that_all_is_well_and_what_is_not(browse: Browse, dev: Dev) -> None:
    page = await at_work(browse, dev, "/app/settings/health")
    await expect(page.get_by_text("Server and worker")).to_be_visible()

    async def without_workers(route: Route) -> None:
        answer = await route.fetch()
        found = await answer.json()
        late = {
            "kind": "execution.continue",
            "due": 7,
            "underWay": 0,
            "later": 1,
            "triedAgain": 2,
            "oldestDueSeconds": 95.0,
        }
        beneath = found["installation"] | {"processes": [], "jobs": [late], "clockOffSeconds": 9.5}
        await route.fulfill(response=answer, json=found | {"workers": 0, "installation": beneath})

    await page.route("**/operations", without_workers)
    await press(page, page.get_by_role("button", name="Look again"))
    await expect(page.get_by_text("No worker runs")).to_be_visible()
    await expect(page.get_by_text("The oldest job has waited for 1 min 35 s")).to_be_visible()
    await expect(page.get_by_text("9.5 s off")).to_have_count(2)
    await accessible(page)


async def test_limits_and_retention_are_told_as_they_stand(browse: Browse, dev: Dev) -> None:
    page = await at_work(browse, dev, "/app/settings/limits")
    await expect(page.locator("tbody tr").filter(has_text="Records")).to_contain_text("No limit")
    await press(page, page.get_by_role("navigation", name="Settings").get_by_role("link", name="Retention"))
    await expect(page.locator("tbody tr").filter(has_text="Deleted records")).to_contain_text("30 days")
    await expect(page.locator("tbody tr").filter(has_text="Audit")).to_contain_text("PASSERELLE_AUDIT_KEEP")


async def test_a_call_is_tried_with_ones_own_session_and_own_tables(
    browse: Browse, dev: Dev, api: httpx.Client
) -> None:
    table = f"tried_{uuid4().hex[:6]}"
    fields = [{"name": "name", "type": "text"}]
    assert (await call(api, "POST", "/tables", json={"name": table, "fields": fields})).status_code == 201
    page = await at_work(browse, dev, "/app/settings/api")
    await page.get_by_role("searchbox", name="Search calls").fill(f"post /tables/{table}/records")
    await page.get_by_role("link", name=re.compile(rf"^POST\s*.tables.{table}.records\s")).click()
    body = page.get_by_label("Body", exact=True)
    await body.fill("{")
    await expect(page.get_by_role("button", name="Send POST")).to_have_attribute("aria-disabled", "true")
    await body.fill(json.dumps({"name": "Anna"}))
    await page.get_by_role("button", name="Send POST").click()
    await page.get_by_role("dialog").get_by_role("button", name="Send").click()
    answer = page.get_by_role("group", name="Answer")
    await expect(answer).to_contain_text('"name": "Anna"')
    await expect(page.get_by_text("201")).to_be_visible()
    await accessible(page)
    found = (await call(api, "POST", f"/tables/{table}/records/search", json={})).json()["data"]
    assert [one["name"] for one in found] == ["Anna"]


async def test_a_call_by_keyboard_and_a_refusal_is_an_answer(browse: Browse, dev: Dev) -> None:
    page = await at_work(browse, dev, "/app/settings/api?call=readTable")
    browse.watched(page).refusals_expected = True
    send = page.get_by_role("button", name="Send GET")
    await expect(send).to_have_attribute("aria-disabled", "true")
    await typed(page, page.get_by_role("textbox", name="tableId"), "nowhere at all")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("group", name="Answer")).to_contain_text("TABLE_NOT_FOUND")


async def test_the_account_leads_to_the_second_factor_and_back(browse: Browse, dev: Dev) -> None:
    page = await at_work(browse, dev, "/app/settings/account")
    await expect(page.get_by_text("You have no passkeys.")).to_be_visible()
    await press(page, page.get_by_role("link", name="Set up"))
    await page.wait_for_url("**/set-up")


def _role(dev: Dev, name: str) -> dict[str, Any]:
    with dev.api() as api:
        answer = api.get(f"/workspaces/{dev.demo['workspaceId']}/roles/{name}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found
