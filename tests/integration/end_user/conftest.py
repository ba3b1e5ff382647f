from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import pytest_asyncio

from passerelle.kit.database import Database
from tests.integration.end_user import guests


@pytest_asyncio.fixture(loop_scope="session")
async def house(database: Database, database_url: str, workspace_id: UUID) -> AsyncIterator[guests.House]:
    """A workspace with the end user's part."""
    async with guests.house(database, database_url, workspace_id) as made:
        yield made
