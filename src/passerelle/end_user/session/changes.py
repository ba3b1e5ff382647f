"""Waiting for an execution to change: one question a commit stands for each who waits."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import suppress
from typing import Final
from uuid import UUID

from passerelle.end_user.session.repository import EndUserRepository
from passerelle.kit.listening import Listener

CHANNEL: Final = "passerelle_visitors"
LOOK_AGAIN: Final = 5.0
"""Seconds after which whoever waits looks for themselves: word of a change may be lost with a connection."""
LOOK_AGAIN_DEAF: Final = 0.5
"""The same, while nothing can be heard."""


class Changes:
    """Wakes whoever waits for an execution's next commit."""

    def __init__(self, listener: Listener, repository: EndUserRepository) -> None:
        self._repository = repository
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)
        self.hears = listener.hears
        listener.on(CHANNEL, self._hear, self._missed)

    async def after(self, workspace_id: UUID, execution_id: UUID, seq: int, wait: float) -> int:
        """The number of the execution's last commit: as soon as it is another than `seq`, or after `wait` seconds."""
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

    def _hear(self, message: str) -> None:
        self._wake([message.partition(" ")[0]])

    def _missed(self) -> None:
        self._wake(list(self._waiting))

    def _wake(self, keys: list[str]) -> None:
        for key in keys:
            for word in self._waiting.get(key, ()):
                word.set()
