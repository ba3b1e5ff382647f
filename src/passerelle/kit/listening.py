"""Hearing what the database tells: one connection a process listens for everybody in it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import asyncpg
import structlog

from passerelle.kit.connections import listening

log = structlog.get_logger("passerelle.listening")

ASK_EVERY: Final = 5.0
"""Seconds after which a silent connection is asked whether it still is one."""
PATIENCE: Final = 2.0
"""Seconds within which it has to answer."""

Heard = Callable[[str], None]
Missed = Callable[[], None]


class Listener:
    """Passes on what is heard. While nothing can be heard, `hears` is not set, and others look for themselves.

    url   of the server itself, since nobody can listen through a pooler; None where there is only a pooler
    """

    def __init__(self, url: str | None, name: str = "passerelle listener") -> None:
        self._url = url
        self._name = name
        self._hearers: dict[str, list[tuple[Heard, Missed]]] = {}
        self._wanted = asyncio.Event()
        self._heard: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.hears = asyncio.Event()
        self.listens = url is not None

    def on(self, channel: str, heard: Heard, missed: Missed) -> None:
        """Call `heard` with what is told on `channel`, and `missed` whenever something may have been missed."""
        self._hearers.setdefault(channel, []).append((heard, missed))
        self._wanted.set()

    def off(self, channel: str, heard: Heard) -> None:
        """Call this `heard` no longer."""
        self._hearers[channel] = [one for one in self._hearers.get(channel, ()) if one[0] != heard]

    async def until_heard(self, channel: str) -> None:
        """Wait until what is told on `channel` is heard; at once where nothing ever is."""
        if self.listens:
            async with asyncio.timeout(PATIENCE):
                await self._heard[channel].wait()

    async def run(self) -> None:
        """Listen until cancelled; a lost connection is made again."""
        if self._url is None:
            log.info("listening.by_polling", reason="PASSERELLE_DATABASE_DIRECT_URL is not set, and LISTEN needs it")
            return
        while True:
            try:
                await self._listen(self._url)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:  # TimeoutError is an OSError
                log.warning("listening.interrupted", error=repr(error))
            await asyncio.sleep(1)

    async def _listen(self, url: str) -> None:
        async with listening(url, self._name) as connection:
            connection.add_termination_listener(lambda _: self._wanted.set())
            async with self._hearing():
                while not connection.is_closed():
                    self._wanted.clear()
                    for channel in [one for one in self._hearers if not self._heard[one].is_set()]:
                        await connection.add_listener(channel, self._hear)
                        self._heard[channel].set()
                    if not self.hears.is_set():
                        self.hears.set()
                        self._miss()
                    if not await _within(self._wanted, ASK_EVERY):
                        await connection.execute("SELECT", timeout=PATIENCE)

    @asynccontextmanager
    async def _hearing(self) -> AsyncIterator[None]:
        try:
            yield
        finally:
            for heard in self._heard.values():
                heard.clear()
            self.hears.clear()
            self._miss()

    def _miss(self) -> None:
        for hearers in self._hearers.values():
            for _, missed in hearers:
                missed()

    def _hear(self, _connection: Any, _pid: int, channel: str, payload: object) -> None:
        for heard, _ in self._hearers[channel]:
            heard(str(payload))


async def _within(event: asyncio.Event, seconds: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            return await event.wait()
    return False
