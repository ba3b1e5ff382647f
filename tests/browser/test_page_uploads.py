"""Files from phones and desks: several at once, how far they are, cut off and sent again, and those that are refused."""

from __future__ import annotations

import asyncio
import html
import re
import socket
from contextlib import closing
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.async_api import Page, Route, expect

from tests.acceptance.running import Dev, pushed
from tests.browser.browsing import PHONE, Browse, accessible, fits, focused
from tests.browser.visiting import (
    JOURNEY,
    PDF,
    PNG,
    at,
    browserless,
    entered,
    go_on,
    made_link,
    picture,
    started,
    token_in,
)
from tests.photos import photo

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + rb"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
PAPERS = """
name: papers-only
steps:
  - id: papers
    upload: {title: Your papers, accept: [application/pdf, image/*], maxSize: 1MB, min: 1, max: 3}
  - id: after
    form: {title: After, schema: {type: object, properties: {x: {type: string}}}}
"""
CARD = """
name: card-only
steps:
  - id: card
    upload:
      title: Identity card
      accept: [image/*, application/pdf]
      documents:
        - {id: front, title: Front, hint: The side with the photo.}
        - {id: back, title: Back}
        - {id: proofs, title: Proofs of address, min: 0, max: 2}
  - id: after
    form: {title: After, schema: {type: object, properties: {x: {type: string}}}}
"""
ANYTHING = PAPERS.replace("papers-only", "anything").replace("accept: [application/pdf, image/*], ", "")


@pytest.fixture(scope="module")
def papers(dev: Dev) -> str:
    """A definition that begins with an upload."""
    with dev.api() as api:
        return pushed(api, PAPERS)


async def at_papers(page: Page, api: httpx.Client, definition: str) -> None:
    await page.goto(made_link(api, definition)[0])
    await page.get_by_role("button", name="Start").click()
    await at(page, "papers")


async def test_several_files_at_once_and_one_taken_back(browse: Browse, api: httpx.Client, papers: str) -> None:
    page = await browse.open()
    browse.watched(page).refusals_expected = True
    await at_papers(page, api, papers)
    await go_on(page).click()
    await expect(page.locator("#problems")).to_contain_text("Needed: 1")
    await page.set_input_files(
        "#file", [picture("front.png"), picture("extract.pdf", PDF, "application/pdf"), picture("back.png", PNG + b"!")]
    )
    for name in ("front.png", "extract.pdf", "back.png"):
        await expect(page.get_by_role("button", name=f"Remove: {name}")).to_be_visible()
    await expect(page.locator("#file")).to_have_count(0)
    await page.get_by_role("button", name="Remove: extract.pdf").click()
    await expect(page.get_by_text("Files: 2 of at most 3.")).to_be_visible()
    await expect(page.locator("#file")).to_have_count(1)
    await page.reload()
    await expect(page.get_by_role("button", name="Remove: front.png")).to_be_visible()
    await go_on(page).click()
    await at(page, "after")


