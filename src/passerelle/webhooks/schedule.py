"""When a delivery is tried again. Pure: times come in, times go out.

Given: five retries, five seconds apart. Then ever longer pauses, up to three days after the first try.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

QUICK_TRIES: Final = 6
"""The first try and the given five retries. So long a delivery holds up those behind it of the same execution."""
QUICK_PAUSE: Final = timedelta(seconds=5)
FIRST_PAUSE: Final = timedelta(seconds=30)
LONGEST_PAUSE: Final = timedelta(hours=12)
TOTAL: Final = timedelta(days=3)


def pause_after(tries: int) -> timedelta | None:
    """How long to wait after so many failed tries, or None where it was the last one."""
    if tries < QUICK_TRIES:
        return QUICK_PAUSE
    pause = _doubled(tries)
    before = (QUICK_TRIES - 1) * QUICK_PAUSE + sum((_doubled(n) for n in range(QUICK_TRIES, tries)), timedelta())
    left = TOTAL - before
    return min(pause, left) if left > timedelta() else None


def next_attempt(tries: int, now: datetime, asked: timedelta | None) -> datetime | None:
    """When to try again after the `tries`th try failed now; `asked` is what the other side wants us to wait."""
    pause = pause_after(tries)
    if pause is None:
        return None
    return now + max(pause, asked or timedelta())


def _doubled(tries: int) -> timedelta:
    # Beyond some doublings it is the longest pause anyway, and timedeltas end.
    doublings: int = 2 ** min(tries - QUICK_TRIES, 16)
    return min(FIRST_PAUSE * doublings, LONGEST_PAUSE)
