"""Databases whose tables of workspaces have partitions by workspace."""

from __future__ import annotations

import os

import asyncpg
import pytest_asyncio

from tests.databases import named
from tests.partitioned import migrate_partitioned


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def template(server_url: str) -> str:
    """A migrated, empty database with partitions, which others are copied from."""
    name = f"passerelle_partitioned_{os.getpid()}"
    connection = await asyncpg.connect(server_url)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    await migrate_partitioned(named(server_url, name), role="passerelle_app")
    return name
