"""Waiting for the next event without a query for each who waits: one question a process stands for all."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final
from uuid import UUID

import asyncpg

from passerelle.events.models import EventPosition
from passerelle.events.repository import EventRepository

INTERVAL: Final = 0.1
"""Seconds between two questions; nobody asks while nobody waits."""


class EventWatch:
    """Wakes whoever waits for events of a workspace."""

    def __init__(self, repository: EventRepository, interval: float = INTERVAL) -> None:
        self._repository = repository
        self._interval = interval
        self._waiting: dict[asyncio.Future[bool], tuple[UUID, EventPosition]] = {}
        self._asking: asyncio.Task[None] | None = None
        self._silent = False

    async def wait(self, workspace_id: UUID, position: EventPosition, seconds: float) -> bool:
        """Until there is an event after `position`, for at most so many seconds. Returns whether there is one."""
        if self._silent:
            return False
        woken: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting[woken] = (workspace_id, position)
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        try:
            async with asyncio.timeout(seconds):
                return await woken
        except TimeoutError:
            return False
        finally:
            self._waiting.pop(woken, None)

    @property
    def is_silent(self) -> bool:
        """Whether nobody waits any more."""
        return self._silent

    def silence(self) -> None:
        """Let everybody go, and let nobody wait any more: the process is about to end."""
        self._silent = True
        for woken in self._waiting:
            _wake(woken, news=False)

    async def _ask(self) -> None:
        while self._waiting:
            await asyncio.sleep(self._interval)
            asked = list(self._waiting.items())
            # While the database is away those who wait go on waiting: their next request says what is wrong.
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                for place in await self._repository.with_news([about for _, about in asked]):
                    _wake(asked[place][0], news=True)


def _wake(woken: asyncio.Future[bool], *, news: bool) -> None:
    if not woken.done():
        woken.set_result(news)
