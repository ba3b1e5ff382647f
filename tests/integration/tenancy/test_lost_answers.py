"""A request that was done, and whose answer was lost before it was kept, is answered again: it fails for nobody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from passerelle.kit.http.claims import Claim, Claims
from passerelle.kit.ids import new_id
from tests.integration.secrets.product import Product, joined, opened

STEPS = "name: {name}\nsteps:\n  - id: wait\n    event: {{name: go}}\n  - id: s\n    set: {{x: {x}}}\n"
FORM = """
name: form
record: {table: people}
steps:
  - id: end
    consent: {title: End, text: Agree, version: '1'}
"""


@pytest.fixture
async def product(server_url: str, template: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Product]:
    """Of a server that remembers which id a key stands for, and dies before it keeps what it has answered."""
    ids: dict[str, UUID] = {}

    async def claim(self: Claims, workspace_id: UUID, key: str, request_hash: bytes) -> Claim:
        return Claim(workspace_id, key, ids.setdefault(key, new_id()), datetime.now(UTC))

    async def nothing(self: Claims, *_: Any) -> None: ...

    monkeypatch.setattr(Claims, "claim", claim)
    monkeypatch.setattr(Claims, "store", nothing)
    monkeypatch.setattr(Claims, "release", nothing)
    async with opened(server_url, template) as (services, url), joined(services, url) as product:
        yield product


async def test_each_kind_of_request_is_answered_again(product: Product) -> None:
    api = product.api
    fields = [{"name": "email", "type": "text", "unique": True}]
    assert (await api.post("/tables", json={"name": "people", "fields": fields})).is_success
    record = (await api.post("/tables/people/records", json={"email": "anna"})).json()["id"]
    steps = (await product.push(STEPS.format(name="steps", x=1))).json()["id"]
    again = STEPS.format(name="steps", x=2)
    await api.post("/definitions?publish=false", content=again, headers={"Content-Type": "application/yaml"})
    form = (await product.push(FORM)).json()["id"]
    run = (await api.post("/workflows", json={"workflowDefinitionId": steps})).json()["id"]
    hook = {"url": "https://127.0.0.1/hook"}
    endpoint = (await api.post("/webhooks/endpoints", json=hook)).json()["id"]
    people = f"/tables/people/records/{record}"
    requests: list[tuple[str, dict[str, Any]]] = [
        ("/tables", {"name": "others", "fields": fields}),
        ("/tables/people/records", {"email": "ewa"}),
        (f"{people}/comments", {"text": "x"}),
        ("/tables/people/records/changes", {"changes": [{"values": {"email": "jan"}}]}),
        ("/views", {"page": "/executions", "name": "n"}),
        ("/drafts", {"name": "d", "text": "x"}),
        ("/workflows", {"workflowDefinitionId": steps}),
        (f"/workflows/{run}/comments", {"text": "x"}),
        (f"/definitions/{steps}/proposals", {"revision": 2}),
        ("/link", {"workflowDefinitionId": form, "recordId": record}),
        ("/link/send", {"workflowDefinitionId": form, "recordId": record, "email": "anna@example.com"}),
        ("/webhooks/endpoints", hook),
        (f"/webhooks/endpoints/{endpoint}/test", {}),
        (f"/workflows/{run}/events/go", {}),
    ]
    for path, body in requests:
        headers = {"Idempotency-Key": uuid4().hex}
        first = await api.post(path, json=body, headers=headers)
        second = await api.post(path, json=body, headers=headers)
        assert first.is_success, f"{path}: {first.text}"
        assert second.is_success, f"{path}, again: {second.text}"
        assert first.json().get("id") == second.json().get("id"), path


async def test_a_proposal_that_was_closed_meanwhile_is_shown_as_it_is(product: Product) -> None:
    definition = (await product.push(STEPS.format(name="steps", x=1))).json()["id"]
    second = STEPS.format(name="steps", x=2)
    await product.api.post("/definitions?publish=false", content=second, headers={"Content-Type": "application/yaml"})
    path, headers = f"/definitions/{definition}/proposals", {"Idempotency-Key": uuid4().hex}
    proposed = (await product.api.post(path, json={"revision": 2}, headers=headers)).json()
    assert (await product.api.post(f"/proposals/{proposed['id']}/withdraw", json={})).is_success
    again = await product.api.post(path, json={"revision": 2}, headers=headers)
    assert (again.is_success, again.json()["id"], again.json()["status"]) == (True, proposed["id"], "withdrawn")
