"""What the crash tests use."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.crash.servers import Postgres


@pytest_asyncio.fixture(loop_scope="session")
async def postgres(tmp_path: Path) -> AsyncIterator[Postgres]:
    server = Postgres(tmp_path)
    await server.start()
    yield server
    await server.close()
