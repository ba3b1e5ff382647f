"""Many tell one execution something at the same moment: everybody gets through."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.integration.secrets.product import Product, joined, opened

MANY = 150
WAITING = """
name: crowded
steps:
  - id: begun
    event: {name: begun}
  - id: paid
    event: {name: paid}
  - id: done
    set: {x: 1}
"""


@pytest.fixture
async def product(server_url: str, template: str) -> AsyncIterator[Product]:
    async with opened(server_url, template) as (services, url), joined(services, url) as product:
        yield product


async def test_each_of_many_events_and_cancellations_is_answered_as_what_it_is(product: Product) -> None:
    definition = (await product.push(WAITING)).json()["id"]
    started = (await product.api.post("/workflows", json={"workflowDefinitionId": definition})).json()
    path = f"/workflows/{started['id']}"
    answers = await asyncio.gather(*(product.api.post(f"{path}/events/paid", json={}) for _ in range(MANY)))
    assert [one.text for one in answers if one.status_code >= 500] == []
    codes = {one.json()["errors"][0]["code"] for one in answers if one.is_error}
    assert codes <= {"EVENTS_TOO_MANY"}
    answers = await asyncio.gather(*(product.api.post(f"{path}/cancel", json={}) for _ in range(MANY)))
    assert sorted(one.status_code for one in answers) == [200] + [409] * (MANY - 1)
