"""Time comes in through constructors, so that tests move it by hand."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


class SharedClock:
    """The clock of somebody that several processes ask: between two questions it goes on by this machine's seconds.

    own       this machine's clock, which may be wrong; it only tells by how much
    elapsed   seconds that never go back
    """

    def __init__(self, own: Clock = system_clock, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._own = own
        self._elapsed = elapsed
        self._asked_at = elapsed()
        self._told = own()

    def __call__(self) -> datetime:
        return self._told + timedelta(seconds=self._elapsed() - self._asked_at)

    def told(self, moment: datetime, took: float) -> None:
        """Somebody was asked, and `took` seconds later we know: it was `moment` on the way.

        What the way alone explains changes nothing, so that the clock does not tremble.
        """
        now = moment + timedelta(seconds=took / 2)
        if abs((now - self()).total_seconds()) > took:
            self._told, self._asked_at = now, self._elapsed()

    @property
    def off(self) -> float:
        """By how many seconds this machine's own clock is ahead; negative where it is behind."""
        return (self._own() - self()).total_seconds()


class MovedClock:
    """A clock for tests: stands still until it is moved."""

    def __init__(self, start: datetime | None = None) -> None:
        self.now = start or datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, by: timedelta) -> None:
        """Let `by` pass at once."""
        self.now += by


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds and `Z`: how every answer and event writes a time."""
    return f"{moment.astimezone(UTC).isoformat(timespec='milliseconds')[:-6]}Z"
