"""A gatehouse for each test: a workspace of its own on a database that the module's tests share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from passerelle.kit.database import Database
from passerelle.kit.ids import new_id
from tests.databases import scratch
from tests.integration.links.gatehouse import Gatehouse


@pytest.fixture(scope="session")
def private_key() -> RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house_url(server_url: str, template: str) -> AsyncIterator[str]:
    async with scratch(server_url, template, "links") as url:
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(house_url: str) -> AsyncIterator[Database]:
    house = await Database.open(house_url, size=8)
    yield house
    await house.close()


@pytest_asyncio.fixture(loop_scope="session")
async def gatehouse(house: Database, private_key: RSAPrivateKey) -> Gatehouse:
    gatehouse = Gatehouse(house, new_id())
    await gatehouse.furnish(private_key)
    return gatehouse