async def test_a_file_shows_how_far_it_is_and_one_that_was_cut_off_is_sent_again(
    browse: Browse, api: httpx.Client, papers: str
) -> None:
    page = await browse.open(PHONE)
    browse.watched(page).refusals_expected = True
    await at_papers(page, api, papers)
    cut = asyncio.Event()
    tries: list[str] = []

    async def answer(route: Route) -> None:
        tries.append(route.request.method)
        if len(tries) == 1:
            await cut.wait()
            await route.abort("connectionreset")
        else:
            await route.continue_()

    await page.route("**/files?*", answer)
    await page.set_input_files("#file", picture())
    line = page.locator("[data-sending] li")
    await expect(line.get_by_role("progressbar")).to_be_visible()
    cut.set()
    await expect(line).to_contain_text("The connection broke. The file was not sent.")
    await line.get_by_role("button", name="Try again").click()
    await expect(page.get_by_role("button", name="Remove: passport.png")).to_be_visible()
    await expect(line).to_have_count(0)
    assert tries == ["PUT", "PUT"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("huge.png", PNG + b"\0" * 1_100_000, "The largest size is 1 MB"),
        ("page.pdf", b"<html><script>alert(1)</script></html>", "This type of file is not accepted"),
        ("text.pdf", b"only text", "This type of file is not accepted"),
        ("empty.pdf", b"", "This file is empty"),
        ("virus.pdf", PDF + EICAR, "looks harmful"),
    ],
)
async def test_a_file_that_is_refused_says_why_and_the_rest_goes_on(
    browse: Browse, api: httpx.Client, papers: str, name: str, content: bytes, says: str
) -> None:
    page = await browse.open()
    browse.watched(page).refusals_expected = True
    await at_papers(page, api, papers)
    await page.set_input_files("#file", [picture(name, content, "application/pdf"), picture()])
    await expect(page.get_by_role("button", name="Remove: passport.png")).to_be_visible()
    failed = page.locator("[data-sending] .failed")
    await expect(failed).to_contain_text(says)
    await failed.get_by_role("button", name="Remove").click()
    await expect(failed).to_have_count(0)
    await go_on(page).click()
    await at(page, "after")


async def test_documents_have_places_of_their_own_and_are_taken_again(browse: Browse, api: httpx.Client) -> None:
    page = await browse.open(PHONE)
    browse.watched(page).refusals_expected = True
    await page.goto(made_link(api, pushed(api, CARD))[0])
    await page.get_by_role("button", name="Start").click()
    await at(page, "card")
    await page.set_input_files("#file-front", picture("front.pdf", photo("JPEG", (600, 400)), "application/pdf"))
    front = page.get_by_role("region", name="Front")
    await expect(front).to_contain_text("Kept as front.jpg")
    assert (
        await front.locator("li img").evaluate("async one => { await one.decode(); return one.naturalWidth; }") == 360
    )
    await go_on(page).click()
    await expect(page.locator("#problems")).to_contain_text("Back: Please add this document.")
    await accessible(page)
    await fits(page)
    await page.locator("#problems a").click()
    assert await focused(page) == "file-back"
    await page.set_input_files("#file-back", picture("blurred.png"))
    back = page.get_by_role("region", name="Back")
    await back.get_by_label("Replace: blurred.png").set_input_files(picture("back.heic", photo("HEIF"), "image/heic"))
    await expect(back.get_by_role("button", name="Remove: back.heic")).to_be_visible()
    await expect(back.locator("li img")).to_be_visible()
    await accessible(page)
    await fits(page)
    await go_on(page).click()
    await at(page, "after")


async def test_a_file_that_stands_still_says_so_and_is_sent_again(
    browse: Browse, api: httpx.Client, papers: str
) -> None:
    page = await browse.open(PHONE)
    browse.watched(page).refusals_expected = True
    await page.clock.install()
    await at_papers(page, api, papers)
    held: list[Route] = []
    sent = asyncio.Event()

    async def hold(route: Route) -> None:
        held.append(route)
        sent.set()

    await page.route("**/files?*", hold, times=1)
    await page.set_input_files("#file", picture())
    await sent.wait()
    await page.clock.fast_forward(31_000)
    line = page.locator("[data-sending] li")
    await expect(line).to_contain_text("Nothing has moved for half a minute.")
    await line.get_by_role("button", name="Try again").click()
    await expect(page.get_by_role("button", name="Remove: passport.png")).to_be_visible()


async def test_a_file_beside_its_place_does_not_take_the_pages(browse: Browse, api: httpx.Client, papers: str) -> None:
    page = await browse.open()
    browse.watched(page).refusals_expected = True  # what is dropped is no picture
    await at_papers(page, api, papers)
    drop = """kind => {
        const data = new DataTransfer();
        data.items.add(new File([atob(kind)], "dropped.bmp"));
        const event = new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true});
        return document.querySelector("#title").dispatchEvent(event);
    }"""
    assert await page.evaluate(drop, "QQ==") is False, "the browser leaves it to the page"
    await expect(page.locator("[data-sending] li")).to_contain_text("dropped.bmp")


