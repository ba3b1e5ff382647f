"""Passerelle under a path of a host, behind Debian's nginx: pages, forms, cookies, the widget and what links say."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.async_api import Browser, expect

from tests.acceptance.running import Dev, pushed, start_dev, until
from tests.browser.browsing import Browse
from tests.browser.hosting import serving
from tests.browser.signing_in import with_a_device
from tests.browser.visiting import PDF, at, go_on, made_link
from tests.certificates import made
from tests.poolers import free_port
from tests.proxies import nginx

PATH = "/company/onboarding"
ASKING = """
name: asked-behind-a-proxy
title: {en: A question}
steps:
  - id: you
    form:
      title: {en: About you}
      schema: {type: object, required: [name], properties: {name: {type: string, title: {en: Name}}}}
  - id: paper
    upload: {title: {en: A paper}, accept: [application/pdf], maxSize: 1MB, min: 1}
result: {name: "${steps.you.name}"}
"""


@pytest.fixture(scope="module", params=["the path stays", "the path is taken off"])
def dev(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    """One that nginx stands in front of, either way."""
    port, upstream = free_port(), free_port()
    environment = {
        "PASSERELLE_PUBLIC_URL": f"http://localhost:{port}{PATH}/",
        "PASSERELLE_TRUSTED_PROXIES": "127.0.0.1",
    }
    with nginx(port, upstream, PATH, strips=request.param == "the path is taken off"):
        folder = tmp_path_factory.mktemp("behind") / "data"
        running = start_dev(folder, "--port", str(upstream), environment=environment)
        yield running
        running.stop()


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    """One whose nginx speaks TLS, as all of them do outside of tests."""
    port, upstream, tls = free_port(), free_port(), made(tmp_path_factory.mktemp("tls"))
    environment = {
        "PASSERELLE_PUBLIC_URL": f"https://localhost:{port}{PATH}",
        "PASSERELLE_TRUSTED_PROXIES": "127.0.0.1",
    }
    with nginx(port, upstream, PATH, strips=True, tls=tls), pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(tls.authority))
        folder = tmp_path_factory.mktemp("encrypted") / "data"
        running = start_dev(folder, "--port", str(upstream), environment=environment)
        yield running
        running.stop()


async def answered(browse: Browse, link: str) -> None:
    page = await browse.open()
    await page.goto(link)
    colour = "getComputedStyle(document.querySelector('button.primary')).backgroundColor"
    assert await page.evaluate(colour) not in ("rgb(239, 239, 239)", "rgba(0, 0, 0, 0)"), "the stylesheet is there"
    await page.get_by_role("button", name="Start").click()
    await at(page, "you")
    await page.get_by_label("Name").fill("Ada")
    await go_on(page).click()
    await at(page, "paper")
    await page.reload()
    await at(page, "paper")
    await page.locator("input[type=file]").set_input_files(
        {"name": "a.pdf", "mimeType": "application/pdf", "buffer": PDF}
    )
    await go_on(page).click()
    await expect(page.locator("#screen[data-step=paper]")).to_have_count(0)


async def test_a_link_leads_through_every_page(browse: Browse, api: httpx.Client) -> None:
    link, execution = made_link(api, pushed(api, ASKING))
    assert PATH + "/l/" in link
    await answered(browse, link)
    until(api, execution, "COMPLETED")


async def test_without_script_forms_and_redirects_do(chromium: Browser, dev: Dev, api: httpx.Client) -> None:
    """Cookies have the path, and so does where a form leads."""
    link, _ = made_link(api, pushed(api, ASKING), email="ada@example.com")
    context = await chromium.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(link)
    assert await page.locator(f"form[action^='{PATH}/']").count() > 0
    assert await page.locator(f"link[rel=stylesheet][href^='{PATH}/']").count() > 0
    assert await page.locator("form[action^='/']").count() == await page.locator(f"form[action^='{PATH}/']").count()
    await context.close()


async def test_the_widget_and_the_web_view(browse: Browse, chromium: Browser, dev: Dev, api: httpx.Client) -> None:
    definition_id = pushed(api, ASKING)

    def token() -> str:
        return str(api.post("/token", json={"workflowDefinitionId": definition_id}).json()["token"])

    base = dev.demo["baseUrl"]
    alone = await browse.open()
    await alone.goto(f"{base}/w/#token={token()}")
    await at(alone, "you")
    with serving(f"default-src 'none'; script-src {base}/; frame-src {base}/; style-src 'unsafe-inline'") as site:
        shown = [f"http://localhost:{site.port}"]
        assert (await asyncio.to_thread(api.put, "/theme", json={"allowedOrigins": shown})).is_success
        site.files["/"] = (
            f'<!doctype html><title>Shop</title><script src="{base}/widget.js"></script>'
            f'<passerelle-widget inline token="{token()}"></passerelle-widget>'
        )
        page = await (await chromium.new_context()).new_page()
        await page.goto(site.url())
        frame = page.frame_locator("iframe")
        await expect(frame.locator("#screen[data-step=you]")).to_be_visible()
        await page.context.close()


async def test_reference_pages_and_answers_say_the_whole_address(browse: Browse, dev: Dev, api: httpx.Client) -> None:
    base = dev.demo["baseUrl"]
    assert base.endswith(PATH)
    page = await browse.open()
    await page.goto(base + "/docs")
    assert f"{base}/workflows" in await page.content()
    answer = await asyncio.to_thread(httpx.get, f"{base}/workflows/x")
    assert answer.status_code == 401


def test_events_come_as_they_happen(dev: Dev, api: httpx.Client) -> None:
    """Neither held back until there are more, nor only when the stream ends."""
    _, execution = made_link(api, pushed(api, ASKING))
    headers = {"Accept": "text/event-stream", "Accept-Encoding": "gzip"}
    with api.stream("GET", "/events", params={"types": "workflow.*"}, headers=headers, timeout=10) as stream:
        lines = stream.iter_lines()
        assert next(lines).startswith("retry: ")
        api.post(f"/workflows/{execution}/cancel").raise_for_status()
        assert execution in next(line for line in lines if line.startswith("data: "))


def test_a_wrong_sign_in_of_one_client_locks_out_no_other(dev: Dev) -> None:
    """The proxy is trusted, so each client is known by its own address; nobody else is believed."""
    base, wrong = dev.demo["baseUrl"], {"key": "nobody", "secret": "wrong"}
    for _ in range(10):
        assert httpx.post(f"{base}/auth/authorize", json=wrong).status_code == 401
    assert httpx.post(f"{base}/auth/authorize", json=wrong).status_code == 429


async def test_operators_sign_in_work_and_sign_out(chromium: Browser, encrypted: Dev) -> None:
    """Cookies that browsers take for a path, the dashboard's files and routes, the API that it calls, and the way back."""
    base, user = encrypted.demo["baseUrl"], encrypted.demo["user"]
    assert base.startswith("https:")
    assert base.endswith(PATH)
    browse = Browse(chromium, base)
    page = await browse.open(ignore_https_errors=True)
    browse.watched(page).refusals_expected = True
    await page.goto(f"{base}/app/executions")
    await page.wait_for_url(f"{base}/sign-in?next=%2Fapp%2Fexecutions")
    await page.locator("[name=email]").fill(user["email"])
    await page.locator("[name=password]").fill(user["password"])
    await page.locator("[name=password]").press("Enter")
    await page.wait_for_url(f"{base}/app/executions")
    cookies = {cookie["name"]: cookie for cookie in await page.context.cookies()}
    assert cookies["__Secure-passerelle-session"]["path"] == f"{PATH}/"
    browse.watched(page).refusals_expected = False
    for link, heading in (("Definitions", "Definitions"), ("Webhooks", "Webhooks"), ("Settings", "My account")):
        await page.get_by_role("link", name=link, exact=True).first.click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text(heading)
        assert page.url.startswith(f"{base}/app/")
    await page.reload()
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    paths = await page.evaluate("performance.getEntriesByType('resource').map(entry => new URL(entry.name).pathname)")
    assert [path for path in paths if not path.startswith(f"{PATH}/")] == []
    browse.watched(page).refusals_expected = True
    await page.goto(f"{base}/sign-out")
    await page.locator("button.primary").click()
    await page.wait_for_url(f"{base}/sign-in?signed-out")
    await page.goto(f"{base}/app")
    await page.wait_for_url(f"{base}/sign-in**")
    await browse.close()


async def test_a_passkey_is_added_and_signs_in_under_the_path(chromium: Browser, encrypted: Dev) -> None:
    base, user = encrypted.demo["baseUrl"], encrypted.demo["user"]
    context = await chromium.new_context(ignore_https_errors=True)
    page = await with_a_device(await context.new_page())
    await page.goto(f"{base}/sign-in?next=/set-up")
    await page.locator("[name=email]").fill(user["email"])
    await page.locator("[name=password]").fill(user["password"])
    await page.locator("[name=password]").press("Enter")
    await page.wait_for_url(f"{base}/set-up")
    await page.get_by_role("button", name="Add a passkey").click()
    await expect(page.get_by_text(re.compile("since 20"))).to_be_visible()
    await page.goto(f"{base}/sign-out")
    await page.get_by_role("button", name="Sign out").click()
    await page.wait_for_url(f"{base}/sign-in?signed-out")
    await page.goto(f"{base}/sign-in?next=/app")
    await page.get_by_role("button", name="Sign in with a passkey").click()
    await page.wait_for_url(f"{base}/app**")
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await context.close()
