"""The widget on a customer's page: another site than Passerelle's, whose policy lets in nothing but our origin."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.async_api import Frame, FrameLocator, Page, expect

from tests.acceptance.running import Dev, pushed
from tests.browser.browsing import DESKTOP, NARROW, PHONE, Browse, accessible, fits
from tests.browser.hosting import Site, serving

JOURNEY: Final = """
name: widget-journey
title: {en: Registration, pl: Rejestracja}
steps:
  - id: person
    form:
      title: {en: About you, pl: O Tobie}
      schema:
        type: object
        required: [name]
        properties:
          name: {type: string, title: {en: Name, pl: Imię}}
  - id: terms
    consent: {title: {en: Terms, pl: Warunki}, text: {en: Be kind., pl: Bądź miły.}, version: "1"}
  - id: thanks
    message: {title: {en: Thank you, pl: Dziękujemy}, text: {en: We have it., pl: Mamy to.}}
result: {name: "${steps.person.name}"}
"""

HOST: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><title>A shop</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<script src="/told.js"></script><script src="{widget}" async></script>
<main><h1>A shop</h1><button id="before">Register</button>{element}<button id="after">Something else</button></main></html>"""

# Everything that is called back stands in `told`, in order. `token` is what the page's own server would have put in.
TOLD: Final = """window.told = []; window.ready = 0;
const hear = (name) => (detail) => window.told.push([name, detail]);
window.callbacks = Object.fromEntries(["onOpen", "onReady", "onStep", "onComplete", "onClose", "onError"].map((one) => [one, hear(one)]));
window.transactionlink_ready = () => { window.ready += 1; };
addEventListener("DOMContentLoaded", () => {
  document.querySelector("#before").addEventListener("click", () => window.transactionlink.open());
});"""


@pytest.fixture(scope="session")
def definition(dev: Dev) -> str:
    """The journey, published once."""
    with dev.api() as api:
        return pushed(api, JOURNEY)


@pytest.fixture
def token(api: httpx.Client, definition: str) -> Callable[..., str]:
    """Tokens, each for an execution of its own."""

    def make(**more: str) -> str:
        answer = api.post("/token", json={"workflowDefinitionId": definition, **more})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["token"])

    return make


@pytest.fixture(scope="session")
def passerelle(dev: Dev) -> str:
    """Passerelle by another name than the customer's site: browsers take them for two sites."""
    return f"http://127.0.0.1:{urlsplit(dev.demo['baseUrl']).port}"


@pytest.fixture(scope="session")
def site(passerelle: str) -> Iterator[Site]:
    """The customer's site. Neither inline styles nor `eval`, and of others nothing but our script and our frame."""
    policy = f"default-src 'none'; script-src 'self' {passerelle}; frame-src {passerelle}; require-trusted-types-for 'script'"
    with serving(policy) as running:
        running.files["/told.js"] = TOLD
        running.files["/"] = page_with("", passerelle)
        running.files["/element"] = page_with("<passerelle-widget></passerelle-widget>", passerelle)
        again = f'<script src="{passerelle}/widget.js" async></script><passerelle-widget></passerelle-widget>'
        running.files["/twice"] = page_with(again, passerelle)
        running.files["/void"] = page_with("<transactionlink-widget />", passerelle)
        running.files["/div"] = page_with('<div id="transactionlink-widget"></div>', passerelle)
        yield running


def page_with(element: str, passerelle: str, script: str = "/transactionlink-widget.umd.js") -> str:
    """The customer's page."""
    return HOST.replace("{element}", element).replace("{widget}", passerelle + script)


async def opened(
    browse: Browse, site: Site, passerelle: str, path: str = "/", *, ready: int = 1, **options: Any
) -> Page:
    """The customer's page in a browser, with the script loaded."""
    hosts = (urlsplit(passerelle).netloc, urlsplit(site.url()).netloc)
    page = await browse.open(options.pop("viewport", DESKTOP), also=hosts, **options)
    await page.goto(site.url(path))
    await holds(page, f"window.ready === {ready}")
    return page


async def give(page: Page, **options: Any) -> None:
    """The customer's own script: sets the options, callbacks among them."""
    await page.evaluate("given => transactionlink.setOptions({...callbacks, ...given})", options)


