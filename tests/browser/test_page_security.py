"""What protects the pages: who may send what, where cookies go, what is allowed to run, what stands in logs."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.async_api import expect

from tests.acceptance.running import Dev, pushed
from tests.browser.browsing import PHONE, Browse
from tests.browser.visiting import (
    JOURNEY,
    PNG,
    at,
    browserless,
    entered,
    fill_you,
    go_on,
    made_link,
    picture,
    started,
    token_in,
)

LARGEST_START = 15_000
LARGEST_PAGE = 60_000


@pytest.fixture(scope="module")
def journey(dev: Dev) -> str:
    """The definition's id."""
    with dev.api() as api:
        return pushed(api, JOURNEY)


def test_nothing_may_run_that_is_not_ours_and_nothing_is_kept_by_caches(
    dev: Dev, api: httpx.Client, journey: str
) -> None:
    link, execution = made_link(api, journey)
    with browserless(dev) as stranger:
        seen = [stranger.get(link), stranger.get(f"/x/{execution}"), stranger.get("/l/unknown")]
    with entered(dev, link) as (client, page):
        url = f"/x/{execution}/you/1"
        seen += [client.get(f"/x/{execution}"), client.post(url, data={"_token": token_in(page)}), client.post(url)]
    for answer in seen:
        policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
        assert "unsafe" not in str(policy)
        assert policy["frame-ancestors"].split()[0] == "'self'"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert not re.search(r"<script(?! type=\"module\" src)|\son\w+=| style=", answer.text)


def test_the_cookie_is_kept_from_scripts_and_other_sites_and_goes_to_its_own_pages_only(
    dev: Dev, api: httpx.Client, journey: str
) -> None:
    link, execution = made_link(api, journey)
    with httpx.Client() as client:
        challenge = client.post(f"{link}/challenge").json()["challenge"]
        answer = client.post(f"{link}/start", data={"challenge": challenge})
    cookies = answer.headers.get_list("set-cookie")
    assert {re.search("Path=([^;]+)", cookie)[1] for cookie in cookies} == {  # type: ignore[index]
        f"/x/{execution}",
        httpx.URL(link).path,
    }
    for cookie in cookies:
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
    assert answer.headers["location"] == f"/x/{execution}"


FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "http://localhost.evil.example"},
]


@pytest.mark.parametrize("headers", FOREIGN)
def test_another_site_cannot_make_a_browser_send_anything(
    dev: Dev, api: httpx.Client, journey: str, headers: dict[str, str]
) -> None:
    fresh, _ = made_link(api, journey, email="forged@example.com")
    link, execution = made_link(api, journey)
    with entered(dev, link) as (client, page):
        token = token_in(page)
        url = f"/x/{execution}/you/1"
        challenge = client.post(f"{fresh}/challenge").json()["challenge"]
        for path, sent in (
            (f"{fresh}/challenge", {}),
            (f"{fresh}/start", {"challenge": challenge}),
            (f"{fresh}/code", {"action": "send"}),
            (url, {"_token": token, "/name": "Eve"}),
            (f"{url}/draft", {"_token": token, "/name": "Eve"}),
        ):
            answer = client.post(path, data=sent, headers=headers)
            assert answer.status_code == 403, path
        assert 'value="Eve"' not in client.get(f"/x/{execution}").text


@pytest.mark.parametrize("token", [None, "", "0" * 64])
def test_a_form_without_the_pages_own_token_is_refused_kindly(
    dev: Dev, api: httpx.Client, journey: str, token: str | None
) -> None:
    link, execution = made_link(api, journey)
    with entered(dev, link) as (client, _):
        sent = {"/name": "Eve"} if token is None else {"/name": "Eve", "_token": token}
        url = f"/x/{execution}/you/1"
        refused = client.post(url, data=sent)
        assert (refused.status_code, "Please send that once more" in refused.text) == (403, True)
        assert client.post(f"{url}/draft", data=sent).status_code == 403
        headers = {"X-File-Name": "a.png", "X-Passerelle-Token": token or ""}
        assert client.put(f"{url}/files", content=PNG, headers=headers).status_code == 403


def test_one_executions_browser_sees_nothing_of_another(dev: Dev, api: httpx.Client, journey: str) -> None:
    (link, own), (_, other) = made_link(api, journey), made_link(api, journey)
    with entered(dev, link) as (client, page):
        cookie = next(one.value for one in client.cookies.jar if one.name == "passerelle")
        sent = {"_token": token_in(page), "/name": "Eve"}
        headers = {"Cookie": f"passerelle={cookie}"}
        assert client.get(f"/x/{own}", headers=headers).status_code == 200
        for method, path in (
            ("GET", f"/x/{other}"),
            ("GET", f"/x/{other}/events?seq=0"),
            ("POST", f"/x/{other}/you/1"),
            ("POST", f"/x/{other}/you/1/draft"),
            ("PUT", f"/x/{other}/you/1/files"),
        ):
            assert client.request(method, path, data=sent, headers=headers).status_code == 401, path


@pytest.mark.parametrize(
    "path", ["/x/no-id", "/x/0198c2f4-8f5e-7c3a-9d1b-2a6f4e5d7c80/events?seq=x", "/l/%00", "/l/x/y/z"]
)
def test_addresses_that_nobody_made_are_answered_without_trouble(dev: Dev, path: str) -> None:
    with browserless(dev) as client:
        assert client.get(path).status_code in (400, 401, 404)


async def test_the_first_page_is_small_and_asks_nobody_else(browse: Browse, api: httpx.Client, journey: str) -> None:
    """Over the wire, headers included; the rig fails for any other host."""
    page = await browse.open(PHONE)
    loaded: list[float] = []
    network = await page.context.new_cdp_session(page)
    network.on("Network.loadingFinished", lambda event: loaded.append(event["encodedDataLength"]))
    await network.send("Network.enable")
    await page.goto(made_link(api, journey)[0], wait_until="networkidle")
    assert len(loaded) == 4, "the page, two styles, its script: what the screens need comes when somebody begins"
    assert sum(loaded) < LARGEST_START
    await page.get_by_role("button", name="Start").click()
    await at(page, "you")
    assert sum(loaded) < LARGEST_PAGE


async def test_nothing_that_people_type_stands_in_an_address_or_a_log(
    browse: Browse, dev: Dev, api: httpx.Client, journey: str
) -> None:
    page = await browse.open()
    browse.watched(page).refusals_expected = True
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    link, _ = made_link(api, journey, email="quiet.zebra@example.com", parameters={"name": "Zebra"})
    await started(page, link)
    await go_on(page).click()
    await expect(page.locator("#problems")).to_be_focused()
    await fill_you(page, "Zebra")
    await go_on(page).click()
    await at(page, "papers")
    await page.set_input_files("#file", [picture("zebra.png"), picture("zebra.pdf", b"no", "application/pdf")])
    await expect(page.get_by_role("button", name="Remove: zebra.png")).to_be_visible()
    assert not [url for url in asked if re.search("zebra|600", url, re.IGNORECASE)]
    assert dev.log is not None
    log = dev.log.read_text(encoding="utf-8")
    assert log, "there is a log to look at"
    for secret in ("zebra", "600100200", link.rpartition("/")[2]):
        assert secret not in log.lower()
        assert secret not in log
