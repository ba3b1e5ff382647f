"""A server that follows the first one, for lists and exports."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Final
from uuid import UUID

import asyncpg
import structlog

from passerelle.kit.address import why_refused
from passerelle.kit.errors import CommandError

if TYPE_CHECKING:
    from passerelle.kit.database import Connection, Database

log = structlog.get_logger("passerelle.database")

FOLLOWING: Final = 0.1
"""Seconds that a replica has to catch up, before the first server is asked instead."""
LEFT_ALONE: Final = 1.0
"""Seconds for which one that had not caught up is not asked."""

WRITTEN_SO_FAR: Final = """
    SELECT (CASE current_setting('synchronous_commit') WHEN 'off' THEN pg_current_wal_insert_lsn()
            ELSE pg_current_wal_flush_lsn() END)::text
"""
_HAS: Final = "SELECT coalesce(pg_last_wal_replay_lsn() >= $1::text::pg_lsn, false)"
"""A server that follows nobody has no such position: it is not asked."""

OpenReplica = Callable[[str | None, int], Awaitable["Database"]]
"""Connects to it, given a role and how many connections at most."""


class Replica:
    """A server that follows the first one, and is asked only where it has caught up. Without it all goes on."""

    def __init__(self, open_: OpenReplica, timer: Callable[[], float] = time.monotonic) -> None:
        self._open = open_
        self._timer = timer
        self._database: Database | None = None
        self._not_before = 0.0
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def is_there(self) -> bool:
        """Whether it is to be asked now."""
        return self._database is not None and self._timer() >= self._not_before

    async def seek(self, role: str | None, *, size: int) -> None:
        """Connect to it, or prove again that row-level security binds us there; leave it alone where that fails."""
        try:
            if self._database is None:
                self._database = await self._open(role, size)
                log.info("replica.found")
            else:
                await self._database.prove()
        except (OSError, CommandError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
            log.warning("replica.lost", reason=why_refused(error), meaning="everything is read from the first server")
            await self.close()

    async def caught_up(self, held: AsyncExitStack, workspace_id: UUID, position: str) -> Connection | None:
        """A connection that sees all that was written up to `position`, kept in `held`; None where there is none."""
        mine = AsyncExitStack()
        # In a task of its own: of a server that hangs nobody waits for the connection to be given back.
        following = asyncio.create_task(self._follow(mine, workspace_id, position))
        try:
            await asyncio.wait({following}, timeout=FOLLOWING)
        except asyncio.CancelledError:
            self._leave(following, mine)
            raise
        if not following.done() or following.exception() is not None:
            self._not_before = self._timer() + LEFT_ALONE
            self._leave(following, mine)
            return None
        held.push_async_exit(mine)
        return following.result()

    async def _follow(self, mine: AsyncExitStack, workspace_id: UUID, position: str) -> Connection:
        assert self._database is not None
        connection = await mine.enter_async_context(self._database.workspace(workspace_id))
        while not await connection.fetchval(_HAS, position):  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(FOLLOWING / 20)
        return connection

    def _leave(self, following: asyncio.Task[Connection], mine: AsyncExitStack) -> None:
        async def leave() -> None:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
                await mine.aclose()

        leaving = asyncio.create_task(leave())
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)

    async def close(self) -> None:
        """Ask it no more."""
        database, self._database = self._database, None
        if database is not None:
            await database.close()
        await asyncio.gather(*self._leaving, return_exceptions=True)
