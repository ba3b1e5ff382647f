"""A post office for each test."""

from __future__ import annotations

from uuid import UUID

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from passerelle.kit.database import Database
from passerelle.kit.secrets import SecretBox
from tests.integration.webhooks.post_office import PostOffice


@pytest.fixture(scope="session")
def private_key() -> RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest_asyncio.fixture(loop_scope="session")
async def office(database: Database, workspace_id: UUID, private_key: RSAPrivateKey) -> PostOffice:
    office = PostOffice(database, workspace_id, SecretBox(["k" * 40]))
    async with database.transaction(workspace_id) as connection:
        await office.accounts.signing_keys.create(connection, workspace_id, private_key)
    return office
