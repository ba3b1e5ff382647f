"""Databases that nothing has been done to."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.databases import scratch


@pytest_asyncio.fixture(loop_scope="session")
async def empty_url(server_url: str) -> AsyncIterator[str]:
    """The address of an empty database."""
    async with scratch(server_url, "template0", "empty") as url:
        yield url
