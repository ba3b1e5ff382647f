"""Two installations in one database, each in a schema of its own, see nothing of each other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import asyncpg
import pytest
from pydantic import SecretStr

from passerelle.app.services import open_services
from passerelle.app.settings import Settings
from passerelle.kit.address import in_schema, parse_address
from passerelle.kit.secrets import SecretBox, generate_key
from passerelle.migrations.applied import SchemaError
from passerelle.migrations.schema import migrate, require_current
from tests.integration.migrations.conftest import empty_url
from tests.integration.secrets.product import Product, joined

__all__ = ["empty_url"]

ADD = "name: add\nsteps:\n- {id: pause, wait: {for: 1ms}}\n- {id: a, set: {x: 1}}\nresult: {x: '${steps.a.x}'}\n"


@pytest.fixture
async def two(empty_url: str) -> AsyncIterator[tuple[Product, Product]]:
    async with AsyncExitStack() as stack:
        products = []
        for schema in ("public", "second"):
            url = in_schema(empty_url, schema)
            assert "the migration baseline" in await migrate(url)
            await require_current(url)
            assert await migrate(url) == []
            settings = Settings(database_url=SecretStr(empty_url), database_schema=schema, database_connections=4)
            assert settings.address == url
            services = await stack.enter_async_context(open_services(settings, url, SecretBox([generate_key()])))
            products.append(await stack.enter_async_context(joined(services, url)))
        yield products[0], products[1]


async def test_each_works_and_has_its_own(two: tuple[Product, Product]) -> None:
    for product in two:
        execution = (await product.run(ADD))["id"]
        fields = [{"name": "name", "type": "text", "indexed": True}]
        assert (await product.api.post("/tables", json={"name": "people", "fields": fields})).status_code == 201
        assert (await product.api.post("/tables/people/records", json={"name": "Ada"})).status_code == 201
        found = await product.api.get("/workflows")
        assert [one["id"] for one in found.json()["data"]] == [execution]
        await product.services.operations.counting.count()
        assert b"passerelle_executions_stranded 0" in await product.services.metrics.text()


async def test_neither_may_look_into_the_other(two: tuple[Product, Product]) -> None:
    for product, other in (two, two[::-1]):
        schema = parse_address(other.database_url).schema
        async with product.services.shared.database.workspace(other.workspace_id) as connection:
            role = await connection.fetchval("SELECT current_user")
            assert role.endswith("_second_app") == (schema == "public")
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.fetch(f"SELECT * FROM {schema}.workspace")


async def test_one_that_was_never_migrated_is_named(empty_url: str) -> None:
    await migrate(empty_url)
    with pytest.raises(SchemaError, match="run `passerelle migrate`"):
        await require_current(in_schema(empty_url, "second"))