def frame(page: Page) -> FrameLocator:
    """What is in the widget's frame."""
    return page.frame_locator("iframe")


async def holds(frame: Page | Frame, expression: str, argument: object = None) -> None:
    """Waits until an expression holds. Playwright's own wait uses `eval`, which this site's policy refuses."""
    for _ in range(500):
        if await frame.evaluate(expression, argument):
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"never came true: {expression}")


async def told(page: Page, name: str, count: int = 1) -> list[Any]:
    """What a callback was told, once it was called so often."""
    await holds(page, "([name, count]) => told.filter(one => one[0] === name).length >= count", [name, count])
    return [detail for one, detail in await page.evaluate("told") if one == name]


async def to_the_end(page: Page) -> None:
    """From the first field to the thanks, by mouse."""
    inside = frame(page)
    await inside.get_by_label("Name").fill("Ada")
    await inside.get_by_role("button", name="Continue").click()
    await inside.get_by_role("checkbox").check()
    await inside.get_by_role("button", name="Continue").click()
    await expect(inside.get_by_role("heading", name="Thank you")).to_be_visible()


async def exchanged(passerelle: str, workspace_id: str, token: str) -> httpx.Response:
    """What the server says to a token, as the frame's script sends it."""
    async with httpx.AsyncClient() as client:
        return await client.post(f"{passerelle}/w/{workspace_id}/open", json={"token": token})


# Inline.


@pytest.mark.parametrize("path", ["/element", "/div"])
async def test_inline_it_goes_through_to_the_end_and_says_so(
    browse: Browse, site: Site, passerelle: str, token: Callable[..., str], path: str
) -> None:
    page = await opened(browse, site, passerelle, path)
    await give(page, token=token(), inline=True, autoHeight=True)
    await expect(frame(page).get_by_label("Name")).to_be_visible()
    await expect(page.locator("dialog")).to_have_count(0)
    await to_the_end(page)
    [ready], [done] = await told(page, "onReady"), await told(page, "onComplete")
    assert done == {"workflowId": ready["workflowId"], "status": "COMPLETED"}
    steps = [(one.get("step"), one["kind"], one["title"]) for one in await told(page, "onStep", 3)]
    assert steps == [("person", "form", "About you"), ("terms", "consent", "Terms"), (None, "state", "Thank you")]
    assert not [one for one in await page.evaluate("told") if one[0] == "onError"]


async def test_its_height_follows_the_content(
    browse: Browse, site: Site, passerelle: str, token: Callable[..., str]
) -> None:
    page = await opened(browse, site, passerelle, "/element", viewport=NARROW)
    browse.watched(page).refusals_expected = True
    await give(page, token=token(), inline=True, autoHeight=True)
    inside = frame(page)
    await expect(inside.get_by_label("Name")).to_be_visible()
    await holds(page, "() => document.querySelector('passerelle-widget').getBoundingClientRect().height > 300")
    [content] = [one for one in page.frames if one is not page.main_frame]
    tall = "document.documentElement.scrollHeight - innerHeight"
    await holds(content, f"() => Math.abs({tall}) <= 1")
    before = await page.evaluate("document.querySelector('passerelle-widget').offsetHeight")
    # A problem makes the form longer; nothing of it may be cut off.
    await inside.get_by_role("button", name="Continue").click()
    await expect(inside.get_by_role("alert")).to_be_visible()
    await holds(page, "before => document.querySelector('passerelle-widget').offsetHeight > before", before)
    await holds(content, f"() => Math.abs({tall}) <= 1")
    await fits(page)
    await accessible(page)


async def test_inline_it_takes_no_focus_away_from_the_page(
    browse: Browse, site: Site, passerelle: str, token: Callable[..., str]
) -> None:
    page = await opened(browse, site, passerelle, "/element")
    await page.locator("#after").focus()
    await give(page, token=token(), inline=True)
    await expect(frame(page).get_by_label("Name")).to_be_visible()
    await expect(page.locator("#after")).to_be_focused()


# Modal.


