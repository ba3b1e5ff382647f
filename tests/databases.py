"""Databases of one test or one file of tests: made, and taken away whatever became of the test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import uuid4

import asyncpg


def named(url: str, database: str) -> str:
    """The address of another database on the same server."""
    address, _, options = url.partition("?")
    return address.rsplit("/", 1)[0] + "/" + database + (f"?{options}" if options else "")


@asynccontextmanager
async def scratch(server_url: str, template: str, prefix: str = "test") -> AsyncIterator[str]:
    """The address of a new database.

    template  the database that it is a copy of; nobody may be connected to that one
    prefix    what its name begins with
    """
    name = f"{prefix}_{uuid4().hex}"
    connection = await asyncpg.connect(server_url)
    try:
        # Files are copied ten times as fast as the log is written, where nothing waits for the disk.
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        try:
            yield named(server_url, name)
        finally:
            await _drop(connection, name)
    finally:
        await connection.close()


async def _drop(connection: asyncpg.Connection[Any], name: str) -> None:
    try:
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    except asyncpg.InsufficientPrivilegeError:
        # An autovacuum worker, which belongs to the superuser, was in it, and FORCE then closes nobody's connection:
        # not a pool's either. Without FORCE the worker is only asked to go, and waited for five seconds, in which a
        # busy machine does not get round to it.
        for _ in range(12):
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = $1 AND backend_type = 'client backend'",
                name,
            )
            with suppress(asyncpg.ObjectInUseError):
                await connection.execute(f"DROP DATABASE {name}")
                return
        raise
