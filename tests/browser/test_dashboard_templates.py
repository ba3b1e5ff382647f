"""A template becomes a definition by a click and runs; a file becomes one after what it lost was read."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.acceptance.running import Dev, pushed, start_dev
from tests.browser.browsing import DESKTOP, PHONE, Browse, accessible
from tests.browser.signing_in import at_work

LOAN = Path(__file__).parents[1] / "unit" / "conversions" / "loan.bpmn"


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    """A Passerelle of this file's own, without any of the templates' tables."""
    folder = tmp_path_factory.mktemp("templates")
    running = start_dev(folder / "data", log=folder / "log")
    yield running
    running.stop()


def _published_link(dev: Dev, definition: str, locale: str) -> str:
    with dev.api() as api:
        api.post(f"/definitions/{definition}/publish", json={"revision": 1}).raise_for_status()
        body = {"workflowDefinitionId": definition, "lang": locale}
        return str(api.post("/link", json=body).raise_for_status().json()["link"])


async def _about_a_tenant(person: Page) -> None:
    """The whole first page, and on to the next one."""
    await person.get_by_label("Last name").fill("Nowak")
    soon = datetime.now(UTC) + timedelta(days=60)
    for place, day in enumerate((datetime(1994, 5, 6, tzinfo=UTC), soon)):
        for part, value in (("Day", day.day), ("Month", day.month), ("Year", day.year)):
            await person.get_by_label(part).nth(place).fill(str(value))
    await person.get_by_label("E-mail").fill("ewa@example.com")
    await person.locator("input[type=tel]").fill("601 234 567")
    await person.get_by_label("How many of you?").fill("2")
    await person.get_by_label("No", exact=True).check()
    await person.get_by_role("button", name="Continue").click()


@dataclass(frozen=True)
class Words:
    """What somebody reads and writes who uses a template and then fills in its first page."""

    use: str
    make: str
    title: str
    start: str
    field: str
    go_on: str
    missing: str


SPOKEN = {
    "en": Words("Use it: A tenant", "Make it", "A tenant", "Start", "First name", "Continue", "Enter your last name"),
    "pl": Words("Użyj: Sprzedawca na platformie", "Utwórz", "Sprzedawca na platformie", "Rozpocznij", "Nazwa sklepu", "Dalej", "E-mail"),
}  # fmt: skip


@pytest.mark.parametrize("locale", SPOKEN)
async def test_a_template_is_used_by_a_click_and_its_first_page_asks(browse: Browse, dev: Dev, locale: str) -> None:
    words = SPOKEN[locale]
    page = await at_work(browse, dev, "/app/definitions/templates", viewport=DESKTOP, locale=locale)
    await expect(page.get_by_role("listitem").get_by_role("heading")).to_have_count(12)
    await accessible(page)
    await page.get_by_role("button", name=words.use).click()
    dialog = page.get_by_role("dialog", name=words.title)
    await expect(dialog.get_by_role("listitem")).to_have_count(2)  # a table and the definition
    await accessible(page)
    await dialog.get_by_role("button", name=words.make, exact=True).click()
    await expect(page.get_by_role("heading", level=1, name=words.title)).to_be_visible()
    definition = page.url.split("/definitions/")[1].split("?")[0]
    with dev.api() as api:
        assert api.get(f"/definitions/{definition}").json()["published"] is False
    person = await browse.open(PHONE, locale=locale)
    browse.watched(person).refusals_expected = True
    await person.goto(await asyncio.to_thread(_published_link, dev, definition, locale))
    await accessible(person)
    await person.get_by_role("button", name=words.start).click()
    await person.get_by_label(words.field).fill("Ewa")
    await person.get_by_role("button", name=words.go_on).click()
    await expect(person.get_by_role("link", name=words.missing).first).to_be_visible()
    await accessible(person)
    if locale == "en":
        await _about_a_tenant(person)
        await expect(person.get_by_role("heading", name="Your income, for Polna 5/12")).to_be_visible()
        await accessible(person)


async def test_what_is_there_is_kept_and_only_what_is_missing_is_added(browse: Browse, dev: Dev) -> None:
    with dev.api() as api:
        table = {
            "name": "associations",
            "fields": [{"name": "registerNumber", "type": "text"}, {"name": "own", "type": "text"}],
        }
        api.post("/tables", json=table).raise_for_status()
    page = await at_work(browse, dev, "/app/definitions/templates?use=association")
    dialog = page.get_by_role("dialog", name="An association")
    await expect(dialog.get_by_text("7 more fields of the table associations")).to_be_visible()
    await dialog.get_by_role("button", name="Make it").click()
    await expect(page.get_by_role("heading", level=1, name="An association")).to_be_visible()
    with dev.api() as api:
        names = [field["name"] for field in api.get("/tables/associations").json()["fields"]]
    assert names[:2] == ["registerNumber", "own"]
    assert len(names) == 9


@pytest.mark.parametrize(
    ("locale", "choose", "lost", "make"),
    [
        ("en", "Choose a file", "somebody decides which way", "Make it"),
        ("pl", "Wybierz plik", "somebody decides which way", "Utwórz"),
    ],
)
async def test_a_process_is_read_what_it_lost_is_told_and_then_it_is_pushed(
    browse: Browse, dev: Dev, locale: str, choose: str, lost: str, make: str
) -> None:
    page = await at_work(browse, dev, "/app/definitions/import", locale=locale)
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name=choose).click()
    await (await chooser.value).set_files(LOAN)
    await expect(page.get_by_text(lost)).to_be_visible()
    await accessible(page)
    await page.get_by_role("button", name=make, exact=True).click()
    await expect(page.get_by_role("heading", level=1, name="Loan request")).to_be_visible()


async def test_a_file_that_is_none_of_these_is_refused_with_a_reason(browse: Browse, dev: Dev) -> None:
    page = await at_work(browse, dev, "/app/definitions/import")
    browse.watched(page).refusals_expected = True
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Choose a file").click()
    await (await chooser.value).set_files({"name": "x.xml", "mimeType": "text/xml", "buffer": b"<!DOCTYPE a []><a/>"})
    await expect(page.get_by_text("document type")).to_be_visible()
    await accessible(page)


async def test_a_templates_scenarios_go_along_and_what_is_added_in_the_builder_outlives_publishing(
    browse: Browse, dev: Dev
) -> None:
    page = await at_work(browse, dev, "/app/definitions/templates", viewport=DESKTOP)
    await page.get_by_role("button", name="Use it: Closing an account").click()
    await page.get_by_role("dialog").get_by_role("button", name="Make it", exact=True).click()
    await page.get_by_role("link", name="Edit").click()
    await expect(page.get_by_role("button", name="Publish…")).to_be_visible()
    await page.get_by_text("Scenarios", exact=True).click()
    scenarios = page.get_by_role("textbox", name="Scenarios")
    await expect(scenarios).to_have_value(re.compile("scenarios:"))
    await scenarios.fill(await scenarios.input_value() + "# and one more line\n")
    await page.get_by_role("button", name="Publish…").click()
    await page.get_by_role("dialog").get_by_role("button", name="Publish", exact=True).click()
    await expect(page.get_by_text("Published", exact=True).first).to_be_visible()
    await page.get_by_role("tab", name="Scenarios").click()
    await expect(page.get_by_role("textbox", name="Scenarios")).to_have_value(re.compile("# and one more line\n$"))
    await page.get_by_role("link", name="Edit").click()
    await expect(page.get_by_role("button", name="Publish…")).to_be_visible()
    await page.get_by_text("Scenarios", exact=True).click()
    await expect(scenarios).to_have_value(re.compile("# and one more line\n$"))


async def test_scenarios_that_somebody_else_kept_meanwhile_are_replaced_only_by_choice(
    browse: Browse, dev: Dev
) -> None:
    with dev.api() as api:
        definition = pushed(api, "name: two-keep\nsteps:\n  - {id: one, set: {x: 1}}\n")
        path = f"/definitions/{definition}/scenarios"
        api.put(path, json={"scenarios": "# first\n", "version": 0}).raise_for_status()
        page = await at_work(browse, dev, f"/app/definitions/{definition}/edit", viewport=DESKTOP)
        await page.get_by_text("Scenarios", exact=True).click()
        await page.get_by_role("textbox", name="Scenarios").fill("# mine\n")
        api.put(path, json={"scenarios": "# theirs\n", "version": 1}).raise_for_status()

        await page.get_by_role("button", name="Publish…").click()
        dialog = page.get_by_role("dialog")
        publish = dialog.get_by_role("button", name="Publish", exact=True)
        await expect(publish).to_have_attribute("aria-disabled", "true")
        await accessible(page)
        await dialog.get_by_role("radio", name="Leave those, and let mine go").check()
        await publish.click()
        await expect(page.get_by_text("Published", exact=True).first).to_be_visible()
        assert api.get(path).json()["scenarios"] == "# theirs\n"

        # On the page of the definition, too: whoever typed chooses, and may take all of it away.
        await page.get_by_role("tab", name="Scenarios").click()
        box = page.get_by_role("textbox", name="Scenarios")
        await expect(box).to_have_value("# theirs\n")
        await box.fill("")
        await expect(box).to_have_value("")
        api.put(path, json={"scenarios": "# again theirs\n", "version": 2}).raise_for_status()
        watched = browse.watched(page)
        watched.refusals_expected = True
        await page.get_by_role("button", name="Keep with the definition").click()
        await page.get_by_role("button", name="Keep mine in their place").click()
        await expect(page.get_by_text("The scenarios are kept with the definition.")).to_be_visible()
        assert api.get(path).json()["scenarios"] == ""


async def test_a_definition_that_is_edited_without_its_scenarios_keeps_them(browse: Browse, dev: Dev) -> None:
    text = "name: keeps-its-own\nsteps:\n  - {id: one, set: {x: 1}}\n"
    with dev.api() as api:
        definition = pushed(api, text)
        api.put(f"/definitions/{definition}/scenarios", json={"scenarios": "# kept\n", "version": 0})
        draft = {"name": "By hand", "text": text.replace("x: 1", "x: 2"), "shared": True}
        made = api.post("/drafts", json=draft).raise_for_status().json()
        page = await at_work(browse, dev, f"/app/drafts/{made['id']}", viewport=DESKTOP)
        await page.get_by_role("button", name="Publish…").click()
        await page.get_by_role("dialog").get_by_role("button", name="Publish", exact=True).click()
        await expect(page.get_by_text("Published", exact=True).first).to_be_visible()
        assert api.get(f"/definitions/{definition}/scenarios").json()["scenarios"] == "# kept\n"