async def test_by_keyboard_alone_the_modal_keeps_the_focus_and_gives_it_back(
    browse: Browse, site: Site, passerelle: str, token: Callable[..., str]
) -> None:
    page = await opened(browse, site, passerelle)
    await give(page, token=token())
    await page.locator("#before").focus()
    await page.keyboard.press("Enter")
    inside = frame(page)
    await expect(inside.get_by_role("heading", name="About you")).to_be_focused()
    await accessible(page)
    # Round and round: never into the page behind.
    for _ in range(14):
        await page.keyboard.press("Tab")
        active = await page.evaluate("document.activeElement.id")
        assert active not in ("before", "after")
    await inside.get_by_label("Name").focus()
    await page.keyboard.type("Ada")
    await page.keyboard.press("Enter")
    await expect(inside.get_by_role("heading", name="Terms")).to_be_focused()
    await inside.get_by_role("checkbox").focus()
    await page.keyboard.press("Space")
    await page.keyboard.press("Enter")
    await expect(inside.get_by_role("heading", name="Thank you")).to_be_focused()
    await told(page, "onComplete")
    await page.keyboard.press("Escape")
    await told(page, "onClose")
    await expect(page.locator("#before")).to_be_focused()
    await expect(page.locator("iframe")).to_have_count(0)


async def test_escape_asks_where_something_was_typed_and_what_was_typed_is_kept(
    browse: Browse, site: Site, passerelle: str, token: Callable[..., str]
) -> None:
    page = await opened(browse, site, passerelle)
    await give(page, token=token())
    await page.locator("#before").click()
    inside = frame(page)
    await expect(inside.get_by_role("heading", name="About you")).to_be_focused()
    await page.keyboard.press("Escape")
    await told(page, "onClose")  # nothing was typed: nothing to ask
    await page.locator("#before").click()
    await expect(inside.get_by_role("heading", name="About you")).to_be_focused()  # and then somebody types
    await inside.get_by_label("Name").fill("Grace")
    await page.keyboard.press("Escape")
    question = inside.get_by_role("dialog", name="Close this form?")
    await expect(question).to_be_visible()
    await accessible(page)
    await page.keyboard.press("Escape")
    await expect(question).to_be_hidden()
    await expect(inside.get_by_label("Name")).to_be_focused()
    # The button above the frame asks as well.
    await page.get_by_role("button", name="Close", exact=True).click()
    await question.get_by_role("button", name="Close").click()
    await told(page, "onClose", 2)
    await expect(page.locator("dialog")).to_be_hidden()
    await page.locator("#before").click()
    await expect(inside.get_by_label("Name")).to_have_value("Grace")


async def test_on_a_phone_the_modal_fills_the_screen_in_both_schemes(
    browse: Browse, site: Site, passerelle: str, token: Callable[..., str]
) -> None:
    for viewport, dark in ((PHONE, False), (NARROW, True)):
        page = await opened(browse, site, passerelle, viewport=viewport, dark=dark)
        await give(page, token=token())
        await page.locator("#before").click()
        await expect(frame(page).get_by_label("Name")).to_be_visible()
        box = await page.locator("dialog").bounding_box()
        assert box == {"x": 0, "y": 0, **viewport}
        await accessible(page)
        for one in page.frames:
            assert await one.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_the_page_opens_and_closes_it_and_cannot_be_scrolled_meanwhile(
    browse: Browse, site: Site, passerelle: str, token: Callable[..., str]
) -> None:
    page = await opened(browse, site, passerelle)
    await give(page, token=token(), locale="pl")
    await page.evaluate("passerelle.open()")
    await expect(frame(page).get_by_label("Imię")).to_be_visible()
    assert await page.evaluate("document.documentElement.style.overflow") == "hidden"
    assert await page.evaluate("window.passerelle === window.transactionlink")
    await page.evaluate("passerelle.close()")
    await told(page, "onClose")
    assert await page.evaluate("document.documentElement.style.overflow") == ""


# Whom it works for, and whom not.


