"""What grows lies in two clusters, each workspace whole in one of them, and people are onboarded in both.

Needs a PostgreSQL that has `postgres_fdw`, which the embedded one has not: PASSERELLE_TEST_DATABASE_URL names it, and
PASSERELLE_TEST_OTHER_DATABASE_URL the second cluster. Without that one the other half is another database of the first.
What `postgres_fdw` cannot do (docs/decisions/0222) is left in one place: tables that `ON CONFLICT` names a key of.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import asyncpg
import pytest

from passerelle.app.services import open_services
from passerelle.app.settings import Settings
from passerelle.kit.secrets import SecretBox, generate_key
from tests.databases import scratch
from tests.integration.secrets.product import Product
from tests.integration.sharding.journey import alone, customers, onboarded
from tests.partitioned import move_part

GROW = (
    "execution", "step_run", "received_event", "event", "record", "record_change", "record_key", "record_unique",
    "resource", "attachment", "visit", "revision", "webhook_attempt", "audit_entry",
)  # fmt: skip
SIXTEEN = 16
"""Workspaces are given to a part by their hash: among so many there are some of each."""


@pytest.fixture
async def clusters(server_url: str, template: str) -> AsyncIterator[tuple[str, str]]:
    """The addresses of the database that processes see, and of the one that has the other half."""
    connection = await asyncpg.connect(server_url)
    found = await connection.fetchval("SELECT count(*) FROM pg_available_extensions WHERE name = 'postgres_fdw'")
    await connection.close()
    if not found:
        pytest.skip("this PostgreSQL has no postgres_fdw: PASSERELLE_TEST_DATABASE_URL names one that has")
    other_server = os.environ.get("PASSERELLE_TEST_OTHER_DATABASE_URL", server_url)
    async with scratch(server_url, template) as url, scratch(other_server, "template0", "other") as other_url:
        connection = await asyncpg.connect(url)
        await move_part(connection, other_url, GROW)
        await connection.close()
        yield url, other_url


async def test_workspaces_of_both_clusters_onboard_people(clusters: tuple[str, str]) -> None:
    url, other_url = clusters
    box = SecretBox([generate_key()])
    ended: dict[str, Product] = {}
    async with open_services(Settings(database_connections=4), url, box) as services:
        for _ in range(SIXTEEN):
            async with alone(services, url) as product:
                part = await _part(url, product)
                if part in ended:
                    continue
                ended[part] = product
                await customers(product.api)
                await onboarded(product, product.api, "Anna")
    assert len(ended) == 2
    rows = {part: await _rows(other_url, product) for part, product in ended.items()}
    assert {part: rows[part].keys() >= {"execution", "step_run", "event", "record"} for part in rows} == {
        "0": False,
        "1": True,
    }
    assert rows["0"] == {}


async def _part(url: str, product: Product) -> str:
    """Which part the workspace is in: that of its own table of cases tells."""
    connection = await asyncpg.connect(url)
    try:
        query = "SELECT right(tableoid::regclass::text, 1) FROM record_table WHERE workspace_id = $1 LIMIT 1"
        return str(await connection.fetchval(query, product.workspace_id))
    finally:
        await connection.close()


async def _rows(url: str, product: Product) -> dict[str, int]:
    """How many rows of the workspace are in a database, by table."""
    connection = await asyncpg.connect(url)
    try:
        found = {
            table: await connection.fetchval(
                f"SELECT count(*) FROM {table} WHERE {'chain' if table == 'audit_entry' else 'workspace_id'} = $1",
                product.workspace_id,
            )
            for table in GROW
        }
    finally:
        await connection.close()
    return {table: count for table, count in found.items() if count}
