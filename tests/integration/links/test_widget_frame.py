"""The frame's way from a token to a session: what it gets once, what it gets again, and what is shown instead."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from passerelle.end_user.pages.answers import PageAnswers
from passerelle.end_user.widget.endpoints import router
from passerelle.kit.ids import new_id
from passerelle.languages.service import Languages
from passerelle.themes.repository import ThemeRepository
from passerelle.themes.service import Themes
from tests.integration.links.gatehouse import PUBLIC_URL, Gatehouse


@pytest_asyncio.fixture(loop_scope="session")
async def browser(gatehouse: Gatehouse) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that shows the frame; it keeps cookies."""
    app = FastAPI()
    answers = PageAnswers(Themes(ThemeRepository(gatehouse.database)), Languages(), secure=True)
    app.include_router(router(gatehouse.links, answers, gatehouse.clock))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL, headers={"Accept-Language": "pl"}) as client:
        yield client


async def opened(browser: httpx.AsyncClient, gatehouse: Gatehouse, token: str) -> httpx.Response:
    """What the frame of the workspace is told."""
    return await browser.post(f"/w/{gatehouse.workspace_id}/open", json={"token": token})


async def test_it_gets_a_session_that_scripts_and_other_sites_do_not_see(
    browser: httpx.AsyncClient, gatehouse: Gatehouse
) -> None:
    made = await gatehouse.token()
    answer = await opened(browser, gatehouse, made.token)
    session = await gatehouse.links.session(answer.json()["session"])
    assert session is not None
    assert answer.json()["workflowId"] == str(session.execution_id) == str(made.execution_id)
    (cookie,) = answer.headers.get_list("set-cookie")
    assert cookie.endswith(f"Path=/w/{gatehouse.workspace_id}; Secure; HttpOnly; SameSite=None; Partitioned")
    assert made.token not in cookie


@pytest.mark.parametrize("later", [timedelta(0), timedelta(hours=5)])
async def test_a_frame_that_is_loaded_anew_goes_on(
    browser: httpx.AsyncClient, gatehouse: Gatehouse, later: timedelta
) -> None:
    made = await gatehouse.token()
    first = await opened(browser, gatehouse, made.token)
    gatehouse.clock.move(later)
    again = await opened(browser, gatehouse, made.token)
    assert again.json() == first.json()


async def test_another_browser_and_one_whose_session_has_ended_do_not(
    browser: httpx.AsyncClient, gatehouse: Gatehouse
) -> None:
    made = await gatehouse.token()
    await opened(browser, gatehouse, made.token)
    kept = dict(browser.cookies)
    browser.cookies.clear()
    refused = await opened(browser, gatehouse, made.token)
    assert (refused.status_code, 'data-code="WIDGET_TOKEN_SPENT"' in refused.text) == (409, True)
    browser.cookies.update(kept)
    gatehouse.clock.move(timedelta(days=30))
    assert 'data-code="WIDGET_TOKEN_EXPIRED"' in (await opened(browser, gatehouse, made.token)).text


async def test_the_cookie_of_one_token_opens_no_other_and_nothing_below_another_workspace(
    browser: httpx.AsyncClient, gatehouse: Gatehouse
) -> None:
    mine, other = await gatehouse.token(), await gatehouse.token()
    await opened(browser, gatehouse, mine.token)
    await gatehouse.links.open_token(other.token)
    assert (await opened(browser, gatehouse, other.token)).status_code == 409
    header = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    elsewhere = await browser.post(f"/w/{new_id()}/open", json={"token": mine.token}, headers={"Cookie": header})
    assert (elsewhere.status_code, 'data-code="WIDGET_TOKEN_INVALID"' in elsewhere.text) == (401, True)


async def test_a_token_that_is_too_old_shows_a_kind_page_in_the_readers_language(
    browser: httpx.AsyncClient, gatehouse: Gatehouse
) -> None:
    made = await gatehouse.token()
    gatehouse.clock.move(timedelta(hours=1))
    answer = await opened(browser, gatehouse, made.token)
    assert answer.status_code == 401
    assert 'data-code="WIDGET_TOKEN_EXPIRED"' in answer.text
    assert "Minęło zbyt wiele czasu" in answer.text
    assert "set-cookie" not in answer.headers