async def test_it_works_where_cookies_of_other_sites_are_blocked(
    browse: Browse, site: Site, passerelle: str, token: Callable[..., str]
) -> None:
    page = await browse.open(also=(urlsplit(passerelle).netloc, urlsplit(site.url()).netloc))
    tools = await page.context.new_cdp_session(page)
    await tools.send("Network.enable")
    controls = (
        "enableThirdPartyCookieRestriction",
        "disableThirdPartyCookieMetadata",
        "disableThirdPartyCookieHeuristics",
    )
    await tools.send("Network.setCookieControls", dict.fromkeys(controls, True))
    await page.goto(site.url())
    await holds(page, "window.ready === 1")
    await give(page, token=token())
    await page.locator("#before").click()
    await expect(frame(page).get_by_label("Name")).to_be_visible()
    # So that this test proves something: here no cookie of the frame is kept.
    [inside] = [one for one in page.frames if one is not page.main_frame]
    assert await inside.evaluate("(document.cookie = 'a=b; SameSite=None; Secure', document.cookie)") == ""
    await to_the_end(page)
    await told(page, "onComplete")


async def test_it_works_where_the_frame_may_keep_nothing_at_all(
    browse: Browse, site: Site, passerelle: str, token: Callable[..., str]
) -> None:
    page = await browse.open(also=(urlsplit(passerelle).netloc, urlsplit(site.url()).netloc))
    await page.add_init_script(
        "if (window !== parent) for (const [of, name] of [[window, 'sessionStorage'], [Document.prototype, 'cookie']])"
        " Object.defineProperty(of, name, {get() { throw new DOMException('no', 'SecurityError'); }});"
    )
    await page.goto(site.url())
    await holds(page, "window.ready === 1")
    await give(page, token=token())
    await page.locator("#before").click()
    await to_the_end(page)


@pytest.fixture
def elsewhere_only(api: httpx.Client) -> Iterator[None]:
    """The workspace lets another site show the widget, and no more."""
    theme = {"name": api.get("/theme").json()["name"]}
    api.put("/theme", json={**theme, "allowedOrigins": ["https://app.example.com"]}).raise_for_status()
    yield
    allowed = ["http://localhost:*", "http://127.0.0.1:*"]
    api.put("/theme", json={**theme, "allowedOrigins": allowed}).raise_for_status()


@pytest.mark.usefixtures("elsewhere_only")
async def test_a_site_that_is_not_allowed_cannot_show_it_and_learns_why(
    browse: Browse, site: Site, passerelle: str, token: Callable[..., str]
) -> None:
    page = await opened(browse, site, passerelle)
    await give(page, token=token())
    await page.locator("#before").click()
    [error] = await told(page, "onError")
    assert error["code"] == "FRAME_REFUSED"
    assert site.url("") in error["message"]
    watched = browse.watched(page)
    assert any("frame-ancestors" in one for one in watched.errors)
    watched.errors.clear()
    # Its own button closes it, for the frame cannot.
    await page.get_by_role("button", name="Close", exact=True).click()
    await told(page, "onClose")


async def test_the_frame_talks_to_allowed_sites_only(
    browse: Browse, site: Site, passerelle: str, token: Callable[..., str], dev: Dev
) -> None:
    """A page that got the frame without being allowed, as in a browser without our header, is not answered."""
    secret = token()
    page = await browse.open(also=(urlsplit(passerelle).netloc, urlsplit(site.url()).netloc))

    async def unprotected(route: Any) -> None:
        answer = await route.fetch()
        headers = {**answer.headers, "content-security-policy": ""}
        body = (await answer.text()).replace("http://localhost:*", "https://app.example.com")
        await route.fulfill(response=answer, headers=headers, body=body)

    await page.route(f"{passerelle}/w/**", unprotected)
    await page.goto(site.url())
    await page.evaluate(
        """([url, token]) => {
            addEventListener("message", event => told.push(["message", event.data]));
            const frame = document.createElement("iframe");
            frame.src = url;
            frame.onload = () => {
                frame.contentWindow.postMessage({passerelle: 1, type: "open", token}, "*");
                told.push(["loaded", null]);
            };
            document.body.append(frame);
        }""",
        [f"{passerelle}/w/{dev.demo['workspaceId']}", secret],
    )
    await told(page, "loaded")
    await told(page, "message")
    answer = await exchanged(passerelle, dev.demo["workspaceId"], secret)
    assert answer.status_code == 200, "the token was spent by the frame"
    assert [one[1] for one in await page.evaluate("told") if one[0] == "message"] == [
        {"passerelle": 1, "type": "hello"}
    ]