async def test_phones_are_offered_their_camera_and_desks_are_not(
    browse: Browse, api: httpx.Client, papers: str
) -> None:
    phone, desk = await browse.open(PHONE), await browse.open()
    await at_papers(phone, api, papers)
    await at_papers(desk, api, papers)
    camera = phone.locator("#camera")
    assert await camera.get_attribute("capture") == "environment"
    assert await camera.get_attribute("accept") == "image/*"
    await expect(phone.get_by_text("Take a photo")).to_be_visible()
    await expect(desk.get_by_text("Take a photo")).to_be_hidden()
    await camera.set_input_files(picture("photo.png"))
    await expect(phone.get_by_role("button", name="Remove: photo.png")).to_be_visible()


def test_what_never_comes_through_the_page_is_refused_by_the_server_too(
    dev: Dev, api: httpx.Client, papers: str
) -> None:
    anything = pushed(api, ANYTHING)
    for definition, name, content, status in (
        (papers, "huge.png", PNG + b"\0" * 1_100_000, 413),
        (papers, "page.pdf", b"<html></html>", 400),
        (anything, "virus.txt", EICAR, 400),
        (anything, "virus.zip", b"PK\3\4" + EICAR, 400),
        (papers, "../../etc/passwd", PNG, 201),
        (papers, "a\0b.png", PNG, 201),
        (papers, "x" * 500 + ".png", PNG, 201),
        (papers, "", PNG, 201),
    ):
        link, execution = made_link(api, definition)
        with entered(dev, link) as (client, page):
            headers = {
                "X-File-Name": httpx.QueryParams({"n": name}).__str__()[2:],
                "X-Passerelle-Token": token_in(page),
            }
            answer = client.put(f"/x/{execution}/papers/1/files", content=content, headers=headers)
            assert answer.status_code == status, (name, answer.text)
            assert f"Files: {int(status == 201)} of" in client.get(f"/x/{execution}").text


def test_an_upload_cut_in_the_middle_leaves_nothing(dev: Dev, api: httpx.Client, papers: str) -> None:
    link, execution = made_link(api, papers)
    with entered(dev, link) as (client, page):
        cookie = next(one for one in client.cookies.jar if one.name == "passerelle")
        where = urlsplit(dev.demo["baseUrl"])
        head = (
            f"PUT /x/{execution}/papers/1/files HTTP/1.1\r\nHost: {where.netloc}\r\nX-File-Name: cut.png\r\n"
            f"X-Passerelle-Token: {token_in(page)}\r\nCookie: passerelle={cookie.value}\r\nContent-Length: 900000\r\n\r\n"
        )
        with closing(socket.create_connection((where.hostname, where.port))) as connection:
            connection.sendall(head.encode() + PNG + b"\0" * 300_000)
        assert "Files: 0 of" in client.get(f"/x/{execution}").text
        again = client.put(
            f"/x/{execution}/papers/1/files",
            content=PNG,
            headers={"X-File-Name": "cut.png", "X-Passerelle-Token": token_in(page)},
        )
        assert again.status_code == 201
        assert "Files: 1 of" in client.get(f"/x/{execution}").text


def test_more_files_than_asked_for_are_refused(dev: Dev, api: httpx.Client, papers: str) -> None:
    link, execution = made_link(api, papers)
    with entered(dev, link) as (client, page):
        files = [("file", (f"{number}.png", PNG + bytes([number]), "image/png")) for number in range(4)]
        url = f"/x/{execution}/papers/1/files"
        answer = client.post(url, data={"_token": token_in(page)}, files=files)
        assert answer.status_code == 400
        assert re.search("3.png: There are too many files", answer.text)
        assert "Files: 3 of" in answer.text
        assert client.post(url, data={"_token": "0" * 64}, files=files).status_code == 403
        assert client.post(url, files=[("file", ("", b""))]).status_code in (400, 403)


