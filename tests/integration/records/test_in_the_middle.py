"""What changes in the middle of something longer loses nothing, and stops nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from passerelle.records.repository import RecordRepository
from tests.integration.secrets.product import Product, joined, opened

FIELDS = [
    {"name": "email", "type": "text", "unique": True, "pii": "contact"},
    {"name": "phone", "type": "text"},
]


@pytest.fixture
async def product(server_url: str, template: str) -> AsyncIterator[Product]:
    async with opened(server_url, template) as (services, url), joined(services, url) as product:
        made = await product.api.post("/tables", json={"name": "people", "fields": FIELDS})
        assert made.status_code == 201, made.text
        yield product


async def person(product: Product, **values: Any) -> str:
    answer = await product.api.post("/tables/people/records", json=values)
    assert answer.status_code == 201, answer.text
    found: str = answer.json()["id"]
    return found


@pytest.mark.parametrize("after", [0, 1])
async def test_a_table_that_changes_while_two_records_are_merged_takes_neither_away(
    product: Product, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    target, source = await person(product), await person(product, email="anna", phone="7")
    update, written = RecordRepository.update, 0

    async def meanwhile(self: RecordRepository, *arguments: Any, **named: Any) -> Any:
        nonlocal written
        written += 1
        if written == after + 1:
            changed = await product.api.patch("/tables/people", json={"title": "Persons"})
            assert changed.is_success, changed.text
        return await update(self, *arguments, **named)

    monkeypatch.setattr(RecordRepository, "update", meanwhile)
    merged = await product.api.post(f"/tables/people/records/{target}/merge", json={"from": source})
    assert merged.is_success, merged.text
    monkeypatch.undo()
    found = (await product.api.get(f"/tables/people/records/{target}")).json()
    assert (found["email"], found["phone"]) == ("anna", "7")
    assert (await product.api.post("/tables/people/records", json={"email": "anna"})).status_code == 409


async def test_as_many_erasures_as_there_are_connections_hold_up_nobody(product: Product) -> None:
    """Each with the one connection that it has: others wait for theirs for seconds, not for good."""
    busy, most = product.services.shared.database.connections
    ids = [await person(product, email=f"person-{at}") for at in range(2 * most)]
    answers = await asyncio.gather(
        *(product.api.delete(f"/tables/people/records/{one}?erase=true") for one in ids),
        *(product.api.get("/tables") for _ in range(most)),
    )
    assert busy <= most
    assert {one.status_code for one in answers} == {200}, [one.text for one in answers if one.is_error]
