"""The product runs on tables that are divided by workspace, and what it does for one workspace stays in its part.

Any other integration test runs there with PASSERELLE_TEST_PARTITIONED=1; those that look at tables themselves (keys,
names, sizes, migrations) fail.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from passerelle.app.services import open_services
from passerelle.app.settings import Settings
from passerelle.kit.secrets import SecretBox, generate_key
from tests.databases import scratch
from tests.integration.secrets.product import Product, joined, opened
from tests.integration.sharding.journey import URL, alone, counts, customers, dispatcher, onboarded, removed
from tests.integration.webhooks.post_office import Receivers


@pytest.fixture
async def product(server_url: str, template: str) -> AsyncIterator[Product]:
    async with opened(server_url, template) as (services, url), joined(services, url) as product:
        yield product


@pytest_asyncio.fixture(loop_scope="session")
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connected = await asyncpg.connect(database_url)
    yield connected
    await connected.close()


async def test_two_workspaces_onboard_people_review_them_and_forget_them(product: Product) -> None:
    receivers = Receivers()
    for client in (product.api, product.stranger):
        await customers(client)
        (await client.post("/webhooks/endpoints", json={"url": URL})).raise_for_status()
        await onboarded(product, client, "Anna")
        twice = await client.post("/tables/customers/records", json={"name": "Anna"})
        assert twice.status_code == 409, "what is unique stays so"
    courier = await dispatcher(product, receivers)
    while await courier.turn():
        await courier.settle()
    assert receivers.types().count("workflow.completed") == 2
    deliveries = (await product.api.get("/webhooks/deliveries")).json()["data"]
    assert {one["status"] for one in deliveries} == {"DELIVERED"}
    before = await counts(product.database_url, product.workspace_id)
    assert min(before[name] for name in ("step_run", "event", "webhook_attempt", "webhook_tally", "link", "visit")) > 0
    (
        await product.api.put("/retention", json={"executions": "1d", "events": "7d", "deliveries": "7d"})
    ).raise_for_status()
    await removed(product, timedelta(days=60))
    after = await counts(product.database_url, product.workspace_id)
    assert not after.keys() & {"execution", "step_run", "link", "visit", "event", "webhook_delivery", "webhook_attempt"}
    assert after["record"] == 1


async def test_each_table_of_workspaces_is_divided(connection: asyncpg.Connection) -> None:
    """Or this file would prove nothing."""
    kinds = await connection.fetch(
        "SELECT relname, relkind FROM pg_class WHERE NOT relispartition AND relnamespace = 'public'::regnamespace "
        "AND oid IN (SELECT attrelid FROM pg_attribute WHERE attname IN ('workspace_id', 'chain'))"
        "AND relkind IN ('r', 'p')"
    )
    whole = {row["relname"] for row in kinds if row["relkind"] == b"r"}
    assert whole == {"workspace", "app_user"}
    assert len(kinds) > 40


async def test_deleting_by_age_takes_no_row_of_another_part(connection: asyncpg.Connection) -> None:
    """Rows of two parts may stand at the same place of their files."""
    workspaces = [UUID(int=number) for number in range(1, 17)]
    for at, workspace_id in enumerate(workspaces):
        await connection.execute(
            "INSERT INTO idempotency_key (workspace_id, key, request_hash, resource_id, created_at, locked_until) "
            "VALUES ($1, 'k', '', $1, now() - make_interval(days => $2), now())",
            workspace_id,
            at % 2 * 9,
        )
    assert await connection.fetchval("SELECT count(DISTINCT tableoid) FROM idempotency_key") == 2
    assert await connection.fetchval("SELECT forget_idempotency_keys(now() - interval '1 day', 100)") == 8
    left = {row["workspace_id"] for row in await connection.fetch("SELECT workspace_id FROM idempotency_key")}
    assert left == set(workspaces[::2])


BY_SECRET = {"api_key", "link", "visit", "handover"}
"""Where something is looked for by a secret alone, or a hash of one: in every part (`tests/unit/project/test_reach.py`)."""
QUEUES = {"audit_entry"}
"""What the processes themselves look through, beside requests: entries that have no place in their chain yet."""


async def test_requests_of_a_workspace_touch_no_other_part(server_url: str, template: str) -> None:
    """PostgreSQL counts the scans of each partition: the other part has none but by secrets."""
    async with scratch(server_url, template) as url:
        async with (
            open_services(Settings(), url, SecretBox([generate_key()])) as services,
            alone(services, url) as product,
        ):
            await customers(product.api)
            await onboarded(product, product.api, "Anna")
            await product.api.get("/workflows", params={"status": "COMPLETED"})
            await product.api.get("/events")
        connection = await asyncpg.connect(url)
        try:
            mine = await _part_of(connection, product.workspace_id)
            scans = await connection.fetch(
                "SELECT regexp_replace(relname, '_\\d$', '') AS name, right(relname, 1)::integer AS part, "
                "seq_scan + coalesce(idx_scan, 0) AS scans FROM pg_stat_user_tables WHERE relname ~ '_[01]$'"
            )
        finally:
            await connection.close()
    here = {row["name"] for row in scans if row["scans"] and row["part"] == mine}
    elsewhere = {row["name"] for row in scans if row["scans"] and row["part"] != mine}
    assert here >= {"execution", "step_run", "event", "record", "record_unique", "visitor_draft", "definition"}
    assert elsewhere <= BY_SECRET | QUEUES


async def _part_of(connection: asyncpg.Connection, workspace_id: UUID) -> int:
    query = "SELECT right(tableoid::regclass::text, 1)::integer FROM execution WHERE workspace_id = $1 LIMIT 1"
    part: int = await connection.fetchval(query, workspace_id)
    return part