async def test_the_widget_listens_to_its_frame_only(
    browse: Browse, site: Site, passerelle: str, token: Callable[..., str]
) -> None:
    page = await opened(browse, site, passerelle)
    await give(page, token=token())
    await page.locator("#before").click()
    await expect(frame(page).get_by_label("Name")).to_be_visible()
    await page.evaluate(
        "window.postMessage({passerelle: 1, type: 'complete', workflowId: 'x', status: 'COMPLETED'}, '*')"
    )
    # Messages come in order: once this one is heard, the one before was passed over.
    await page.evaluate(
        "() => new Promise(done => { addEventListener('message', done, {once: true}); postMessage('last', '*'); })"
    )
    assert not [one for one in await page.evaluate("told") if one[0] in ("onComplete", "onClose")]


# Tokens.


async def test_a_token_that_was_used_shows_a_kind_page_and_says_so(
    browse: Browse, site: Site, passerelle: str, token: Callable[..., str], dev: Dev
) -> None:
    used = token()
    assert (await exchanged(passerelle, dev.demo["workspaceId"], used)).status_code == 200
    page = await opened(browse, site, passerelle, "/element")
    browse.watched(page).refusals_expected = True
    await give(page, token=used, inline=True)
    await expect(frame(page).get_by_role("heading", name="open somewhere else")).to_be_visible()
    [error] = await told(page, "onError")
    assert error["code"] == "WIDGET_TOKEN_SPENT"
    assert "POST /token" in error["message"]
    await accessible(page)


async def test_a_token_of_another_workspace_and_one_that_is_none_are_refused(
    browse: Browse, site: Site, passerelle: str, token: Callable[..., str], dev: Dev
) -> None:
    page = await opened(browse, site, passerelle, "/element")
    browse.watched(page).refusals_expected = True
    for wrong in ("nonsense", ""):
        await give(page, token=wrong)
        await page.evaluate("passerelle.open()")
    codes = [one["code"] for one in await told(page, "onError", 2)]
    assert codes == ["WIDGET_TOKEN_INVALID", "TOKEN_REQUIRED"]
    head, body, _ = token().split(".")
    await give(page, token=f"{head}.{body}.AAAA", inline=True)
    await expect(frame(page).get_by_role("heading", name="cannot be opened")).to_be_visible()
    assert (await told(page, "onError", 3))[-1]["code"] == "WIDGET_TOKEN_INVALID"
    foreign = await exchanged(passerelle, dev.demo["definitions"]["company-check"], token())
    assert (foreign.status_code, "cannot be opened" in foreign.text) == (401, True)


async def test_another_token_shows_its_execution(
    browse: Browse, site: Site, passerelle: str, token: Callable[..., str]
) -> None:
    page = await opened(browse, site, passerelle, "/element")
    await give(page, token=token(), inline=True)
    await frame(page).get_by_label("Name").fill("Ada")
    await frame(page).get_by_role("button", name="Continue").click()
    await expect(frame(page).get_by_role("heading", name="Terms")).to_be_visible()
    await page.evaluate("token => transactionlink.setContext(token)", token())
    await expect(frame(page).get_by_label("Name")).to_have_value("")
    first, second = await told(page, "onReady", 2)
    assert first["workflowId"] != second["workflowId"]


# Pages that render themselves.


async def test_an_element_that_comes_late_goes_and_comes_again(
    browse: Browse, site: Site, passerelle: str, token: Callable[..., str]
) -> None:
    """As frameworks do it: rendered after the script, taken away, rendered anew, moved. The place is kept."""
    page = await opened(browse, site, passerelle)
    await give(page, token=token(), inline=True)
    await page.evaluate(
        """() => {
            window.render = () => {
                document.querySelector('#transactionlink-widget')?.remove();
                const element = document.createElement('div');
                element.id = 'transactionlink-widget';
                document.querySelector('main').append(element);
            };
            render(); render();  // as React's strict mode does
        }"""
    )
    await frame(page).get_by_label("Name").fill("Ada")
    await frame(page).get_by_role("button", name="Continue").click()
    await expect(frame(page).get_by_role("heading", name="Terms")).to_be_visible()
    await page.evaluate("render()")
    await expect(frame(page).get_by_role("heading", name="Terms")).to_be_visible()
    await page.evaluate("document.querySelector('main').prepend(document.querySelector('#transactionlink-widget'))")
    await expect(frame(page).get_by_role("heading", name="Terms")).to_be_visible()
    await expect(page.locator("iframe")).to_have_count(1)
    assert not [one for one in await page.evaluate("told") if one[0] == "onError"]


