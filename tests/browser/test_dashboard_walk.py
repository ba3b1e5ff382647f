"""Every page of the dashboard, by the router's own list, is accessible light and dark."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.acceptance.running import Dev
from tests.browser.browsing import DESKTOP, Browse, accessible
from tests.browser.furnished import PLACES, SHOWN, Furnished, furnish, settled, visit


@pytest.fixture(scope="module")
def named(dev: Dev) -> Furnished:
    """Things with a name of a few words."""
    return furnish(dev, "Harbour loans")


async def test_no_route_of_the_router_is_forgotten(browse: Browse, session: Mapping[str, Any]) -> None:
    page = await browse.open(storage_state=session)
    await page.goto("/app")
    await settled(page)
    routes = await page.evaluate("Object.values(__TSR_ROUTER__.routesById).map(route => route.fullPath)")
    assert set(routes) == set(PLACES), "say in tests/browser/furnished.py where the page is"


@pytest.mark.parametrize("place", SHOWN)
async def test_every_page_is_accessible_light_and_dark(
    browse: Browse, session: Mapping[str, Any], named: Furnished, place: str
) -> None:
    page = await browse.open(DESKTOP, storage_state=session)
    for address in PLACES[place]:
        await visit(page, named.address(address))
        await accessible(page)
        await page.emulate_media(color_scheme="dark")
        await accessible(page, only_colours=True)
        await page.emulate_media(color_scheme="light")
