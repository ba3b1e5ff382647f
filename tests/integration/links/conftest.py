"""A gatehouse for each test."""

from __future__ import annotations

from uuid import UUID

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from gatehouse import Gatehouse

from passerelle.kit.database import Database


@pytest.fixture(scope="session")
def private_key() -> RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest_asyncio.fixture(loop_scope="session")
async def gatehouse(database: Database, workspace_id: UUID, private_key: RSAPrivateKey) -> Gatehouse:
    gatehouse = Gatehouse(database, workspace_id)
    await gatehouse.furnish(private_key)
    return gatehouse
