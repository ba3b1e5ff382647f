"""Databases that nothing has been done to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest_asyncio

from tests.conftest import named


@pytest_asyncio.fixture(loop_scope="session")
async def empty_url(server_url: str) -> AsyncIterator[str]:
    """The address of an empty database."""
    name = f"empty_{uuid4().hex}"
    connection = await asyncpg.connect(server_url)
    await connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    yield named(server_url, name)
    try:
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    except asyncpg.InsufficientPrivilegeError:
        # An autovacuum worker, which belongs to the superuser, was in it; without FORCE it is only asked to go.
        await connection.execute(f"DROP DATABASE {name}")
    await connection.close()
