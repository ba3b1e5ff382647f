"""What the tests of the end user's pages share: a definition with every kind of page, and what a person does at each."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import Any, Final

import httpx
from playwright.async_api import Locator, Page, Route, expect

from tests.acceptance.running import Dev, until

JOURNEY: Final = """
name: journey
title: {en: A journey, pl: Podróż, ar: رحلة}
parameters:
  name: {type: string}
start:
  text: {en: "A **journey** of a week.", pl: "**Podróż** na tydzień.", ar: "**رحلة** لمدة أسبوع."}
  documents: [{en: Your passport, pl: Paszport, ar: جواز سفرك}]
  minutes: 5
expiresAfter: 7d
steps:
  - id: you
    form:
      title: {en: About you, pl: O Tobie, ar: عنك}
      prefill: {name: "${has(parameters.name) ? parameters.name : null}"}
      schema:
        type: object
        required: [name, born, country, company, phone]
        properties:
          name: {type: string, maxLength: 60, title: {en: Name, pl: Imię, ar: الاسم}, pii: identity}
          born: {type: string, format: date, title: {en: Date of birth, pl: Data urodzenia, ar: تاريخ الميلاد}}
          country:
            title: {en: Country, pl: Kraj, ar: البلد}
            oneOf: [{const: PL, title: {en: Poland, pl: Polska, ar: بولندا}}, {const: XX, title: {en: Elsewhere, pl: Gdzie indziej, ar: مكان آخر}}]
          where: {type: string, title: {en: Where, pl: Gdzie, ar: أين}, visibleWhen: "form.country == 'XX'"}
          phone: {type: string, format: phone, title: {en: Phone, pl: Telefon, ar: الهاتف}, pii: contact}
          company: {type: boolean, title: {en: Do you travel with others?, pl: Czy jedziesz z innymi?, ar: هل تسافر مع آخرين؟}}
          others:
            type: array
            title: {en: Companions, pl: Towarzysze, ar: المرافقون}
            minItems: 1
            maxItems: 3
            visibleWhen: "form.company"
            items:
              type: object
              title: {en: Companion, pl: Towarzysz, ar: مرافق}
              required: [name]
              properties:
                name: {type: string, title: {en: Their name, pl: Ich imię, ar: اسمه}}
                age: {type: integer, minimum: 0, maximum: 130, title: {en: Age, pl: Wiek, ar: العمر}}
          remarks: {type: string, maxLength: 500, title: {en: Remarks, pl: Uwagi, ar: ملاحظات}}
  - id: papers
    upload:
      title: {en: Your papers, pl: Dokumenty, ar: وثائقك}
      accept: [application/pdf, image/*]
      maxSize: 1MB
      min: 1
      max: 3
  - id: terms
    consent:
      title: {en: The terms, pl: Warunki, ar: الشروط}
      text: {en: "**Be kind**, ${steps.you.name}.", pl: "**Bądź miły**, ${steps.you.name}.", ar: "**كن لطيفًا**، ${steps.you.name}."}
      version: "7"
  - id: seats
    title: {en: asking for seats, pl: szukamy miejsc, ar: نسأل عن المقاعد}
    event: {name: seats, within: 1d}
  - id: news
    message:
      title: {en: There are seats, pl: Są miejsca, ar: توجد مقاعد}
      text: {en: "One more question.", pl: "Jeszcze jedno pytanie.", ar: "سؤال آخر."}
      button: {en: Ask me, pl: Pytaj, ar: اسألني}
  - id: seat
    form:
      title: {en: Your seat, pl: Miejsce, ar: مقعدك}
      schema:
        type: object
        required: [row]
        properties:
          row: {type: integer, minimum: 1, maximum: 40, title: {en: Row, pl: Rząd, ar: الصف}}
  - id: thanks
    message:
      title: {en: Good journey, pl: Dobrej podróży, ar: رحلة سعيدة}
      text: {en: "Row ${steps.seat.row} is yours.", pl: "Rząd ${steps.seat.row} jest Twój.", ar: "الصف ${steps.seat.row} لك."}
"""

PNG: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PDF: Final = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)


def picture(name: str = "passport.png", content: bytes = PNG, kind: str = "image/png") -> Any:
    """A file as the browser's chooser gives it."""
    return {"name": name, "mimeType": kind, "buffer": content}


def made_link(api: httpx.Client, definition: str, **more: Any) -> tuple[str, str]:
    """A new link and the execution that it leads to."""
    answer = api.post("/link", json={"workflowDefinitionId": definition, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()["link"], answer.json()["workflowId"]


def fed(api: httpx.Client, workflow_id: str, name: str = "seats") -> None:
    """The event that a step waits for."""
    api.post(f"/workflows/{workflow_id}/events/{name}", json={}).raise_for_status()


def events_of(api: httpx.Client, workflow_id: str) -> list[str]:
    """The types of everything that was told about an execution, in order."""
    found = [event for event in _all_events(api) if event["data"].get("workflowId") == workflow_id]
    return [event["type"] for event in found]


def _all_events(api: httpx.Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        page = api.get("/events", params={"limit": 500, **({"after": after} if after else {})}).json()
        found += page["data"]
        if not page["next"] or not page["data"] or page["next"] == after:
            return found
        after = page["next"]


async def code_for(dev: Dev, address: str) -> str:
    """The newest code that was sent to an address, once it is there."""
    async with httpx.AsyncClient(base_url=dev.demo["baseUrl"]) as client:
        for _ in range(400):
            caught = (await client.get("/dev/mail.json")).json()["data"]
            for message in caught:
                text = str(message.get("text", ""))
                if address in str(message) and (found := re.search(r"(?m)^\s*(\d[\d ]{7,9})\s*$", text)):
                    return found[1]
            await asyncio.sleep(0.05)
    raise AssertionError(f"no code was sent to {address}")


def result_of(api: httpx.Client, workflow_id: str) -> dict[str, Any]:
    """The result of an execution that has come to its end, or comes to it now."""
    until(api, workflow_id, "COMPLETED")
    result: dict[str, Any] = api.get(f"/workflows/{workflow_id}/result").json()["result"]
    return result


def runs_of(api: httpx.Client, workflow_id: str, step: str) -> list[dict[str, Any]]:
    """What the timeline says of a step."""
    steps = api.get(f"/workflows/{workflow_id}/timeline").json()["steps"]
    return [run for run in steps if run["step"] == step]


# What a person does.


async def started(page: Page, link: str) -> None:
    """Open a link and press Start."""
    await page.goto(link)
    await page.get_by_role("button", name=re.compile("Start|Rozpocznij")).click()
    await at(page, "you")


async def at(page: Page, step: str) -> None:
    """Wait until a step is shown."""
    await expect(page.locator(f"#screen[data-step={step}]")).to_be_visible()


def go_on(page: Page) -> Locator:
    """The button that goes on."""
    return page.locator("main .actions button.primary")


def named(page: Page, pointer: str) -> Locator:
    """The field that sends this pointer."""
    return page.locator(f'#screen [name="{pointer}"]:not([type=hidden])')


async def fill_you(page: Page, name: str = "Ada") -> None:
    """The first form, rightly."""
    await named(page, "/name").fill(name)
    for part, typed in (("day", "31"), ("month", "12"), ("year", "1990")):
        await named(page, f"/born#{part}").fill(typed)
    await page.locator('[name="/country"][type=radio]').first.check()
    await page.locator('[name="/company"][value=false]').check()
    await named(page, "/phone#country").select_option("PL")
    await named(page, "/phone").fill("600 100 200")


async def through_you(page: Page, name: str = "Ada") -> None:
    """From the first form to the next page."""
    await fill_you(page, name)
    await go_on(page).click()
    await at(page, "papers")


async def through_papers(page: Page) -> None:
    """A file, and on."""
    await page.set_input_files("#file", picture())
    await expect(page.get_by_role("listitem").filter(has_text="passport.png")).to_contain_text("70")
    await go_on(page).click()
    await at(page, "terms")


async def through_terms(page: Page) -> None:
    """Agree; then the page waits."""
    await page.locator("#accepted").check()
    await go_on(page).click()
    await expect(page.locator("#screen[data-kind=waiting]")).to_be_visible()


async def with_noscript(page: Page) -> None:
    """Let a page whose scripts are off show what is in `<noscript>`; Chromium does so only where its settings say it."""

    async def answer(route: Route) -> None:
        if not route.request.is_navigation_request() or route.request.method != "GET":
            return await route.continue_()
        got = await route.fetch(max_redirects=0)
        html = (await got.text()).replace("<noscript>", "").replace("</noscript>", "")
        return await route.fulfill(response=got, body=html)

    await page.route("**/*", answer)


# What a machine reads.


class Forms(HTMLParser):
    """The forms of a page, with what they would send."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.links += [found[name] for name in ("href", "src") if name in found]
        if tag == "form":
            self.forms.append({"action": found.get("action", ""), "data": {}, "buttons": []})
        if not self.forms or not found.get("name"):
            return
        if tag == "button":
            self.forms[-1]["buttons"].append((found["name"], found.get("value", "")))
        elif tag in ("input", "textarea", "select"):
            self.forms[-1]["data"].setdefault(found["name"], found.get("value", ""))

    @classmethod
    def of(cls, html: str) -> Forms:
        """Read a page."""
        parser = cls()
        parser.feed(html)
        return parser


def browserless(dev: Dev) -> httpx.Client:
    """A browser without script, style or eyes."""
    return httpx.Client(base_url=dev.demo["baseUrl"], follow_redirects=True, timeout=30)


@contextmanager
def entered(dev: Dev, link: str) -> Iterator[tuple[httpx.Client, str]]:
    """A client that a link is bound to, as a script could do it; and the page that it is at."""
    with browserless(dev) as client:
        challenge = client.post(f"{link}/challenge").json()["challenge"]
        page = client.post(f"{link}/start", data={"challenge": challenge})
        assert page.status_code == 200, page.text
        yield client, page.text


def token_in(html: str) -> str:
    """The token that a form must send."""
    found = re.search(r'name="_token" value="([0-9a-f]+)"', html)
    assert found is not None
    return found[1]
