"""Waiting for an execution to change: one listening connection a process stands for everybody who waits."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import suppress
from typing import Any, Final
from uuid import UUID

import asyncpg
import structlog

from passerelle.executions.visitor.repository import VisitorRepository
from passerelle.kit.database import listening

log = structlog.get_logger("passerelle.visitor")

CHANNEL: Final = "passerelle_visitors"
LOOK_AGAIN: Final = 5.0
"""Seconds after which whoever waits looks for themselves: word of a change may be lost with a connection."""
LOOK_AGAIN_DEAF: Final = 0.5
"""The same, while nothing can be heard."""


class Changes:
    """Wakes whoever waits for an execution's next commit."""

    def __init__(self, url: str, repository: VisitorRepository) -> None:
        self._url = url
        self._repository = repository
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._listening: asyncio.Task[None] | None = None
        self.hears = asyncio.Event()
        """Set while word of changes comes through."""

    async def after(self, workspace_id: UUID, execution_id: UUID, seq: int, wait: float) -> int:
        """The number of the execution's last commit: as soon as it is another than `seq`, or after `wait` seconds."""
        if self._listening is None or self._listening.done():
            self._listening = asyncio.create_task(self._listen())
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait
        word = asyncio.Event()
        key = str(execution_id)
        self._waiting[key].add(word)
        try:
            while True:
                word.clear()
                now = await self._repository.seq(workspace_id, execution_id)
                remaining = deadline - loop.time()
                if now is None or now != seq or remaining <= 0:
                    return seq if now is None else now
                with suppress(TimeoutError):
                    async with asyncio.timeout(min(remaining, LOOK_AGAIN if self.hears.is_set() else LOOK_AGAIN_DEAF)):
                        await word.wait()
        finally:
            self._waiting[key].discard(word)
            if not self._waiting[key]:
                del self._waiting[key]

    async def close(self) -> None:
        """Listen no longer."""
        if self._listening is not None:
            self._listening.cancel()
            with suppress(asyncio.CancelledError):
                await self._listening

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_once()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("visitor.deaf", error=repr(error))
            self.hears.clear()
            await asyncio.sleep(1)

    async def _listen_once(self) -> None:
        """Pass on what is heard until the connection is lost."""
        lost = asyncio.Event()
        try:
            async with listening(self._url, "passerelle visitors") as connection:
                connection.add_termination_listener(lambda _: lost.set())
                await connection.add_listener(CHANNEL, self._hear)
                self.hears.set()
                self._wake(list(self._waiting))
                await lost.wait()
        finally:
            self.hears.clear()

    def _hear(self, _connection: Any, _pid: int, _channel: str, payload: object) -> None:
        self._wake([str(payload).partition(" ")[0]])

    def _wake(self, keys: list[str]) -> None:
        for key in keys:
            for word in self._waiting.get(key, ()):
                word.set()