async def test_handlers_are_told_until_they_are_taken_away(
    browse: Browse, site: Site, passerelle: str, token: Callable[..., str]
) -> None:
    page = await opened(browse, site, passerelle)
    await page.evaluate(
        """() => {
            window.heard = [];
            for (const event of ['widget-opened', 'widget-closed', 'error', 'workflow-finished'])
                transactionlink.on(event, detail => heard.push([event, detail]));
            const fails = () => { throw new Error('mine'); };
            transactionlink.on('widget-opened', fails).off('widget-opened', fails);
            transactionlink.open();
        }"""
    )
    await give(page, token=token())
    await page.evaluate("transactionlink.open()")
    await to_the_end(page)
    await holds(page, "heard.some(one => one[0] === 'workflow-finished')")
    await page.evaluate("transactionlink.close()")
    await holds(page, "heard.length === 4")
    names = [name for name, _ in await page.evaluate("heard")]
    assert names == ["error", "widget-opened", "workflow-finished", "widget-closed"]
    assert (await page.evaluate("heard"))[0][1]["code"] == "TOKEN_REQUIRED"
    await page.evaluate("transactionlink.off('error').unmountWidget()")
    await give(page)
    await page.evaluate("transactionlink.open()")
    assert (await told(page, "onError"))[0]["code"] == "TOKEN_REQUIRED"
    assert await page.evaluate("heard.length") == 4, "handlers that were taken away are told nothing"


@pytest.mark.parametrize("path", ["/", "/element", "/div"])
async def test_unmounted_it_is_gone_with_its_options_and_mounted_again_it_begins_anew(
    browse: Browse, site: Site, passerelle: str, token: Callable[..., str], path: str
) -> None:
    page = await opened(browse, site, passerelle, path)
    for _ in range(2):
        await give(page, token=token(), inline=path != "/")
        await page.evaluate("transactionlink.open()")
        await expect(frame(page).get_by_label("Name")).to_have_value("")
        await expect(page.locator("iframe")).to_have_count(1)
        await frame(page).get_by_label("Name").fill("Ada")
        await page.evaluate("transactionlink.unmountWidget(); document.body.append('a change of the page')")
        await expect(page.locator("iframe")).to_have_count(0)
        assert await page.evaluate("getComputedStyle(document.documentElement).overflow") == "visible"
    await give(page)
    await page.evaluate("transactionlink.open()")
    assert (await told(page, "onError"))[0]["code"] == "TOKEN_REQUIRED", "the token went with the widget"


async def test_each_time_that_the_script_is_loaded_the_page_is_told_and_there_is_one_widget(
    browse: Browse, site: Site, passerelle: str, token: Callable[..., str]
) -> None:
    page = await opened(browse, site, passerelle, "/twice", ready=2)
    assert await page.evaluate("transactionlink === passerelle")
    await give(page, token=token(), inline=True)
    await frame(page).get_by_label("Name").fill("Ada")
    await expect(page.locator("iframe")).to_have_count(1)
    assert not await page.evaluate("told.filter(one => one[0] === 'onError')")


async def test_what_stands_behind_an_element_in_short_form_is_still_seen(
    browse: Browse, site: Site, passerelle: str, token: Callable[..., str]
) -> None:
    page = await opened(browse, site, passerelle, "/void")
    await expect(page.get_by_role("button", name="Something else")).to_be_visible()
    await give(page, token=token(), inline=True)
    await expect(frame(page).get_by_label("Name")).to_be_visible()
    await expect(page.get_by_role("button", name="Something else")).to_be_visible()


