"""Two that publish at the same time: the second learns of the first."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from passerelle.app.services import Services
from tests.integration.secrets.product import Product, joined, opened

TEXT = "name: hello\nsteps:\n  - id: keep\n    set: {said: '%s'}\n"


@pytest.fixture(scope="module")
async def running(server_url: str, template: str) -> AsyncIterator[tuple[Services, str]]:
    async with opened(server_url, template) as parts:
        yield parts


@pytest.fixture
async def product(running: tuple[Services, str]) -> AsyncIterator[Product]:
    async with joined(*running) as joining:
        yield joining


async def test_whoever_publishes_an_older_choice_is_told_what_is_published_by_now(product: Product) -> None:
    definition = (await product.push(TEXT % "one")).json()["id"]
    for text in ("two", "three"):
        assert (await product.push(TEXT % text, publish="false")).status_code == 201
    path = f"/definitions/{definition}/publish"
    first = await product.api.post(path, json={"revision": 2, "insteadOf": 1})
    assert first.status_code == 200, first.text
    late = await product.api.post(path, json={"revision": 3, "insteadOf": 1})
    assert (late.status_code, late.json()["errors"][0]["code"]) == (409, "PUBLISHED_MEANWHILE")
    assert "revision 2" in late.json()["errors"][0]["message"]
    assert (await product.api.post(path, json={"revision": 2, "insteadOf": 1})).status_code == 200
    assert (await product.api.post(path, json={"revision": 3, "insteadOf": 2})).json()["revision"] == 3
    assert (await product.api.post(path, json={"revision": 1})).status_code == 200
