"""The only way to a connection. Whoever takes one names the workspace that it will serve.

Row-level security compares every row with the connection's `passerelle.workspace`. Setting it in each
transaction would cost a round trip, so the connection remembers which workspace it served last.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import UUID

import asyncpg
import orjson

from passerelle.errors import Code

Connection = Any
"""An asyncpg connection that serves one workspace (the pool hands out proxies, which the stubs cannot name)."""

APP_ROLE: Final = "passerelle_app"
NO_WORKSPACE: Final = UUID(int=0)

DATABASE_UNAVAILABLE: Final = Code(
    "DATABASE_UNAVAILABLE", 503, "The database does not answer. The request changed nothing; send it again."
)


class TenantConnection(asyncpg.Connection):
    """A connection that remembers whom it serves."""

    _workspace: UUID | None = None

    async def serve(self, workspace_id: UUID) -> None:
        """Name the workspace whose rows the next statements may see."""
        if workspace_id != self._workspace:
            self._workspace = None
            await self.execute("SELECT set_config('passerelle.workspace', $1, false)", str(workspace_id))
            self._workspace = workspace_id


class Database:
    """A pool of connections under the application's role.

    `workspace` and `transaction` serve one workspace. `shared` serves none: it sees no workspace's rows, only
    what belongs to nobody (the job queue) and the few functions that are made to look across workspaces.
    """

    def __init__(self, pool: asyncpg.Pool[Any]) -> None:
        self._pool = pool

    @classmethod
    async def open(cls, url: str, *, size: int = 16, name: str = "passerelle") -> Database:
        """Connect to `url`, a PostgreSQL address, with at most `size` connections."""
        pool = await asyncpg.create_pool(
            url,
            min_size=min(2, size),
            max_size=size,
            connection_class=TenantConnection,
            init=_prepare,
            reset=_leave_clean,
            server_settings={
                "application_name": name,
                "role": APP_ROLE,
                "jit": "off",
                "statement_timeout": "30s",
                "idle_in_transaction_session_timeout": "60s",
            },
        )
        return cls(pool)

    async def close(self) -> None:
        """Wait for the connections that are in use, then close all."""
        await self._pool.close()

    @asynccontextmanager
    async def workspace(self, workspace_id: UUID) -> AsyncIterator[Connection]:
        """A connection that sees the rows of this workspace. Each statement commits by itself."""
        async with self._pool.acquire() as proxy:
            connection: Connection = proxy
            await connection.serve(workspace_id)
            yield connection

    @asynccontextmanager
    async def transaction(self, workspace_id: UUID) -> AsyncIterator[Connection]:
        """As `workspace`; what happens inside commits together, or not at all."""
        async with self.workspace(workspace_id) as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def shared(self) -> AsyncIterator[Connection]:
        """A connection that sees no workspace's rows."""
        async with self.workspace(NO_WORKSPACE) as connection:
            yield connection


@asynccontextmanager
async def listening(url: str, name: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    """A connection of one's own, for `LISTEN`: it serves no workspace and sees no workspace's rows."""
    connection = await asyncpg.connect(url, server_settings={"application_name": name, "role": APP_ROLE})
    try:
        yield connection
    finally:
        await connection.close(timeout=2)


async def _prepare(connection: Connection) -> None:
    # Binary jsonb is the text behind one version byte: it spares the server and asyncpg a conversion.
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: b"\x01" + orjson.dumps(value),
        decoder=lambda data: orjson.loads(data[1:]),
        format="binary",
    )


async def _leave_clean(connection: Connection) -> None:
    # asyncpg's own reset costs 30 % of a small transaction. Nothing here leaves settings, locks or listeners
    # behind; an open transaction would be a fault, and its connection is not used again.
    if connection.is_in_transaction():
        connection.terminate()
