"""How often something is done in a length of time, counted over every process.

A process counts by itself and shares what it has counted: at once while it knows nothing of the others, or has counted
a tenth of what is allowed, and else every second. So a limit holds for all processes together, give or take a tenth
for each, and most of what is counted costs no statement.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from passerelle.kit.clock import Clock
from passerelle.kit.database import Database
from passerelle.kit.repeating import repeat

SHARED_EVERY: Final = 1.0
"""Seconds after which counts are shared at the latest."""
_PARTS: Final = 10


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` in each `window`."""

    name: str
    most: int
    window: timedelta
    shared_later: bool = False
    """Whether a process need not know at once what others have counted: its first counts are shared within a second."""

    def begin(self, now: datetime) -> datetime:
        """When the window of this moment began: the same in every process."""
        length = int(self.window.total_seconds())
        return datetime.fromtimestamp(int(now.timestamp()) // length * length, now.tzinfo)

    def counter(self, subject: str) -> str:
        """The name under which the database counts. Subjects such as addresses are not kept as they are."""
        return f"{self.name}:{hashlib.sha256(subject.encode()).hexdigest()[:32]}"


class Count(NamedTuple):
    """What this process has counted since it last shared, of one counter in one window."""

    counter: str
    begin: datetime
    end: datetime
    times: int


Sharing = Callable[[Sequence[Count]], Awaitable[Mapping[tuple[str, datetime], int]]]
"""Adds counts to everybody's; the sums by counter and begin."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Where a limit stands. `seconds`: until the window is over and counting begins anew."""

    limit: Limit
    used: int
    seconds: int
    full: bool
    """Whether what was asked for is too much: then it was not counted."""

    @property
    def left(self) -> int:
        """How many more there may be."""
        return max(0, self.limit.most - self.used)


@dataclass(slots=True)
class _Counted:
    begin: datetime
    end: datetime
    known: bool = False
    total: int = 0
    """As far as this process knows, its own included."""
    unshared: int = 0


class Rates:
    """Counts for one process. `sharing`: how it does so with the others; None where there are none."""

    def __init__(self, clock: Clock, sharing: Sharing | None = None) -> None:
        self._clock = clock
        self._sharing = sharing
        self._counted: dict[tuple[str, datetime], _Counted] = {}

    async def hit(self, limit: Limit, subject: str) -> Tally:
        """Count one more, unless the limit is reached."""
        counted, key = self._of(limit, subject)
        if counted.total >= limit.most:
            return self._tally(limit, counted, full=True)
        counted.total += 1
        counted.unshared += 1
        if not (counted.known or limit.shared_later) or counted.unshared * _PARTS >= limit.most:
            await self._share([key])
        return self._tally(limit, counted, full=counted.total > limit.most)

    def look(self, limit: Limit, subject: str) -> Tally:
        """Where a limit stands, without counting."""
        counted, _ = self._of(limit, subject)
        return self._tally(limit, counted, full=counted.total >= limit.most)

    async def share(self) -> None:
        """Share everything that was counted; forget the windows that are over."""
        now = self._clock()
        for key in [key for key, counted in self._counted.items() if counted.end <= now]:
            del self._counted[key]
        await self._share([key for key, counted in self._counted.items() if counted.unshared])

    async def keep_sharing(self) -> None:
        """Share again and again, for as long as the process lives; while the database is away each counts alone."""
        await repeat("rates", SHARED_EVERY, self.share)

    def _of(self, limit: Limit, subject: str) -> tuple[_Counted, tuple[str, datetime]]:
        begin = limit.begin(self._clock())
        key = (limit.counter(subject), begin)
        if key not in self._counted:
            self._counted[key] = _Counted(begin, begin + limit.window)
        return self._counted[key], key

    def _tally(self, limit: Limit, counted: _Counted, *, full: bool) -> Tally:
        seconds = math.ceil((counted.end - self._clock()).total_seconds())
        return Tally(limit, counted.total, max(1, seconds), full)

    async def _share(self, keys: Sequence[tuple[str, datetime]]) -> None:
        if self._sharing is None or not keys:
            return
        held = {key: self._counted[key] for key in keys}
        counts = [Count(*key, counted.end, counted.unshared) for key, counted in held.items()]
        for counted in held.values():
            counted.unshared = 0
        try:
            sums = await self._sharing(counts)
        except BaseException:
            for count in counts:
                held[count.counter, count.begin].unshared += count.times
            raise
        for key, counted in held.items():
            counted.known = True
            counted.total = max(counted.total, sums[key] + counted.unshared)


def shared_in(database: Database) -> Sharing:
    """Counts are shared in the database."""

    async def share(counts: Sequence[Count]) -> Mapping[tuple[str, datetime], int]:
        # In one order in every process: none waits for another in a circle.
        ordered = sorted(counts)
        async with database.shared() as connection:
            rows = await connection.fetch(_ADD, *([list(column) for column in zip(*ordered, strict=True)]))
        return {(row["counter"], row["window_start"]): row["count"] for row in rows}

    return share


_ADD: Final = """
    INSERT INTO attempt_count AS c (counter, window_start, window_end, count)
    SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::timestamptz[], $4::integer[])
    ON CONFLICT (counter, window_start) DO UPDATE SET count = c.count + excluded.count
    RETURNING counter, window_start, count
"""
