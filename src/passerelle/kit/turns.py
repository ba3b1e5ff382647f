"""Places that are given round by round, so that nobody's thousand wishes come before another's first."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """A number of places that are given round by round: to each share that waits one, then to each the next.

    each   the most that one share has at once; None: all, while nobody else wants one
    """

    def __init__(self, places: int, each: int | None = None) -> None:
        self._free = places
        self._each = each
        self._held: Counter[object] = Counter()
        self._waiting: dict[object, deque[asyncio.Future[None]]] = {}

    @asynccontextmanager
    async def turn(self, share: object) -> AsyncIterator[None]:
        """Have a place for as long as the block takes."""
        await self.take(share)
        try:
            yield
        finally:
            self.give_back(share)

    def take_now(self, share: object) -> bool:
        """Have a place until `give_back`, if there is one without waiting."""
        there_is = self._free > 0 and (self._each is None or self._held[share] < self._each)
        if there_is:
            self._free -= 1
            self._held[share] += 1
        return there_is

    async def take(self, share: object) -> None:
        """Have a place until `give_back`."""
        if self.take_now(share):
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(share, deque()).append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self.give_back(share)  # it was given the place in the moment in which it left
            raise

    def give_back(self, share: object) -> None:
        """A place of this share is free."""
        self._free += 1
        self._held[share] -= 1
        if not self._held[share]:
            del self._held[share]
        if self._waiting:
            self._give()

    def _give(self) -> None:
        """A free place to the share that has waited longest since its last turn, of those that may have more."""
        for share in list(self._waiting):
            if self._each is not None and self._held[share] >= self._each:
                continue
            queue = self._waiting.pop(share)
            while queue:
                following = queue.popleft()
                if not following.done():
                    if queue:
                        self._waiting[share] = queue  # behind all others
                    self._free -= 1
                    self._held[share] += 1
                    following.set_result(None)
                    return
