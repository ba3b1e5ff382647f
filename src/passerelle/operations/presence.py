"""Which processes there are: each says so every few seconds, wherever it runs."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Literal
from uuid import UUID

import asyncpg

from passerelle.kit.database import Database
from passerelle.kit.ids import NewId
from passerelle.kit.repeating import repeat
from passerelle.kit.version import VERSION

ProcessKind = Literal["serve", "worker", "dev"]

BEAT: Final = 5.0
SILENT_AFTER: Final = timedelta(seconds=20)
"""A process that has said nothing for so long is taken for dead."""
FORGOTTEN_AFTER: Final = timedelta(days=1)
_BEAT: Final = """
    INSERT INTO process (id, kind, host, pid, version, started_at, seen_at) VALUES ($1, $2, $3, $4, $5, now(), now())
    ON CONFLICT (id) DO UPDATE SET seen_at = now()
"""
_SHOWN: Final = """
    SELECT id, kind, host, pid, version, started_at, seen_at, seen_at > now() - $1::interval AS alive
    FROM process ORDER BY alive DESC, kind, started_at DESC LIMIT 200
"""


@dataclass(frozen=True, slots=True)
class Process:
    """A process that is there, or was until lately. `alive`: whether it has said so within `SILENT_AFTER`."""

    id: UUID
    kind: ProcessKind
    host: str
    pid: int
    version: str
    started_at: datetime
    seen_at: datetime
    alive: bool


class Presence:
    """The processes of the installation."""

    def __init__(self, database: Database, new_id: NewId) -> None:
        self._database = database
        self._new_id = new_id

    @asynccontextmanager
    async def of(self, kind: ProcessKind) -> AsyncIterator[None]:
        """Say that this process is there while the block runs."""
        process_id = self._new_id()
        facts = process_id, kind, socket.gethostname()[:200], os.getpid(), VERSION
        await self._beat(*facts)
        beating = asyncio.create_task(repeat("presence", BEAT, partial(self._beat, *facts)))
        try:
            yield
        finally:
            beating.cancel()
            with suppress(asyncio.CancelledError):
                await beating
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
                async with asyncio.timeout(BEAT), self._database.shared() as connection:
                    await connection.execute("DELETE FROM process WHERE id = $1", process_id)

    async def _beat(self, *facts: object) -> None:
        # A database that is away has worse effects, which others tell of.
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
            async with self._database.shared() as connection:
                await connection.execute(_BEAT, *facts)

    async def processes(self) -> Sequence[Process]:
        """Those that are alive first; then those that have fallen silent within a day."""
        async with self._database.shared() as connection:
            rows = await connection.fetch(_SHOWN, SILENT_AFTER)
        return [Process(**row) for row in rows]

    async def forget_old(self) -> None:
        """Delete those that have been silent for a day."""
        async with self._database.shared() as connection:
            await connection.execute("DELETE FROM process WHERE seen_at < now() - $1::interval", FORGOTTEN_AFTER)