async def test_attributes_do_as_well_and_events_are_heard_on_the_element(
    browse: Browse, site: Site, passerelle: str, token: Callable[..., str]
) -> None:
    page = await opened(browse, site, passerelle)
    await page.evaluate(
        """token => {
            const element = document.createElement('transactionlink-widget');
            for (const [name, value] of [['token', token], ['inline', ''], ['auto-height', ''], ['locale', 'pl']])
                element.setAttribute(name, value);
            element.addEventListener('passerelle:step', event => told.push(['heard', event.detail.title]));
            document.querySelector('main').append(element);
        }""",
        token(),
    )
    await expect(frame(page).get_by_label("Imię")).to_be_visible()
    assert await told(page, "heard") == ["O Tobie"]


async def test_in_an_apps_web_view_the_page_stands_alone(
    browse: Browse, passerelle: str, token: Callable[..., str]
) -> None:
    """No page around, no cookie; a reload goes on; the token stands in no address that anybody could log."""
    page = await browse.open(PHONE, also=(urlsplit(passerelle).netloc,))
    browse.watched(page).refusals_expected = True
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.add_init_script(
        "window.told = []; window.ReactNativeWebView = {postMessage: text => told.push(JSON.parse(text))};"
    )
    secret = token()
    await page.goto(f"{passerelle}/w/#token={secret}")
    await page.get_by_label("Name").fill("Ada")
    await page.get_by_role("button", name="Continue").click()
    await expect(page.get_by_role("heading", name="Terms")).to_be_visible()
    await accessible(page)
    assert "token" not in page.url
    assert not [url for url in asked if secret in url.partition("#")[0]]
    await page.reload()
    await page.get_by_role("checkbox").check()
    await page.get_by_role("button", name="Continue").click()
    await expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    said = [one["type"] for one in await page.evaluate("told")]
    assert said == ["ready", "step", "step", "complete"]
    # The app opens another one in the same view.
    await page.goto(f"{passerelle}/w/#token={token()}")
    await expect(page.get_by_label("Name")).to_have_value("")


async def test_a_broken_connection_is_said_and_tried_again(
    browse: Browse, site: Site, passerelle: str, token: Callable[..., str]
) -> None:
    page = await opened(browse, site, passerelle, "/element")
    watched = browse.watched(page)
    await page.route(f"{passerelle}/w/*/open", lambda route: route.abort())
    await give(page, token=token(), inline=True)
    again = frame(page).get_by_role("button", name="Try again")
    await expect(again).to_be_visible()
    await accessible(page)
    await page.unroute(f"{passerelle}/w/*/open")
    await again.click()
    await expect(frame(page).get_by_label("Name")).to_be_visible()
    assert all("ERR_FAILED" in one for one in watched.errors)
    watched.errors.clear()


# The files themselves.


def test_the_script_is_small_open_to_every_site_and_the_same_under_both_names(passerelle: str) -> None:
    one, other = (httpx.get(passerelle + path) for path in ("/widget.js", "/transactionlink-widget.umd.js"))
    assert one.content == other.content
    assert len(one.content) < 20_000
    assert one.headers["access-control-allow-origin"] == "*"
    assert one.headers["cross-origin-resource-policy"] == "cross-origin"
    again = httpx.get(passerelle + "/widget.js", headers={"If-None-Match": one.headers["etag"]})
    assert again.status_code == 304
    assert "eval(" not in one.text
    assert "innerHTML" not in one.text


def test_the_frame_is_bound_to_the_allowed_origins_and_to_our_own_files(passerelle: str, dev: Dev) -> None:
    answer = httpx.get(f"{passerelle}/w/{dev.demo['workspaceId']}")
    policy = answer.headers["content-security-policy"]
    assert "frame-ancestors 'self' http://localhost:* http://127.0.0.1:*" in policy
    assert "unsafe" not in policy
    assert "x-frame-options" not in answer.headers
    nobody = httpx.get(f"{passerelle}/w/").headers["content-security-policy"]
    assert nobody.endswith("frame-ancestors 'self'")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"token": 1}', b'{"token": "x", "more": 1}', b'{"token": "' + b"a" * 9_000 + b'"}']
)
def test_a_bad_body_opens_nothing(passerelle: str, dev: Dev, body: bytes) -> None:
    answer = httpx.post(
        f"{passerelle}/w/{dev.demo['workspaceId']}/open", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400
    assert json.loads(answer.content)["errors"]