async def test_files_of_a_journey_that_moved_on_are_late(browse: Browse, api: httpx.Client, dev: Dev) -> None:
    page = await browse.open()
    browse.watched(page).refusals_expected = True
    journey = pushed(api, JOURNEY)
    link, execution = made_link(api, journey)
    await started(page, link)
    sent = await page.request.put(f"/x/{execution}/papers/1/files", data=PNG, headers={"X-File-Name": "a.png"})
    assert sent.status in (403, 409)


async def test_a_step_is_done_on_the_phone_and_the_desk_goes_on(browse: Browse, api: httpx.Client) -> None:
    desk, phone, other = await browse.open(), await browse.open(PHONE), await browse.open(PHONE)
    for page in (phone, other):
        browse.watched(page).refusals_expected = True
    link, execution = made_link(api, pushed(api, CARD))
    await desk.goto(link)
    await desk.get_by_role("button", name="Start").click()
    await at(desk, "card")
    await desk.get_by_role("button", name="Continue on your phone").click()
    code = desk.locator("[data-code]")
    await expect(code.locator("svg")).to_be_visible()
    await accessible(desk)
    address = await code.get_attribute("data-code") or ""
    await phone.goto(address)
    await expect(phone.get_by_text("Here you do one part: Identity card.")).to_be_visible()
    await accessible(phone)
    await fits(phone)
    await phone.get_by_role("button", name="Continue").click()
    await at(phone, "card")
    await expect(phone.locator("[data-back], .lend")).to_have_count(0)
    await other.goto(address)
    for place in ("front", "back"):
        await phone.set_input_files(f"#file-{place}", picture(f"{place}.png"))
        await expect(phone.get_by_role("button", name=f"Remove: {place}.png")).to_be_visible()
    await go_on(phone).click()
    await expect(phone.get_by_role("heading", name="This part is done")).to_be_visible()
    await accessible(phone)
    await at(desk, "after")
    late = await phone.request.post(f"/x/{execution}/after/1", form={"/x": "from a phone that was lent another step"})
    assert late.status == 401
    await other.goto(address)
    await expect(other.get_by_role("heading", name="This code is no longer good")).to_be_visible()
    await accessible(other)


def test_a_code_is_good_once_and_ends_with_the_browser_that_showed_it(dev: Dev, api: httpx.Client) -> None:
    card = pushed(api, CARD)
    link, execution = made_link(api, card, email="ada@example.com")
    with entered(dev, link) as (desk, page):
        url, token = f"/x/{execution}/card/1", token_in(page)

        def shown() -> str:
            answer = desk.post(url, data={"_token": token, "_action": "phone"})
            return html.unescape(re.findall('data-code="([^"]+)"', answer.text)[0])

        first, second = shown(), shown()
        with browserless(dev) as phone, browserless(dev) as thief:
            assert thief.get(first).status_code == 410, "a new code ends the one before"
            assert "Continue here" in phone.get(second).text
            assert phone.get(second).status_code == 200, "looking takes nothing"
            foreign = {"Origin": "https://elsewhere.example"}
            assert thief.post(second, headers=foreign).status_code == 403
            assert "data-document" in phone.post(second).text
            assert "data-document" in phone.get(second).text, "whoever took it goes on there"
            assert 'value="phone"' not in phone.get(f"/x/{execution}").text, "what was lent is not lent on"
            desk.cookies.clear()
            assert api.delete(f"/link/{link_id(api, execution)}").status_code == 204
            assert phone.get(f"/x/{execution}").status_code == 401, "with the link, everything ends that it led to"


def link_id(api: httpx.Client, execution: str) -> str:
    found = api.get("/link", params={"limit": 100}).json()["data"]
    return str(next(one["linkId"] for one in found if one["workflowId"] == execution))
