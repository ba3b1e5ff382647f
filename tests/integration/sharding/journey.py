"""What a workspace does in a day: a link, a form, a review, a record, webhooks, and what retention takes in the end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
from cryptography.hazmat.primitives.asymmetric import rsa

from passerelle.app.application import create_app
from passerelle.app.services import Services
from passerelle.kit.clock import MovedClock
from passerelle.kit.ids import new_id
from passerelle.retention.removing import Removal
from passerelle.webhooks.attempts import DeliverySender
from passerelle.webhooks.dispatcher import Dispatcher
from tests.integration.end_user.test_round_trips import Guest
from tests.integration.secrets.product import BASE_URL, Product
from tests.integration.webhooks.post_office import Receivers

ONBOARDING = """
name: onboarding
record: {table: customers, create: true}
steps:
  - id: details
    form:
      title: Details
      schema: {type: object, required: [name], properties: {name: {type: string, title: Name}}}
  - id: decide
    review: {title: Decide, outcomes: [approve, reject]}
  - id: keep
    record: {update: {name: "${steps.details.name}", score: 7}}
result: {outcome: "${steps.decide.outcome}"}
"""
URL = "https://127.0.0.1/hook"


@asynccontextmanager
async def alone(services: Services, database_url: str) -> AsyncIterator[Product]:
    """One new workspace: what is done is done for it."""
    app, owner = create_app(services, BASE_URL), new_id()
    async with services.shared.database.workspace(owner) as connection:
        await connection.execute("INSERT INTO workspace (workspace_id, name) VALUES ($1, 'test')", owner)
    token = (await services.accounts.create_token(owner, "ops", 2)).secret
    headers, transport = {"Authorization": f"Bearer {token}"}, httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL, headers=headers) as client:
        yield Product(services, app, database_url, owner, client, client)


async def customers(client: httpx.AsyncClient) -> None:
    """The table of records."""
    fields = [
        {"name": "name", "type": "text", "unique": True, "pii": "identity"},
        {"name": "score", "type": "integer", "indexed": True},
    ]
    (await client.post("/tables", json={"name": "customers", "fields": fields})).raise_for_status()


async def onboarded(product: Product, client: httpx.AsyncClient, name: str) -> None:
    """Somebody comes by a link, fills in the form, and is approved: a record of them is there."""
    headers = {"Content-Type": "application/yaml"}
    pushed = await client.post("/definitions", content=ONBOARDING.encode(), headers=headers)
    made = await client.post("/link", json={"workflowDefinitionId": pushed.json()["id"]})
    assert made.is_success, made.text
    transport = httpx.ASGITransport(product.app)
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as browser:
        guest = await Guest.come(browser, made.json()["link"])
        await guest.send("Somebody", draft=True)
        await guest.send(name)
    (review,) = (await client.get("/reviews")).json()["data"]
    decided = await client.post(f"/workflows/{review['workflowId']}/reviews/decide", json={"outcome": "approve"})
    assert decided.status_code == 200, decided.text
    ended = await _ended(client, review["workflowId"])
    assert ended["status"] == "COMPLETED", ended
    result = await client.get(f"/workflows/{review['workflowId']}/result")
    assert result.json()["result"] == {"outcome": "approve"}
    named = json.dumps({"field": "name", "op": "eq", "value": name})
    (found,) = (await client.get("/tables/customers/records", params={"filter": named})).json()["data"]
    assert (found["id"], found["score"]) == (ended["recordId"], 7)


async def _ended(client: httpx.AsyncClient, workflow_id: str) -> dict[str, Any]:
    """The execution once it goes on no more: it does so beside whoever decided."""
    async with asyncio.timeout(30):
        while True:
            shown: dict[str, Any] = (await client.get(f"/workflows/{workflow_id}")).json()
            if shown["status"] not in ("RUNNING", "AWAITING"):
                return shown


async def dispatcher(product: Product, receivers: Receivers) -> Dispatcher:
    """Sends the webhooks of all workspaces to receivers of the test's own."""
    services, shared = product.services, product.services.shared
    keys = services.accounts.signing_keys
    private = rsa.generate_private_key(65537, 2048)
    connection = await asyncpg.connect(product.database_url)
    workspaces = [row["workspace_id"] for row in await connection.fetch("SELECT workspace_id FROM workspace")]
    await connection.close()
    for workspace_id in workspaces:
        async with shared.database.transaction(workspace_id) as serving:
            await keys.create(serving, workspace_id, private)
    sender = DeliverySender(receivers, keys, services.records.shown, shared.box, shared.clock)
    return Dispatcher(services.deliveries, sender, services.webhooks.gone, shared.clock)


async def removed(product: Product, after: timedelta) -> None:
    """The hourly work, as if so much time had gone by."""

    async def no_pause(_: float) -> None:
        """Nobody else is there to be let through."""

    clock = MovedClock(product.services.shared.clock() + after)
    usual = {kind: timedelta(days=30) for kind in ("executions", "events", "deliveries", "drafts")}
    removal = Removal(product.services.shared.database, product.services.retention.archives, clock, usual, no_pause)
    await removal.run()


async def counts(url: str, workspace_id: object) -> dict[str, int]:
    """How many rows a workspace has, by table."""
    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch(
            "SELECT attrelid::regclass::text AS name FROM pg_attribute JOIN pg_class c ON c.oid = attrelid "
            "WHERE attname = 'workspace_id' AND relkind IN ('r', 'p') AND NOT relispartition "
            "AND relnamespace = 'public'::regnamespace"
        )
        found = {
            row["name"]: await connection.fetchval(
                f"SELECT count(*) FROM {row['name']} WHERE workspace_id = $1", workspace_id
            )
            for row in tables
        }
    finally:
        await connection.close()
    return {name: count for name, count in found.items() if count}
